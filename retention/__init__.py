"""Decide how long records live, what freezes them, and dispose of them with proof.

The way is one: due, held?, plan, approved, disposed, certificate. Must not dispose of anything that
a hold covers, must not shorten a period silently, and must not know how items arrive or are shown.
"""
