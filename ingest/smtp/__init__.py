"""Receives mail over SMTP and answers 250 only when it is durable; parses none of it."""
