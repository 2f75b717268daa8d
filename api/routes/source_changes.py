"""`/sources`: add, change, try and remove them; what names files or programs is added on the host.

A server in the host's own network, a proxy, an authority's file, a watched folder and a bridge
reach what only whoever works on the host may reach: `holdfast source add` takes them.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Response

from holdfast.api.door import Archive, allowed
from holdfast.api.idempotency import Call, Once, once
from holdfast.api.problems import ReaderLanguage
from holdfast.api.served import Served
from holdfast.api.shapes.sources import (
    DryRunShape,
    FieldShape,
    MailboxSource,
    NewSource,
    SourceChange,
    SourceDetail,
    SourceShape,
    StepShape,
    TrialShape,
    detail_shape,
    source_shape,
)
from holdfast.api.versions import IfMatch, agreed, tag_of
from holdfast.core.error_texts import translated
from holdfast.core.errors import Refused
from holdfast.core.rights import Action, Principal
from holdfast.ingest.imap.account import KIND as MAILBOX
from holdfast.ingest.imap.signing.oauth import Said
from holdfast.ingest.imap.trial import ADDRESS_STEP, SAMPLE_STEP, Step
from holdfast.ingest.source_adding import (
    Mailbox,
    Named,
    Secrets,
    account_for,
    new_hook,
    new_mailbox,
    secret_for,
)
from holdfast.ingest.source_changing import Changes, change_source
from holdfast.ingest.source_kinds import source_of
from holdfast.ingest.sources.health import health_of
from holdfast.ingest.webhooks.dry_run import dry_run, settings_to_try
from holdfast.ingest.webhooks.settings import KIND as HOOK
from holdfast.storage.audit import canonical_digest
from holdfast.storage.catalogue.accounts import (
    KeptAccount,
    NewAccount,
    StoredSecret,
    add_account,
    find_account,
    remove_account,
)
from holdfast.storage.catalogue.source_schedule import hasten, refuse_paused

router = APIRouter(tags=["sources"])
Operator = Annotated[Principal, Depends(allowed(Action.SOURCES))]


@router.post("/sources", operation_id="add_source", status_code=201)
def post_source(
    new: NewSource, served: Archive, principal: Operator, *, once_key: Once = ""
) -> SourceDetail:
    """Add a mailbox or a webhook; nothing is taken before a worker runs it.

    Its secret is kept encrypted under the archive's keys, and is in no answer.
    """

    def act() -> SourceDetail:
        made, secret = _made(new)
        add_account(served.store_of(principal), made, secret)
        return _detail(served, find_account(served.store, new.name))

    # Without secrets: a digest of them that is kept could be guessed at.
    said = new.model_dump(mode="json", exclude={"secret", "client_secret"})
    return once(Call(served, principal, once_key, "POST /sources", said), SourceDetail, act)


def _made(new: NewSource) -> tuple[NewAccount, bytes]:
    named = Named(new.name, new.custodian, new.is_paused)
    if new.webhook is not None and new.mailbox is None:
        hook = new.webhook
        settings = "" if hook.settings is None else _as_json(hook.settings).decode()
        return new_hook(named, hook.vendor, settings, new.secret)
    if new.mailbox is None or new.webhook is not None:
        raise Refused("A source is one thing.", next_step="Send either mailbox or webhook.")
    account = account_for(_said(new.mailbox))
    secrets = Secrets(new.secret, new.client_secret)
    return new_mailbox(named, account, new.mailbox.preset), secret_for(account, secrets)


def _as_json(value: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError as error:  # half of a pair of surrogates: JSON can say it
        raise Refused("It holds what is no text.", next_step="Send whole characters.") from error


def _said(asked: MailboxSource) -> Mailbox:
    tokens = asked.tokens
    return Mailbox(
        host=asked.host,
        user=asked.user,
        port=asked.port,
        tls=asked.tls,
        preset=asked.preset,
        folders=tuple(asked.folders),
        excludes=tuple(asked.excludes),
        has_exact_sizes=asked.has_exact_sizes,
        is_journal=asked.is_journal,
        tokens=None if tokens is None else Said(**tokens.model_dump()),
        connections=asked.connections,
        compress=asked.compress,
    )


@router.get("/sources/{name}", operation_id="read_source")
def get_source(name: str, served: Archive, principal: Operator, response: Response) -> SourceDetail:
    """Read a source: how it is reached, what it takes, how it fares; its ETag is for changes."""
    kept = find_account(served.store, name)
    response.headers["ETag"] = tag_of(_version(kept))
    return _detail(served, kept)


@router.patch("/sources/{name}", operation_id="change_source")
def patch_source(
    name: str,
    change: SourceChange,
    served: Archive,
    principal: Operator,
    *,
    if_match: IfMatch = "",
) -> SourceDetail:
    """Change when a source runs and what it takes; where a rule is lifted, the next run takes it.

    How a mailbox is reached never changes: remove the source and add it again by its name.
    """
    kept = find_account(served.store, name)
    agreed(if_match, _version(kept))
    said: dict[str, Any] = {
        field: tuple(value) if isinstance(value, list) else value
        for field, value in change.model_dump().items()
    }
    change_source(served.store_of(principal), kept, Changes(**said))
    return _detail(served, find_account(served.store, name))


@router.delete("/sources/{name}", operation_id="remove_source", status_code=204)
def delete_source(name: str, served: Archive, principal: Operator) -> None:
    """Stop pulling a source and destroy its secret; everything that it gave stays."""
    remove_account(served.store_of(principal), name)


@router.post("/sources/{name}/sync", operation_id="sync_source", status_code=202)
def post_sync(name: str, served: Archive, principal: Operator) -> SourceShape:
    """Let a worker run the source now; read in its runs what came of it."""
    kept = find_account(served.store, name)
    if not source_of(kept.kind).is_pulled:
        raise Refused("What it has comes by itself.", next_step="Send or drop something.")
    refuse_paused(kept.paused_ms, kept.name)
    hasten(served.store_of(principal), kept.source_id)
    return source_shape(health_of(served.store, kept))


@router.post("/sources/{name}/test", operation_id="test_source")
def post_test(
    name: str, served: Archive, principal: Operator, language: ReaderLanguage
) -> TrialShape:
    """Walk the way to a mailbox or webhook: name, encryption, sign-in, folders; takes nothing."""
    kept = find_account(served.store, name)
    if kept.kind not in {MAILBOX, HOOK}:
        raise Refused(
            "The way to it lies on the host.", next_step=f"Run there: holdfast source test {name}"
        )
    stored = StoredSecret(served.store, kept.source_id)
    steps = list(source_of(kept.kind).trial(kept.settings, stored))
    return TrialShape(is_ok=steps[-1].error is None, steps=[_step(one, language) for one in steps])


def _step(one: Step, language: str) -> StepShape:
    error = one.error
    if error is not None and one.name == ADDRESS_STEP:  # else it would tell of the host's network
        error = Refused(
            "The name cannot be resolved, or lies in a network of the host.",
            next_step="Check the name; on the host 'holdfast source test' says more.",
        )
    return StepShape(
        step=one.name,
        is_ok=error is None,
        found="" if one.name == SAMPLE_STEP else one.found,  # whoever runs sources reads no mail
        cause=translated(error.cause, language) if error else "",
        next_step=translated(error.next_step, language) if error else "",
    )


@router.post("/sources/{name}/dry-run", operation_id="dry_run_source")
def post_dry_run(
    name: str, sample: dict[str, Any], served: Archive, principal: Operator
) -> DryRunShape:
    """Show what a webhook's field map would make of the body, a sample; nothing is kept."""
    settings = settings_to_try(find_account(served.store, name))
    found = dry_run(settings, _as_json(sample), name)
    fields = [
        FieldShape(
            name=one.name,
            paths=list(one.paths),
            is_mapped=one.is_mapped,
            is_missed=one.is_missed,
            count=one.count,
            found=list(one.found),
        )
        for one in found.fields
    ]
    defects = sorted({one.code for one in found.record.defects}) if found.record else []
    return DryRunShape(fields=fields, problem=found.problem, defects=defects)


def _detail(served: Served, kept: KeptAccount) -> SourceDetail:
    return detail_shape(health_of(served.store, kept), change_source(served.store, kept, Changes()))


def _version(kept: KeptAccount) -> int:
    """Return a number that is another one when the settings are."""
    return int.from_bytes(canonical_digest([kept.settings, kept.plan, kept.custodian])[:7], "big")
