"""A long original passes through a process whose memory hardly grows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.storage.s3.config import BucketConfig
from server_s3 import S3Server

MIB = 1024 * 1024
LONG_MIB = 200 if os.environ.get("HOLDFAST_PROOF") else 64
ALLOWED_MIB = 40
"""Two parts on their way, one being filled, and a window being read."""

PROGRAM = """
import mmap, os, re, sys
from pathlib import Path
from holdfast.storage.frames import prepare
from holdfast.storage.s3.bucket import Bucket
from holdfast.storage.s3.config import BucketConfig
from holdfast.storage.s3.upload import put_new
from s3_kit import bucket_vault, letters
endpoint, name, access, file, act = sys.argv[1:]
config = BucketConfig(name, "memory", endpoint, "us-east-1", access, os.environ["SECRET"])
vault = bucket_vault(config)
vault.append(letters(b"warm"))
with open(file, "rb") as raw, mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
    prepared = prepare(mapped, spool=Path(file).parent)

def status(field):
    return int(re.search(field + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
before = status("VmRSS")
if act == "vault":
    (place,) = vault.append([prepared])
    pieces = vault.read(place, prepared.content_id, prepared.key)
    assert sum(map(len, pieces)) == prepared.size_bytes
else:
    put_new(Bucket(config), "whole", prepared.frames.read_bytes())
print(status("VmHWM") - before)
"""


def grown_mib(bucket: BucketConfig, file: Path, act: str) -> float:
    paths = os.pathsep.join(path for path in sys.path if path)
    arguments = [bucket.endpoint, bucket.bucket, bucket.access_key, str(file), act]
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": paths, "SECRET": bucket.secret_key},
    )
    return float(ran.stdout)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads Linux's own figures")
def test_memory_stays_bounded_and_the_control_that_takes_it_whole_is_caught(
    s3_server: S3Server, tmp_path: Path
) -> None:
    bucket = s3_server.new_bucket()
    file = tmp_path / "long"
    with file.open("wb") as raw:
        for _ in range(LONG_MIB):
            raw.write(os.urandom(MIB))
    assert grown_mib(bucket, file, "vault") < ALLOWED_MIB
    assert grown_mib(bucket, file, "whole") > ALLOWED_MIB
