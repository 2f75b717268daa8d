"""What requests and answers look like: the service's words as JSON, with examples; no behaviour."""
