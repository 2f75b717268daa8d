"""Speaks to S3-compatible object stores: requests, their failures, and packing of objects.

Knows no catalogue and no keys of originals; what an object means is for the vault and the log.
"""
