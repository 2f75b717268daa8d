"""Write one message as bytes (RFC 5322, MIME): headers, charsets, encodings, attachments."""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass
from html import escape

from holdfast.ingest.demo.files import File
from holdfast.ingest.demo.people import Person

_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_ZONES = {"en": 0, "zh": 480, "tw": 480, "ja": 540}
_CHARACTERS_A_WORD = {"utf-8": 12, "iso-2022-jp": 14}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a message says, before it is bytes."""

    sender: Person
    to: tuple[Person, ...]
    at: int
    """Unix seconds of the Date field."""
    subject: str
    body: str
    charset: str
    message_id: str
    """Without angle brackets."""
    cc: tuple[Person, ...] = ()
    references: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    """Further header lines, ASCII."""
    is_html_too: bool = False
    is_8bit: bool = False
    files: tuple[File, ...] = ()


def date_text(at: int, language: str) -> str:
    """Return a Date field's value in the zone where the language is spoken."""
    zone = _ZONES[language]
    day = time.gmtime(at + 60 * zone)
    return (
        f"{_DAYS[day.tm_wday]}, {day.tm_mday} {_MONTHS[day.tm_mon - 1]} {day.tm_year} "
        f"{day.tm_hour:02}:{day.tm_min:02}:{day.tm_sec:02} +{zone // 60:02}{zone % 60:02}"
    )


def compose(draft: Draft) -> bytes:
    """Return the message with LF line ends, as Unix mail programs keep it."""
    charset = _fitting(draft.charset, draft.subject + draft.body)
    lines = [
        f"From: {_address(draft.sender, charset)}",
        f"To: {_addresses(draft.to, charset)}",
    ]
    if draft.cc:
        lines.append(f"Cc: {_addresses(draft.cc, charset)}")
    lines.append(f"Subject: {encoded(draft.subject, charset)}")
    lines.append(f"Date: {date_text(draft.at, draft.sender.language)}")
    lines.append(f"Message-ID: <{draft.message_id}>")
    if draft.references:
        lines.append(f"In-Reply-To: <{draft.references[-1]}>")
        lines.append("References: " + "\n ".join(f"<{one}>" for one in draft.references[-6:]))
    lines.extend(draft.headers)
    lines.append("MIME-Version: 1.0")
    content = _content(draft, charset)
    return "\n".join(lines).encode("ascii") + b"\n" + content


def encoded(text: str, charset: str) -> str:
    """Return a header value, as RFC 2047 words where it is not ASCII."""
    if text.isascii():
        return text
    charset = _fitting(charset, text)
    if charset in ("windows-1252", "iso-8859-1"):
        return f"=?{charset}?Q?{_q_encoded(text.encode(charset))}?="
    step = _CHARACTERS_A_WORD.get(charset, 18)
    words = (text[at : at + step].encode(charset) for at in range(0, len(text), step))
    return "\n ".join(f"=?{charset}?B?{base64.b64encode(word).decode()}?=" for word in words)


def _content(draft: Draft, charset: str) -> bytes:
    """Return the Content fields, the empty line and the body."""
    seed = draft.message_id.partition(".")[0]
    text = _text(draft.body, "plain", charset, draft)
    if draft.is_html_too:
        text = _multipart("alternative", f"=_a{seed}", [text, _html(draft, charset)])
    if draft.files:
        text = _multipart("mixed", f"=_m{seed}", [text, *(_attached(f) for f in draft.files)])
    return text


def _text(text: str, subtype: str, charset: str, draft: Draft) -> bytes:
    data = text.encode(charset)
    if (text.isascii() and max(map(len, text.split("\n"))) < 900) or charset == "iso-2022-jp":
        encoding, body = "7bit", data
    elif draft.sender.language == "en":
        encoding, body = "quoted-printable", binascii.b2a_qp(data, istext=True)
    elif draft.is_8bit:
        encoding, body = "8bit", data
    else:
        encoding, body = "base64", base64.encodebytes(data)
    if not body.endswith(b"\n"):
        body += b"\n"
    head = f"Content-Type: text/{subtype}; charset={charset}\n"
    return f"{head}Content-Transfer-Encoding: {encoding}\n\n".encode("ascii") + body


def _html(draft: Draft, charset: str) -> bytes:
    paragraphs = (
        escape(draft.body, quote=False).replace("\n\n", "</p>\n<p>").replace("\n", "<br>\n")
    )
    page = (
        f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}">'
        "<style>p { font-family: Calibri, sans-serif; font-size: 11pt }</style></head>\n"
        f"<body><p>{paragraphs}</p></body></html>\n"
    )
    return _text(page, "html", charset, draft)


def _multipart(subtype: str, boundary: str, parts: list[bytes]) -> bytes:
    line = f"--{boundary}".encode("ascii")
    head = f'Content-Type: multipart/{subtype};\n boundary="{boundary}"\n\n'.encode("ascii")
    pieces = b"".join(line + b"\n" + part + b"\n" for part in parts)
    return head + pieces + line + b"--\n"


def _attached(file: File) -> bytes:
    if file.name.isascii():
        name = f'filename="{file.name}"'
    else:
        percent = "".join(f"%{byte:02X}" for byte in file.name.encode("utf-8"))
        name = f"filename*=UTF-8''{percent}"
    head = (
        f"Content-Type: {file.media_type}\nContent-Disposition: attachment;\n {name}\n"
        "Content-Transfer-Encoding: base64\n\n"
    )
    return head.encode("ascii") + base64.encodebytes(file.content)


def _fitting(charset: str, text: str) -> str:
    """Return the charset, or UTF-8 where it cannot say the text."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return "utf-8"
    return charset


def _addresses(people: tuple[Person, ...], charset: str) -> str:
    return ",\n ".join(_address(person, charset) for person in people)


def _address(person: Person, charset: str) -> str:
    return f"{encoded(person.name, charset)} <{person.address}>"


def _q_encoded(data: bytes) -> str:
    """Return bytes as RFC 2047 Q: letters and digits stay."""
    return "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else "_" if byte == 32 else f"={byte:02X}"
        for byte in data
    )
