"""Tables of queued work and of who may do it now; no statements."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, Text

from holdfast.storage.catalogue.columns import count, metadata, ms, own_id, words

jobs = Table(
    "jobs",
    metadata,
    own_id(),
    Column("kind", Text, nullable=False),
    words("payload"),
    Column("state", Text, nullable=False, server_default="ready"),
    count("attempts"),
    words("lease_owner"),
    ms("lease_until_ms", optional=True),
    ms("created_ms"),
    words("last_error"),
    Column("job_key", Text, nullable=True),
    words("actor"),
    count("due_ms"),
    count("retries"),
    ms("started_ms", optional=True),
    ms("ended_ms", optional=True),
    words("progress"),
    words("result"),
    CheckConstraint("state IN ('ready', 'done', 'dead')", name="state_is_known"),
    Index("ix_jobs_kind_state", "kind", "state", "lease_until_ms"),
    Index("ix_jobs_state_due", "state", "due_ms"),
    Index("ix_jobs_kind_job_key", "kind", "job_key", unique=True),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    words("owner"),
    ms("until_ms"),
)

# No reference: what was disposed of is queued too, for the index to forget it.
