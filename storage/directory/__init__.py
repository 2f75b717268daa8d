"""Contacts out of directories: whose is what a card says, written, and taken back exactly."""
