"""Takes people in from directories: vCards and tables; it decides nothing about whose is what."""
