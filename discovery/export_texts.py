"""The README of every package, in English and Chinese; must not hold anything of an archive."""

from __future__ import annotations

_EN = """\
Export from a Holdfast archive
==============================

  originals/         the messages exactly as they were received, one file each
  attachments/       attachments as files of their own, where they were asked for
  texts/             texts instead of originals: in a masked export (numbers hidden), or
                     where an original may name recipients who were hidden
  index.csv          one row for each record, for spreadsheets (UTF-8)
  index.jsonl        the same and more, with exact values, for programs
  exceptions.csv     what is missing, was not fully indexed, or had defects
  query.json         what was asked, of which archive state, and the counts
  custody.jsonl      the entries of the archive's audit log about these records
  proofs/            a signed checkpoint of that log, and a proof for each entry
  certificate.*      the certificate of this export
  log.pub            the archive's public key
  manifest.sha256    SHA-256 of every file
  signature          the archive's signature of the manifest
  verify.py          checks all of this; needs Python 3.9 or newer and the package 'cryptography'

To check the package:

  python3 verify.py PACKAGE.zip --key log.pub

Take verify.py and the key from the archive's owner by another way than this package: whoever
could forge a package could put another program and another key into it. 'sha256sum -c
manifest.sha256' checks the files alone.

In CSV a cell that could be taken for a formula begins with an apostrophe; take away the first
apostrophe of a cell that begins with one, and you have the value. Control characters are shown as
their pictures (U+2400 ff.). index.jsonl has the exact values.
"""
_ZH = """\
Holdfast 归档库的导出包
======================

  originals/         邮件原件，与收到时逐字节相同，每封一个文件
  attachments/       单独导出的附件（若有要求）
  texts/             代替原件的文本：脱敏导出时（号码已隐藏），或原件可能透露被隐藏的收件人时
  index.csv          每条记录一行，供电子表格使用（UTF-8）
  index.jsonl        内容相同且更全，为精确值，供程序使用
  exceptions.csv     缺失、未完整索引或有缺陷的条目
  query.json         查询条件、归档库当时的状态和各项计数
  custody.jsonl      审计日志中与这些记录有关的条目（保管链）
  proofs/            审计日志的已签名检查点，以及每个条目的证明
  certificate.*      本次导出的证书
  log.pub            归档库的公钥
  manifest.sha256    每个文件的 SHA-256
  signature          归档库对清单的签名
  verify.py          校验以上全部内容；需要 Python 3.9 以上和 cryptography 软件包

校验方法：

  python3 verify.py PACKAGE.zip --key log.pub

请从归档库所有者处经其他途径取得 verify.py 和公钥：
能伪造导出包的人，也能在其中放入另一个程序和另一把公钥。
'sha256sum -c manifest.sha256' 可单独校验文件。

CSV 中可能被当作公式的单元格以单引号开头；去掉开头的一个单引号即为原值。
控制字符以其图形符号（U+2400 起）表示。
精确值见 index.jsonl。
"""
README = {"README.txt": _EN + "\n\n" + _ZH}
"""Name → content."""
