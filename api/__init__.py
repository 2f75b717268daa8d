"""Offer the archive over HTTP and web pages: translate, authorise, nothing else.

Must not hold rules of the domain, must not reach past the services it is handed, and must not show
that a record exists to someone outside its scope.
"""
