"""Requests made up from the service's own description: no fault here, nothing outside of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api_kit import PREFIX, Office
from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from holdfast.core.rights import Role
from holdfast.wiring.founding import create_archive

pytestmark = pytest.mark.unmeasured
EXAMPLES = 6
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
STREAMS = {"follow_job"}
"""Go on until a job has ended."""


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An archive of these tests alone: what is made up may change it."""
    from api_kit import office

    folder = tmp_path_factory.mktemp("busy")
    section = {"requests_per_minute": 0}
    archive = settings_in(folder, service=section)
    create_archive(archive)
    bring_in(archive, write_mbox(folder / "letters.mbox"))
    with office(archive) as opened:
        yield opened


def operations(house: Office) -> Iterator[Any]:
    schema = schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", house.client.app)
    for one in schema.get_all_operations():
        operation = one.ok()
        if operation.definition.raw["operationId"] not in STREAMS:
            yield operation


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_made_up_requests_are_answered_as_described(busy: Office, role: str) -> None:
    """With every role, so that each refusal is as described as each answer."""
    busy.hire(f"{role}-somebody", role)
    for operation in operations(busy):
        try_out(busy, operation, f"{role}-somebody", role)


def try_out(busy: Office, operation: Any, who: str, role: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {busy.keys[who]}"})
        if answer.status_code == 401:  # what was made up disabled the user, or revoked the key
            busy.hire(f"{who}-{len(busy.keys)}", role)
            busy.keys[who] = busy.keys[f"{who}-{len(busy.keys) - 1}"]
        case.validate_response(answer, checks=CHECKS)

    ask()
