"""Keep it: the vault of originals, the ledger, the catalogue, contacts, keys and the audit log.

An original is written once and never rewritten; all else can be derived from it again. Must not
parse content, decide what is searchable or how long something lives, and must not import the index.
"""
