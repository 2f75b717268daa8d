"""The ways in which vendors sign and shape what they post; `webhooks.registry` lists them."""
