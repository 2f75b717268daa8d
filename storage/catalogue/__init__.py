"""The truth about everything but the bytes: tables, their invariants and the statements on them.

One module a concern. It must not parse content, cut text or decide what a query means.
"""
