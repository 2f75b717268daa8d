"""Keeps pulled sources fresh: when each runs, what it leaves out, how it fares.

It must not know how mail is fetched: `ingest.imap` does.
"""
