"""People out of directories: vCards and rows of tables; it knows no archive."""
