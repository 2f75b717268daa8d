"""Name the items of chat exports: which bytes are one message, and what is known beside them.

One module for each export; `exports` lists them. What an item says is for `parsers.chat`.
"""
