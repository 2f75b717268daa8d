"""Signs in to an account, by password or by a token that is renewed; keeps nothing itself."""
