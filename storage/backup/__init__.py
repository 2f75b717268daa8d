"""Backups of a whole archive in a folder: made while it is written, checked, and read back.

The format knows neither database nor vault, so that a backup of any set of engines restores to any.
"""
