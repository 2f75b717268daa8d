"""The kinds of work that workers do, one a file, and the processes that do it.

A job function calls what exists, reports headway and gives back facts; it must not know who
started it, how it was woken, or what becomes of it when it fails.
"""
