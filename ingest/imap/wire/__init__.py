"""The bytes between us and a server: buffered, encrypted, compressed; understands no command."""
