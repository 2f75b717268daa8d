"""The comparisons that make up a verification; only `storage.verify` puts them together."""
