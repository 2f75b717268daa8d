"""Keep what is held, how long things live and what was disposed of; judges nothing itself."""
