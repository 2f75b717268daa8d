"""Compares our reading of messages with three other parsers and sorts every difference by rule.

Run `python tests/support/differential.py PLACE` for a report on any directory or mbox. A difference
that no rule explains is `unclassified`; docs/parsing.md explains each class.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import utils as email_utils
from email.message import EmailMessage, Message
from pathlib import Path

import fast_mail_parser
import mailparser

from holdfast.core.kinds import Role
from holdfast.core.records import Parsed, RawItem
from holdfast.ingest.readers.planning import plan
from holdfast.ingest.readers.reading import Reader
from holdfast.parsers.html_text import html_to_text
from holdfast.parsers.rfc822 import parse

FIELDS = ("subject", "from", "to", "date", "message_id", "body", "attachments")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one parser says of one message, in a form that can be compared."""

    values: dict[str, object]
    """Field → value; a field that the parser does not offer is absent."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two parsers disagree on one field of one message."""

    file: str
    oracle: str
    field: str
    ours: object
    theirs: object
    label: str = "unclassified"


def ours(parsed: Parsed) -> Reading:
    def addresses(role: Role) -> tuple[str, ...]:
        people = [person for person in parsed.participants if person.role is role]
        return tuple(person.key for person in people if person.address)

    date = parsed.sent_at if parsed.sent_at_source == "date" else None
    return Reading(
        {
            "subject": squeezed(parsed.subject),
            "from": addresses(Role.FROM),
            "to": addresses(Role.TO),
            "date": int(date.timestamp()) if date else None,
            "message_id": parsed.message_id,
            "body": bare(parsed.body),
            "attachments": _own_attachments(parsed),
        }
    )


def _own_attachments(parsed: Parsed) -> tuple[tuple[str, str], ...]:
    """List files of the outer message: the oracles take nested messages apart differently."""
    nested = tuple(f"{item.path}." for item in parsed.attachments if item.is_message)
    return tuple(
        sorted(
            (squeezed(item.filename), item.sha256.hex()[:16])
            for item in parsed.attachments
            if not item.is_message and not item.path.startswith(nested or "/")
        )
    )


def squeezed(text: str) -> str:
    return " ".join(text.split())


def bare(text: str) -> str:
    """Leave only what is not white space: parsers differ in line ends, joins and trailing lines."""
    return _SPACE.sub("", text)


def _stdlib(raw: bytes) -> Reading:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    date = message["date"]
    stamp = email_utils.parsedate_to_datetime(str(date)) if date else None
    body = message.get_body(("plain",))
    values: dict[str, object] = {
        "subject": squeezed(str(message["subject"] or "")),
        "from": _stdlib_addresses(message, "from"),
        "to": _stdlib_addresses(message, "to"),
        "date": _stamp(stamp),
        "message_id": str(message["message-id"] or "").strip().strip("<>").strip(),
        "attachments": tuple(sorted(_stdlib_attachments(message))),
    }
    if body is not None:
        values["body"] = bare(str(body.get_content()))
    return Reading(values)


def _stdlib_addresses(message: EmailMessage, name: str) -> tuple[str, ...]:
    found = []
    for header in message.get_all(name, []):
        found += [address.addr_spec.casefold() for address in header.addresses]
    return tuple(found)


def _stdlib_attachments(message: EmailMessage) -> Iterator[tuple[str, str]]:
    waiting: list[Message[str, str]] = [message]
    while waiting:
        part = waiting.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting += [each for each in part.get_payload() if isinstance(each, Message)]
            continue
        name = part.get_filename() or ""
        is_text = part.get_content_type() in ("text/plain", "text/html") and not name
        is_file = part.get_content_disposition() == "attachment"
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and (is_file or not is_text):
            yield squeezed(name), hashlib.sha256(content).hexdigest()[:16]


def _mail_parser(raw: bytes) -> Reading:
    mail = mailparser.parse_from_bytes(raw)
    values: dict[str, object] = {
        "subject": squeezed(str(mail.subject or "")),
        "from": _pairs(mail.from_),
        "to": _pairs(mail.to),
        "date": _stamp(mail.date),
        "message_id": str(mail.message_id or "").strip().strip("<>").strip(),
    }
    if mail.text_plain:
        values["body"] = bare("".join(mail.text_plain))
    return Reading(values)


