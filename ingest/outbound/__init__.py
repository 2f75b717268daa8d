"""Reaches hosts that people name: checked addresses, proxies, an HTTP client; knows no mail.

Where a connection goes is decided by the address it is made to, never by a name that may mean
another one a moment later; nothing is followed to where an answer points.
"""
