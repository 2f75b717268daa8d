"""Turn bytes into records: mail, journal reports, chat exports and their attachments.

Everything here is pure and returns a value for any input; bad content yields defects on the record.
Must not touch the network, the disk or the clock, must not read settings, and must not raise for
what a sender can put into a message.
"""
