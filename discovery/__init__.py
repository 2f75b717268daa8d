"""Answer a legal matter: saved searches, review, term reports and productions that verify offline.

Works on copies and coordinates of what is stored. Must not change, hide or dispose of an original,
and must not widen the scope that the caller was given.
"""
