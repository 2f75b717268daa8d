"""Forms of chat and of typed events: bytes and what their source knows beside them → records.

One module for each system; `forms` lists what they read, `building` makes records of it.
"""
