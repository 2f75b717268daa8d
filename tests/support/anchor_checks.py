"""What must be said of a rewritten history; the same checks must find out what does not look."""

from __future__ import annotations

from anchor_kit import LATER_SECRET, anchored, happens, rewrite, said
from holdfast.settings import Settings
from holdfast.storage.s3.bucket import Bucket
from holdfast.storage.s3.config import BucketConfig

ALTERED = "are not those it was made over"


def altered_part_is_named(witnessed: Settings) -> None:
    """F44: of two remembered checkpoints the later one is contradicted, and says since when.

    Raises:
        AssertionError: Nothing is said, or another part of the log is named.
    """
    happens(witnessed, "read")
    assert anchored(witnessed)[0].size == 6
    happens(witnessed, LATER_SECRET)
    anchored(witnessed)
    rewrite(witnessed, keeps_anchors=True, hidden=LATER_SECRET)
    found = said(witnessed)
    assert found, "nobody says that it was rewritten"
    cause = found[0].cause
    assert "witness, line 2" in found[0].name, f"another line says so: {found[0].name}"
    assert "the first altered one is from seq 6 to 7" in cause, f"another part is named: {cause}"


def hidden_copy_still_tells(
    locked: Settings, bucket: BucketConfig, *, is_written_over: bool
) -> None:
    """F44: whoever may use the bucket hides its copies behind others; those below still count.

    Args:
        locked: An archive whose checkpoints are locked in the bucket, and nowhere else.
        bucket: The bucket.
        is_written_over: By something that is no checkpoint; else only marked as deleted.

    Raises:
        AssertionError: Nobody says that the history was rewritten.
    """
    anchored(locked)
    happens(locked, "read")
    rewrite(locked, keeps_anchors=False)
    client = Bucket(bucket)
    (one,) = list(client.versions(bucket.key("anchors", "")))
    client.delete(one.key)
    if is_written_over:
        client.calls.put_object(Bucket=bucket.bucket, Key=one.key, Body=b"another")
    causes = [one.cause for one in said(locked)]
    assert any(ALTERED in one for one in causes), f"nobody says that it was rewritten: {causes}"
