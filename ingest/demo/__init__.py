"""Make up the mail of two companies from a seed: for trying the product and for measuring it.

Everything is invented; all addresses end in `.example` (RFC 2606). It never reads a real mailbox.
"""