def _pairs(pairs: list[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(address.strip().casefold() for _, address in pairs if address)


def _fast(raw: bytes) -> Reading:
    mail = fast_mail_parser.parse_email(raw)
    date = mail.date_parsed
    values: dict[str, object] = {
        "subject": squeezed(mail.subject or ""),
        "date": _stamp(date) if isinstance(date, datetime) else date,
    }
    if mail.text_plain:
        values["body"] = bare("".join(mail.text_plain))
    return Reading(values)


def _stamp(at: datetime | None) -> int | None:
    if at is None:
        return None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


ORACLES: tuple[tuple[str, Callable[[bytes], Reading]], ...] = (
    ("stdlib", _stdlib),
    ("mail-parser", _mail_parser),
    ("fast-mail-parser", _fast),
)


def differences(name: str, raw: bytes) -> Iterator[Difference]:
    """Yield every disagreement about one message, with its class."""
    parsed = parse(raw)
    own = ours(parsed).values
    for oracle, read in ORACLES:
        try:
            theirs = read(raw).values
        except Exception as error:  # noqa: BLE001 - that an oracle raises is a result here
            yield Difference(name, oracle, "all", "", type(error).__name__, "oracle_raised")
            continue
        for field in FIELDS:
            if field in theirs and own[field] != theirs[field]:
                found = Difference(name, oracle, field, own[field], theirs[field])
                label = classify(found, parsed, raw)
                yield Difference(name, oracle, field, own[field], theirs[field], label)


_CHARSET_CODES = ("charset_", "header_8bit", "encoded_word_damaged", "parameter_damaged", "nul_")
_STRUCTURE_CODES = ("mime_", "header_missing", "header_no_", "header_junk", "leading_", "line_ends")
_WIDER = re.compile(
    rb"gb2312|gbk|big5|iso-2022-jp|shift_jis|ks_c|euc-kr|8859-1\b|utf-7|cp936|windows-874", re.I
)


def _has(parsed: Parsed, starts: tuple[str, ...]) -> bool:
    return any(defect.code.startswith(starts) for defect in parsed.defects)


def _charset(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    is_text = found.field in ("subject", "body", "attachments", "from", "to")
    is_lossy = "\ufffd" in str(found.theirs) or _has(parsed, _CHARSET_CODES)
    return is_text and (is_lossy or bool(_WIDER.search(raw)))


def _undecoded(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    return "=?" in str(found.theirs) or (found.field == "subject" and b"=?" in raw)


def _repeated(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    return found.field != "body" and _has(parsed, ("header_repeated",))


def _structure(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    return _has(parsed, _STRUCTURE_CODES)


def _joined(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    """One holds the other: parsers differ in which inline texts belong to the body."""
    if found.field != "body" or not isinstance(found.theirs, str):
        return False
    mine = str(found.ours)
    attached = [bare(item.text) for item in parsed.attachments if item.text]
    attached += [bare(item.text.partition("\n\n")[2]) for item in parsed.attachments]
    left = found.theirs
    for text in sorted([mine, *attached], key=len, reverse=True):
        left = left.replace(text, "") if text else left
    return (
        left == ""
        or left in attached
        or any(left in text for text in attached)
        or found.theirs in mine
        or _is_part_by_part(mine, found.theirs)
    )


def _is_part_by_part(mine: str, theirs: str) -> bool:
    return bool(mine) and mine[:40] in theirs and mine[-40:] in theirs


def _added_from_html(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    """Without what only the HTML says, ours is in theirs."""
    if found.field != "body" or not parsed.html:
        return False
    left = str(found.ours)
    for line in html_to_text(parsed.html).split("\n"):
        left = left.replace(bare(line), "") if bare(line) else left
    return left != found.ours and left in str(found.theirs)


def _encoding(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    codes = ("base64_", "uuencode_", "transfer_", "content_type_", "mime_parameter")
    has_soft = b"quoted-printable" in raw.lower()
    return found.field in ("body", "attachments") and (_has(parsed, codes) or has_soft)


def _address(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    return found.field in ("from", "to") and _has(parsed, ("address_",))


def _bare_name(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    """We keep a word without `@` as an address; others drop it, or take words apart."""
    if found.field not in ("from", "to") or not isinstance(found.ours, tuple):
        return False
    theirs = found.theirs if isinstance(found.theirs, tuple) else ()
    return {each for each in found.ours if "@" in each} == {each for each in theirs if "@" in each}


def _name_with_at(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    """The address stands in angle brackets; the name before it looks like another one."""
    return found.field in ("from", "to") and any("@" in each.name for each in parsed.participants)


def _obsolete(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    """Addresses with two dots in a row are kept by us, dropped by others."""
    if found.field not in ("from", "to") or not isinstance(found.ours, tuple):
        return False
    return tuple(each for each in found.ours if ".." not in each) == found.theirs


def _still_encoded(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    """An encoded nested message that the other shows as it was transferred."""
    wants = str(found.theirs).encode("utf-8", "replace")
    return found.field == "body" and wants != b"" and wants in b"".join(raw.split())


def _fold(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    """A continuation line of spaces only ends the header for others (RFC 5322 section 4.2)."""
    return bool(re.search(rb"\n[ \t]+\r?\n", raw)) and not found.theirs


def _group(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    return found.field in ("from", "to") and bool(re.search(rb"(?im)^(?:to|from):[^\n]*:", raw))


def _missing_date(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    return found.field == "date" and (_has(parsed, ("date_",)) or found.theirs is None)


_NO_SECONDS = re.compile(rb"^date:[^\n]*\s\d\d?:\d\d\s+[+-]\d{4}", re.I | re.M)


def _zone_as_seconds(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    return found.field == "date" and bool(_NO_SECONDS.search(raw))


def _identifier(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    if found.field != "message_id":
        return False
    theirs = bare(str(found.theirs))
    is_cut = str(found.ours).count("@") > 1 and str(found.ours).startswith(theirs)
    return _has(parsed, ("message_id_",)) or str(found.ours) in theirs or is_cut


def _file_name(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    if found.field != "attachments" or not isinstance(found.theirs, tuple):
        return False
    mine = found.ours if isinstance(found.ours, tuple) else ()
    return sorted(each[1] for each in mine) == sorted(each[1] for each in found.theirs)


def _report(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    kinds = {item.declared_type.partition("/")[0] for item in parsed.attachments}
    return found.field == "attachments" and "message" in kinds


_LATIN1 = re.compile(r"[\x80-\xff]")


def _mojibake(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    """What we read stands in the original as UTF-8; the other decoded it as something else."""
    words = re.findall(r"[^\x00-\x7f]{2,}", str(found.ours))
    if len(_LATIN1.findall(str(found.theirs))) > 2 * len(_LATIN1.findall(str(found.ours))):
        return True
    return 2 * sum(word.encode() in raw for word in words) > len(words)


def _root_file(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    return found.field == "attachments" and (not found.theirs or not found.ours)


def _white_space(found: Difference, parsed: Parsed, raw: bytes) -> bool:
    return bare(str(found.ours)) == bare(str(found.theirs))


CLASSES: tuple[tuple[str, Callable[[Difference, Parsed, bytes], bool]], ...] = (
    ("white_space", _white_space),
    ("charset_repaired", _charset),
    ("encoded_word", _undecoded),
    ("field_repeated", _repeated),
    ("structure_repaired", _structure),
    ("texts_joined", _joined),
    ("html_says_more", _added_from_html),
    ("address_ambiguous", _address),
    ("address_without_at", _bare_name),
    ("address_group", _group),
    ("name_with_at", _name_with_at),
    ("address_obsolete", _obsolete),
    ("date_repaired", _missing_date),
    ("zone_as_seconds", _zone_as_seconds),
    ("message_id_repaired", _identifier),
    ("file_name", _file_name),
    ("transfer_damage", _encoding),
    ("status_report", _report),
    ("oracle_charset", _mojibake),
    ("still_encoded", _still_encoded),
    ("blank_fold", _fold),
    ("root_is_file", _root_file),
)
"""Class → rule, first match wins."""


def classify(found: Difference, parsed: Parsed, raw: bytes) -> str:
    """Name the class of a difference; `unclassified` when no rule explains it."""
    for label, explains in CLASSES:
        if explains(found, parsed, raw):
            return label
    return "unclassified"


def messages_of(place: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the messages of a place, each with a name: those of a mailbox that is one file,
    or the files of a directory that begin like a message.
    """
    if place.is_file():
        with Reader() as reader:
            for number, offered in enumerate(plan(place), 1):
                item = reader.read(offered)
                if isinstance(item, RawItem):
                    yield f"{place.name}:{number}", bytes(item.raw)
        return
    for path in sorted(place.rglob("*")):
        if path.is_file() and not path.name.endswith((".json", ".md")) and _is_mail(path):
            yield path.name, path.read_bytes()


_MAIL = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,60}[ \t]*:|From \S|\xef\xbb\xbf|\xff\xfe|\s")


def _is_mail(path: Path) -> bool:
    with path.open("rb") as file:
        return bool(_MAIL.match(file.read(200)))


def report(place: Path) -> Iterator[str]:
    """Yield the lines of the report on all messages of a place, as `messages_of` names it."""
    read = 0
    found: list[Difference] = []
    for name, raw in messages_of(place):
        read += 1
        found += differences(name, raw)
    counts = Counter((item.label, item.oracle) for item in found)
    for (label, oracle), count in sorted(counts.items()):
        yield f"{count:6} {oracle:17} {label}"
    open_ones = [item for item in found if item.label == "unclassified"]
    yield f"{read} messages, {len(found)} differences, {len(open_ones)} unclassified"
    for item in open_ones:
        yield f"{item.file} {item.oracle} {item.field}"
        yield f"  ours   {str(item.ours)[:160]!r}"
        yield f"  theirs {str(item.theirs)[:160]!r}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in report(Path(sys.argv[1])))
