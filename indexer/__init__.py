"""Make it findable: index documents, the query parser, the indexes, highlighting and rebuilding.

Every index can be thrown away and rebuilt from the vault and the catalogue. Must not be the only
place where a fact is kept, and must not import storage or parsers.
"""
