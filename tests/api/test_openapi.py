"""Requests made up from the service's own description: no fault here, nothing outside of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans, sampled_from
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api_kit import PREFIX, Office, office
from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from holdfast.core.rights import Role
from holdfast.wiring.founding import create_archive

pytestmark = pytest.mark.unmeasured
EXAMPLES = 10 if os.environ.get("HOLDFAST_PROOF") else 4
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
        operation: Any = one.ok() if hasattr(one, "ok") else None
        if operation.definition.raw["operationId"] not in STREAMS:
            yield operation


def test_made_up_requests_are_answered_as_described(busy: Office) -> None:
    """With every role, so that each refusal is as described as each answer."""
    for role in Role:
        busy.hire(f"some-{role.value}", role.value)
    real = known_names(busy)
    for operation in operations(busy):
        try_out(busy, operation, real)


def known_names(busy: Office) -> dict[str, str]:
    """Real values of parameters of paths: made-up ones name nothing."""
    record = busy.search("some-legal", "lighthouse")["hits"][0]["record"]
    return {
        "record_id": record["id"],
        "thread_id": record["thread_id"],
        "contact_id": record["participants"][0]["contact_id"],
        "domain": "berg.example",
        "login": "some-guest",
    }


def try_out(busy: Office, operation: Any, real: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), role=sampled_from(list(Role)), is_real=booleans())
    def ask(case: schemathesis.Case[Any], role: Role, is_real: bool) -> None:  # noqa: FBT001
        if is_real:
            known = {k: v for k, v in real.items() if k in case.path_parameters}
            case.path_parameters.update(known)
        answer = case.call(headers={"Authorization": f"Bearer {busy.keys[f'some-{role.value}']}"})
        if answer.status_code == 401:  # what was made up disabled the user, or revoked the key
            name = f"some-{role.value}-{len(busy.keys)}"
            busy.keys[f"some-{role.value}"] = busy.hire(name, role.value)
        case.validate_response(answer, checks=CHECKS)

    ask()
