"""Puts checkpoints of the audit log where whoever owns the archive cannot take them back.

Three kinds: tokens of a time-stamping authority, a witness file, objects under lock. It sends no
request to an authority itself.
"""
