"""Turn paths into items: a parent process plans light references, workers read the bytes.

`planning.plan` names everything that a path holds and keeps no body; `reading.Reader` gives the
exact bytes of one reference. It never writes but to nameless spool files, never follows links, and
never uses a name from inside an archive as a place on disk.
"""
