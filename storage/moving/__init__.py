"""Bring a whole archive from one set of engines to another, or back from a backup.

Rows keep their ids, originals their bytes under their keys, the audit log its tiles. Nothing here
decrypts an original, and no search index is moved: it is made again.
"""
