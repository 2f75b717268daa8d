"""Turns bytes of a declared or unknown charset into text; never raises.

The text holds neither lone surrogates nor NUL characters, whatever the bytes were.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from functools import lru_cache

from holdfast.parsers.charset_doubt import likelier_codec
from holdfast.parsers.charset_guess import count_high, guess
from holdfast.parsers.surrogates import without_surrogates

_ALIASES = {
    # Superset first: writers label GBK and GB18030 text as gb2312.
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gb2312_charset": "gb18030",
    "csgb2312": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "ms936": "gb18030",
    "windows-936": "gb18030",
    "x-gbk": "gb18030",
    "x-cp20936": "gb18030",
    "euc-cn": "gb18030",
    "euccn": "gb18030",
    "x-euc-cn": "gb18030",
    "chinese": "gb18030",
    "iso-ir-58": "gb18030",
    "hz-gb-2312": "hz",
    "big5": "big5hkscs",
    "big-5": "big5hkscs",
    "cn-big5": "big5hkscs",
    "x-big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "windows-950": "cp950",
    "x-windows-950": "cp950",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "ms_kanji": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-2022-jp-1": "iso2022_jp_ext",
    "iso-2022-jp-2": "iso2022_jp_2",
    "x-iso-2022-jp": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "cp50221": "iso2022_jp_ext",
    "x-euc-jp": "euc_jp",
    "eucjp-ms": "euc_jp",
    "ks_c_5601": "cp949",
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "ksc_5601": "cp949",
    "euc-kr": "cp949",
    "x-windows-949": "cp949",
    "windows-949": "cp949",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "l1": "cp1252",
    "windows-1252http-equivcontent-type": "cp1252",
    "ansi_x3.110-1983": "cp1252",
    "x-ansi": "cp1252",
    "iso-8859-8-i": "iso8859_8",
    "iso-8859-8-e": "iso8859_8",
    "iso-8859-6-i": "iso8859_6",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "unicode-1-1-utf-7": "utf_7",
    "x-unicode-2-0-utf-7": "utf_7",
    "unicode-1-1-utf-8": "utf_8",
    "utf": "utf_8",
    "utf8mb4": "utf_8",
    "x-utf-8": "utf_8",
    "cesu-8": "utf_8",
    "unicode": "utf_16",
    "ucs-2": "utf_16",
    "koi8": "koi8_r",
}
UNDECLARED = frozenset(
    {"", "us-ascii", "ascii", "usascii", "ansi_x3.4-1968", "646", "iso646-us", "unknown-8bit"}
    | {"x-unknown", "unknown", "x-user-defined", "default", "8bit", "7bit", "binary", "none"}
    | {"default_charset", "_iso-2022-jp$esc", "_autodetect", "x-roman8", "plain"}
)
"""Labels that say nothing about bytes above 127."""

_SAFE = re.compile(  # `codecs` also knows names that are not charsets: idna, punycode, rot13 …
    r"(?:iso8859_|cp)\d+|utf_(?:7|8|16(?:_[bl]e)?|32(?:_[bl]e)?)|gb18030|hz|big5hkscs|johab|"
    r"shift_jis(?:_2004|x0213)|euc_jp|euc_jis_2004|euc_jisx0213|iso2022_(?:jp_(?:ext|2|3|2004)|kr)|"
    r"koi8_[rut]|kz1048|ptcp154|hp_roman8|tis_620|"
    r"mac_(?:roman|cyrillic|greek|turkish|latin2|iceland)"
)
_STATEFUL = ("iso2022", "hz", "utf_7", "utf_16", "utf_32")
_SHAPE = re.compile(r"[a-z0-9][a-z0-9._:+-]{0,39}")
_NEXT_BEST = {"big5hkscs": "cp950", "iso2022_jp_2": "iso2022_jp_ext", "cp932": "shift_jis_2004"}


@lru_cache(maxsize=1024)
def codec_of(label: str) -> str:
    """Return the Python codec that reads a declared charset; empty when the label says nothing."""
    name = label[:100].lower().strip(" \t\r\n\"';,").removeprefix("charset=").strip(" \"'")
    name = name.partition("*")[0]
    if name in UNDECLARED or not _SHAPE.fullmatch(name):
        return ""
    if name in _ALIASES:
        return _ALIASES[name]
    try:
        found = codecs.lookup(name).name.replace("-", "_")
    except LookupError:
        return _codec_of_near_name(name)
    found = _ALIASES.get(found, found)
    return found if _SAFE.fullmatch(found) else ""


def _codec_of_near_name(name: str) -> str:
    """Read labels such as `x-cp1251`, `win-1251`, `cp-866`, `utf8-mac`, `iso-8859-1-windows`."""
    number = re.search(r"(?:windows|win|cp|ibm|x-cp|dos)[-_]?(\d{3,5})", name)
    if number:
        return codec_of(f"cp{number[1]}") if name != f"cp{number[1]}" else ""
    part = re.search(r"8859[-_](\d{1,2})", name)
    if part:
        plain = f"iso-8859-{part[1]}"
        return codec_of(plain) if name != plain else ""
    return "utf_8" if name.startswith(("utf8", "utf-8")) else ""


def decode(raw: bytes, label: str = "") -> tuple[str, str]:
    """Return the text and, where the label did not do, a defect code (else an empty string).

    `charset_unknown`: the label is not known; `charset_missing`: bytes above 127 without a label;
    `charset_wrong`: another charset reads it; `charset_damaged`: some characters were lost.
    """
    codec = codec_of(label)
    if raw.isascii() and not codec.startswith(_STATEFUL):
        return _without_nul(str(raw, "ascii")), ""
    if codec:
        return _decode_declared(raw, codec)
    code = "charset_missing" if _says_nothing(label) else "charset_unknown"
    try:
        return _without_nul(str(raw, "utf-8")), code if code == "charset_unknown" else ""
    except UnicodeDecodeError:
        return _clean(str(raw, guess(raw), "replace")), code


def _says_nothing(label: str) -> bool:
    return label.lower().strip(" \t\"'") in UNDECLARED


def _decode_declared(raw: bytes, codec: str) -> tuple[str, str]:
    text = _strictly(raw, codec)
    if text is not None:
        better = _strictly(raw, likelier_codec(raw, codec))
        return (text, "") if better is None else (better, "charset_wrong")
    other = _strictly(raw, _NEXT_BEST.get(codec, ""))
    if other is not None:
        return other, ""
    if codec == "iso2022_jp_ext":
        return _iso2022_with_nec_rows(raw)
    if not codec.startswith(_STATEFUL):
        other = _strictly(raw, "utf_8") if not raw.isascii() else None
        if other is not None:
            return other, "charset_wrong"
    return _decode_damaged(raw, codec)


def _decode_damaged(raw: bytes, codec: str) -> tuple[str, str]:
    text = _clean(str(raw, codec, "replace"))
    high = count_high(raw)
    lost = text.count("\ufffd")
    if codec == "utf_8" and lost <= len(_THREE_BYTE_UTF8.findall(raw)):
        return text, "charset_damaged"  # bytes of another charset have no such rows
    if high and lost * 10 > high and not codec.startswith(_STATEFUL):
        better = guess(raw)
        other = _strictly(raw, better)
        if better != codec and other is not None:
            return other, "charset_wrong"
    return text, "charset_damaged"


def _strictly(raw: bytes, codec: str) -> str | None:
    if not codec:
        return None
    try:
        return _clean(str(raw, codec))
    except UnicodeError:
        return None


def _without_nul(text: str) -> str:
    return text.replace("\0", "") if "\0" in text else text


def _clean(text: str) -> str:
    """Drop NUL and a leading BOM; replace lone surrogates (UTF-7 can spell them)."""
    if text.startswith("\ufeff"):
        text = text[1:]
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = without_surrogates(text)
    return _without_nul(text)


_ESCAPE = re.compile(rb"\x1b(\$[@B]|\$\([@BDOPQ]|\([BJIH])")


def _iso2022_with_nec_rows(raw: bytes) -> tuple[str, str]:
    """Read ISO-2022-JP as Windows writes it (cp50220): row 13 and half-width katakana."""
    pieces = _ESCAPE.split(raw)
    texts = [str(pieces[0], "cp932", "replace")]
    for escape, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if escape.startswith(b"$"):
            texts.append(str(_jis_to_shift_jis(piece), "cp932", "replace"))
        elif escape == b"(I":
            texts.append(str(bytes(b | 0x80 if 0x20 < b < 0x60 else b for b in piece), "cp932"))
        else:
            texts.append(str(piece, "cp932", "replace"))
    text = _clean("".join(texts))
    return text, "charset_damaged" if "\ufffd" in text else ""


def _jis_to_shift_jis(piece: bytes) -> bytes:
    """Shift pairs of a 94x94 set into cp932 (JIS X 0208:1997, annex 1); other bytes stay."""
    out = bytearray()
    at = 0
    while at < len(piece):
        first = piece[at]
        second = piece[at + 1] if at + 1 < len(piece) else 0
        if not (0x21 <= first <= 0x7E and 0x21 <= second <= 0x7E):
            out.append(first)
            at += 1
            continue
        out.append((first + 1) // 2 + (0x70 if first < 0x5F else 0xB0))
        out.append(second + (0x1F + (second > 0x5F) if first % 2 else 0x7E))
        at += 2
    return bytes(out)


def guess_together(values: Iterable[bytes]) -> str:
    """Return the codec of all that one writer left without a charset; a name says too little."""
    return guess(b"\n".join(one for one in values if _strictly(one, "utf_8") is None))


_BREAKS = re.compile(rb"([\x00-\x2f:;<=>?]+)")  # no second byte of GBK or Big5 is among these
_MAX_MIXED_BYTES = 64 << 10
_THREE_BYTE_UTF8 = re.compile(rb"[\xe0-\xef][\x80-\xbf][\x80-\xbf]")


def decode_raw_header(raw: bytes, hint: str = "") -> str:
    """Read a header value with bytes above 127: UTF-8, else the likeliest charset, else both.

    Args:
        raw: The value.
        hint: The codec that reads most of what stands beside it.
    """
    text = _strictly(raw, "utf_8")
    if text is not None:
        return text
    parts: list[tuple[bytes, str | None]] = []
    if len(raw) <= _MAX_MIXED_BYTES:
        parts = [(piece, _strictly(piece, "utf_8")) for piece in _BREAKS.split(raw)]
    if not any(part is not None and _THREE_BYTE_UTF8.search(piece) for piece, part in parts):
        text = _strictly(raw, hint)
        return _clean(str(raw, guess(raw), "replace")) if text is None else text
    codec = guess(b" ".join(piece for piece, part in parts if part is None))
    return "".join(
        _clean(str(piece, codec, "replace")) if part is None else part for piece, part in parts
    )
