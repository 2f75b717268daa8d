"""Bring items in: the connectors, and the one pipeline they all feed.

A sender hears success only after the group commit that sealed the item. Must not skip, reorder or
hook a stage of the pipeline, must not rewrite what was received, and must not answer for the web.
"""
