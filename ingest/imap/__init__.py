"""Pulls mailboxes from IMAP servers into the one pipeline; changes nothing at the server.

Folders are opened by EXAMINE and bodies read by BODY.PEEK, so that no flag changes (RFC 9051, 6.3.3
and 6.4.5). What is asked for is what the server has and the ledger does not know: there is no
cursor that could run ahead of what is kept.
"""
