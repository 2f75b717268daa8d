"""Judges what other systems post to us: one module for each vendor; no network, disk or clock.

Whoever serves HTTP hands over a `Request` and sends the reply after what was taken is durable.
"""
