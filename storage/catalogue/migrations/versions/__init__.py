"""Steps, in order; a landed step never changes."""
