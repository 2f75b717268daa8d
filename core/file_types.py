"""Say which types of files belong together, and by which names they are asked for; no I/O."""

from __future__ import annotations

_TYPE_GROUPS: dict[str, str] = {
    "pdf": "pdf application/pdf",
    "word": "doc docx docm dot dotx odt rtf wps application/msword application/rtf text/rtf"
    " application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    " application/vnd.oasis.opendocument.text",
    "excel": "xls xlsx xlsm xlsb xlt xltx ods csv et application/vnd.ms-excel text/csv"
    " application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    " application/vnd.oasis.opendocument.spreadsheet",
    "powerpoint": "ppt pptx pptm pps ppsx odp dps application/vnd.ms-powerpoint"
    " application/vnd.openxmlformats-officedocument.presentationml.presentation"
    " application/vnd.oasis.opendocument.presentation",
    "image": "jpg jpeg png gif bmp tif tiff webp heic svg image/*",
    "audio": "mp3 wav m4a ogg amr flac audio/*",
    "video": "mp4 mov avi mkv wmv webm video/*",
    "text": "txt md log text/plain",
    "html": "html htm text/html application/xhtml+xml",
    "zip": "zip rar 7z gz tgz tar bz2 xz application/zip application/x-zip-compressed"
    " application/gzip application/x-7z-compressed application/x-rar-compressed"
    " application/vnd.rar application/x-tar",
    "message": "eml msg message/rfc822 message/global application/vnd.ms-outlook",
    "calendar": "ics text/calendar application/ics",
    "contact": "vcf text/vcard text/x-vcard",
}
TYPE_GROUPS = frozenset(_TYPE_GROUPS)
"""Values of `Field.TYPE` that stand for several media types and extensions."""

GROUP_OF = {one: group for group, ones in _TYPE_GROUPS.items() for one in ones.split()}
"""Media type or extension → the group that it is in."""

_GROUP_NAMES = {
    "document": "word", "文档": "word", "spreadsheet": "excel",
    "表格": "excel", "slides": "powerpoint", "presentation": "powerpoint",
    "演示": "powerpoint", "picture": "image", "图片": "image", "archive": "zip", "压缩": "zip",
    "email": "message", "邮件": "message", "日历": "calendar", "文本": "text",
}  # fmt: skip


def fold_type(value: str) -> str:
    """Return the form in which types are compared: a group by its own name, no leading dot."""
    value = value.removeprefix(".")
    return _GROUP_NAMES.get(value, value)
