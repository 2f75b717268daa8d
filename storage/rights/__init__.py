"""Keeps who may do what: persons, users, sessions, keys, teams, grants.

What a role may do is decided in `core.rights`; here stands whom it is given to. Statements, and the
events of each act in its transaction; no protocol, and no word to a terminal.
"""
