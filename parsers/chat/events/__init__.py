"""Forms of what systems post by themselves: events of chat systems, and typed events of others."""
