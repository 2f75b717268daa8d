"""Keep what governs the archive: matters, holds and what they hold; it decides no retention."""
