"""Failures of the audit log, its proofs and anchors, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "No authority is set.": "没有设置时间戳机构。",
    "Set anchors.tsa_url and tsa_ca_file.": "请设置 anchors.tsa_url 和 tsa_ca_file。",
    "No witness file is set.": "没有设置见证文件。",
    "Set anchors.witness_file.": "请设置 anchors.witness_file。",
    "No bucket is set.": "没有设置存储桶。",
    "Set anchors.lock.": "请设置 anchors.lock。",
    "Keep everything as it is, and run 'holdfast verify': it names the first altered entry.": (
        "请保持一切原样，并运行“holdfast verify”：它会指出第一条被改动的记录。"
    ),
    "It is no checkpoint.": "它不是检查点。",
    "Check that its bucket has Object Lock, and what the key may do there.": (
        "请检查其存储桶是否启用 Object Lock，以及该密钥在其中的权限。"
    ),
    "The object store does not hold the checkpoint under lock.": (
        "对象存储没有以锁定方式保存该检查点。"
    ),
    "Check its path, owner and mode.": "请检查其路径、所有者和权限。",
    "The file of anchors.tsa_ca_file cannot be read: {}.": (
        "无法读取 anchors.tsa_ca_file 指定的文件：{0}。"
    ),
    "Add the authority's certificate to that file; never remove older ones.": (
        "请将该机构的证书加入该文件；切勿移除旧的证书。"
    ),
    "Its certificate {} is not in the file of anchors.tsa_ca_file.": (
        "其证书 {0:word} 不在 anchors.tsa_ca_file 指定的文件中。"
    ),
    "The file of anchors.tsa_ca_file holds no certificates in PEM.": (
        "anchors.tsa_ca_file 指定的文件中没有 PEM 格式的证书。"
    ),
    "Put the authority's root and its own certificate there.": (
        "请将该机构的根证书和其自身证书放入其中。"
    ),
    "The file of anchors.tsa_ca_file holds no {}.": (
        "anchors.tsa_ca_file 指定的文件中没有{0:word}。"
    ),
    "It is longer than {} bytes, and no token.": "它超过 {0} 字节，不是时间戳令牌。",
    "It is no good token: {}.": "它不是有效的时间戳令牌：{0}。",
    "It is a refusal (status {}): {}.": "这是拒绝应答（状态 {0}）：{1:word}。",
    "Another process writes the witness file.": "另一进程正在写入见证文件。",
    "The witness file {} holds no line of ours.": "见证文件 {0} 中没有我们写入的行。",
    "{} of the witness file {} is damaged.": "见证文件 {1} 的{0:word}已损坏。",
    "Mount its disk, or correct anchors.witness_file.": (
        "请挂载其磁盘，或更正 anchors.witness_file。"
    ),
    "The witness file {} is not there.": "见证文件 {0} 不存在。",
    "The audit log's numbers have a gap after {}.": "审计日志的编号在 {0} 之后有缺口。",
    "Run 'holdfast verify' and restore the catalogue from its newest backup.": (
        "请运行“holdfast verify”，并从最新的备份中恢复目录。"
    ),
    (
        "The audit log holds {} leaves, the catalogue only {}: an older catalogue was put back or "
        "rows were deleted."
    ): ("审计日志有 {0} 条，目录中只有 {1} 条：可能放回了旧目录，或有行被删除。"),
    "A leaf holds flat text and integers only.": "日志条目只能包含单层的文本和整数。",
    "A number in a leaf is too large for JSON.": "日志条目中的数字对 JSON 来说过大。",
    "A leaf's text is not Unicode.": "日志条目的文本不是 Unicode。",
    "A leaf is longer than 65,535 bytes.": "日志条目超过 65,535 字节。",
    "The proof is malformed.": "证明的格式有误。",
    "A hash of the proof has the wrong length.": "证明中的哈希长度有误。",
    "The entry is not in the signed log.": "该条目不在已签名的日志中。",
    "The log's origin may hold no space and no plus sign.": "日志的 origin 不能含有空格或加号。",
    "The checkpoint's signature is false.": "检查点的签名是伪造的。",
    "The checkpoint is not signed by the log's key.": "检查点不是由该日志的密钥签名的。",
    "Malformed base64.": "base64 格式有误。",
    "Base64 that is not canonical.": "base64 不是规范形式。",
    "The checkpoint is not UTF-8.": "检查点不是 UTF-8。",
    "The checkpoint is no signed note.": "检查点不是签名文件。",
    "The checkpoint has a malformed signature line.": "检查点的签名行格式有误。",
    "The checkpoint is malformed or belongs to another log.": "检查点格式有误，或属于另一日志。",
    "The checkpoint's root has the wrong length.": "检查点的根长度有误。",
    "A tile of the audit log is damaged.": "审计日志的一个日志块已损坏。",
    "Keep the folder as it is, and restore the log from a backup or from its anchor.": (
        "请将文件夹保持原样，并从备份或锚点恢复日志。"
    ),
    "The audit log's tiles do not have the root that was signed.": (
        "审计日志的日志块与已签名的根不符。"
    ),
    "The audit log gives no proof.": "审计日志没有给出证明。",
    "Entry {} of the audit log is not what the catalogue says.": (
        "审计日志第 {0} 条与目录所述不符。"
    ),
    "The log is not that long.": "日志没有那么长。",
    "The audit log was cut from {} to {} entries.": "审计日志从 {0} 条被截短到 {1} 条。",
    "The first {} entries of the audit log were rewritten.": "审计日志的前 {0} 条被改写。",
    "The log has no such entry.": "日志没有这样的条目。",
    "The audit log's checkpoint is missing.": "审计日志的检查点缺失。",
}
