"""Statements about matters, holds, policies, disposals and exports.

Must not decide what may be held, disposed of or exported: that is for the layers above.
"""
