"""Writes the certificate of an export, for people in English and Chinese and for programs."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row

    from holdfast.storage.checkpoint import Checkpoint
    from holdfast.storage.governance.exports import ExportRow

VERIFY_COMMAND = "python3 verify.py PACKAGE.zip --key log.pub"
STAMP_COMMAND = "openssl ts -verify -data proofs/anchor.note -in proofs/anchor.tsr -CAfile ca.pem"


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """Everything that a certificate states."""

    export: ExportRow
    counts: Mapping[str, int]
    is_partial: bool
    files: int
    files_sha256: str
    """Over the lines of the manifest but those of the certificates themselves."""
    checkpoint: Checkpoint
    vkey: str
    anchor: Row[Any] | None
    """The newest time-stamped checkpoint; `proofs/anchor.*` hold it."""


def certificate_files(facts: CertificateFacts) -> dict[str, bytes]:
    """Return the certificates by name; the texts state what the JSON states."""
    value = _value(facts)
    encoded = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    return {
        "certificate.json": encoded.encode(),
        "certificate.en.txt": _text(value, _EN).encode(),
        "certificate.zh.txt": _text(value, _ZH).encode(),
    }


def _value(facts: CertificateFacts) -> dict[str, Any]:
    export, order = facts.export, facts.export.order
    anchor = facts.anchor
    return {
        "schema": "holdfast.export-certificate/1",
        "export": export.name,
        "state": "partial" if facts.is_partial else "complete",
        "matter": order["matter"],
        "requester": order["requester"],
        "requester_id": export.actor,
        "approver": order["approver"],
        "scope_owner": order["owner"],
        "asked_at": _stamp(export.asked_ms),
        "query": order["query"],
        "canonical": order["canonical"],
        "analyser_version": order["analyser_version"],
        "index_generation": order["index_generation"],
        "zone": order["zone"],
        "is_masked": order["is_masked"],
        "counts": dict(facts.counts),
        "files": facts.files,
        "files_sha256": facts.files_sha256,
        "log": {
            "origin": facts.checkpoint.origin,
            "size": facts.checkpoint.size,
            "root": base64.b64encode(facts.checkpoint.root).decode(),
            "key": facts.vkey,
        },
        "timestamp": None
        if anchor is None
        else {
            "size": anchor.size,
            "stamped_at": None if anchor.stamped_ms is None else _stamp(anchor.stamped_ms),
            "note": "proofs/anchor.note",
            "token": "proofs/anchor.tsr",
            "command": STAMP_COMMAND,
        },
        "verify": VERIFY_COMMAND,
    }


def _stamp(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


_EN = {
    "title": "CERTIFICATE OF EXPORT",
    "export": "Export",
    "state": "State",
    "complete": "complete",
    "partial": "PARTIAL: see exceptions.csv",
    "matter": "Matter",
    "requester": "Requested by",
    "approver": "Approved by",
    "asked_at": "Requested at",
    "query": "Query as written",
    "canonical": "Query as understood",
    "analyser": "Text analysis, version",
    "index_generation": "Search index",
    "zone": "Dates of the query are in",
    "is_masked": "Numbers are masked",
    "yes": "yes",
    "no": "no",
    "counts": "Counts",
    "files": "Files listed in the manifest, without the certificates",
    "files_sha256": "SHA-256 of their list",
    "log": "Audit log",
    "size": "Entries at the export",
    "root": "Merkle root",
    "key": "Public key",
    "timestamp": "Time stamp (RFC 3161)",
    "none": "none",
    "verify": "To verify",
    "stamp": "To verify the time stamp",
    "hits": "records found",
    "exported": "records in this package",
    "gone": "no longer in the archive",
    "originals": "originals",
    "families": "messages with attachments",
    "attachments": "attachments",
    "duplicates": "records captured more than once",
    "held": "records on hold",
    "unindexed": "records not fully indexed",
    "unindexed_in_scope": "records in scope not fully indexed, found or not",
    "waiting_for_index": "records waiting to be indexed when the search was made",
    "defects": "records with defects",
    "errors": "missing, listed in exceptions.csv",
    "bytes": "bytes of originals",
}
_ZH = {
    "title": "导出证书",
    "export": "导出编号",
    "state": "状态",
    "complete": "完整",
    "partial": "不完整：见 exceptions.csv",
    "matter": "案件",
    "requester": "申请人",
    "approver": "批准人",
    "asked_at": "申请时间",
    "query": "查询原文",
    "canonical": "查询含义",
    "analyser": "文本分析版本",
    "index_generation": "搜索索引",
    "zone": "查询日期所用时区",
    "is_masked": "号码已脱敏",
    "yes": "是",
    "no": "否",
    "counts": "计数",
    "files": "清单所列文件数（不含证书）",
    "files_sha256": "文件清单的 SHA-256",
    "log": "审计日志",
    "size": "导出时的条目数",
    "root": "Merkle 根",
    "key": "公钥",
    "timestamp": "时间戳（RFC 3161）",
    "none": "无",
    "verify": "校验命令",
    "stamp": "校验时间戳的命令",
    "hits": "查询命中的记录",
    "exported": "本包中的记录",
    "gone": "已不在归档库中",
    "originals": "原件",
    "families": "带附件的邮件",
    "attachments": "附件",
    "duplicates": "多次采集的记录",
    "held": "处于保全中的记录",
    "unindexed": "未完整索引的记录",
    "unindexed_in_scope": "范围内未完整索引的记录（无论是否命中）",
    "waiting_for_index": "查询时尚待索引的记录",
    "defects": "有缺陷的记录",
    "errors": "缺失项，列于 exceptions.csv",
    "bytes": "原件字节数",
}


def _text(value: Mapping[str, Any], words: Mapping[str, str]) -> str:
    log, stamp = value["log"], value["timestamp"]
    counts = value["counts"]
    lines = [
        words["title"],
        "",
        *_facts(value, words, ("export",)),
        f"{words['state']}: {words[value['state']]}",
        *_facts(value, words, ("matter", "requester", "approver", "asked_at")),
        *_facts(value, words, ("query", "canonical")),
        f"{words['analyser']}: {value['analyser_version']}",
        *_facts(value, words, ("index_generation", "zone")),
        f"{words['is_masked']}: {words['yes' if value['is_masked'] else 'no']}",
        "",
        f"{words['counts']}:",
        *(f"  {words[name]}: {count}" for name, count in counts.items()),
        "",
        *_facts(value, words, ("files", "files_sha256")),
        "",
        f"{words['log']}: {log['origin']}",
        *_facts(log, words, ("size", "root", "key")),
        f"{words['timestamp']}: {stamp['stamped_at'] if stamp else words['none']}",
        "",
        f"{words['verify']}:\n  {value['verify']}",
        *([f"{words['stamp']}:\n  {stamp['command']}"] if stamp else []),
    ]
    return "\n".join(lines) + "\n"


def _facts(value: Mapping[str, Any], words: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    """Return a line for each fact; what a person wrote stays on its line."""
    return [f"{words[name]}: {_line(value[name]) or words['none']}" for name in names]


def _line(value: object) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in str(value))
