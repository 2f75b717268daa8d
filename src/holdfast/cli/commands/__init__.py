"""One module for each group of commands; they must not import one another."""
