"""Keep who may do what: persons, users, sessions, keys, teams and grants."""
