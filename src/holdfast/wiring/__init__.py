"""Puts one archive together: the only place that picks implementations and opens them."""
