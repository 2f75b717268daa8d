"""The S3 server that the tests of this folder share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

import server_s3


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server_s3.S3Server]:
    """Run one server for this process; without it, the tests that need it are not run."""
    try:
        with server_s3.running(tmp_path_factory.mktemp("s3")) as server:
            yield server
    except server_s3.Missing as missing:
        if os.environ.get("HOLDFAST_REQUIRE") == "all":
            pytest.fail(f"needed here: {missing}")
        pytest.skip(f"not run ({missing})")
