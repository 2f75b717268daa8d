"""One LMTP session of the listener (RFC 2033): LHLO, and an answer for each recipient."""

from __future__ import annotations

from holdfast.ingest.smtp.chunking import ChunkingSession


class LmtpSession(ChunkingSession):
    """One client that speaks LMTP."""

    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802 - the library's name
        """Greet as EHLO does."""
        await super().smtp_EHLO(arg)

    async def smtp_EHLO(self, _arg: str) -> None:  # noqa: N802 - the library's name
        """Refuse: the port speaks LMTP."""
        await self.push("500 5.5.1 This is LMTP; say LHLO")

    smtp_HELO = smtp_EHLO  # noqa: N815 - the library's name

    async def _answer(self, answer: str) -> None:
        recipients = len(self.envelope.rcpt_tos) if self.envelope else 0
        self._set_post_data_state()
        for _ in range(recipients):
            await self.push(answer)
