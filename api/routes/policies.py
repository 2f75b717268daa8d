"""`/policies`: how long things live; versioned, simulated, shortened by two persons only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from holdfast.api.asking import (
    everywhere,
    guarded,
    in_scope,
    record_in_scope,
    refuse_governed,
    understood,
)
from holdfast.api.deciding import decision_on
from holdfast.api.door import Archive, allowed, noting_absence, personally
from holdfast.api.idempotency import Call, Once, once
from holdfast.api.served import Served
from holdfast.api.shapes.common import Instant, Moment, Shape, from_ms, maybe_ms, person
from holdfast.api.simulations import CHARS, question, require_simulated, signed
from holdfast.api.trail import note
from holdfast.core.identity import public_id
from holdfast.core.rights import Action, Principal
from holdfast.core.rules import Rule
from holdfast.indexer.explain import leaf_text, to_text
from holdfast.retention.changes import Draft, approve, drafted, ending, propose, retire, withdraw
from holdfast.retention.decisions import Decision
from holdfast.retention.simulate import Sum, blockers, simulate
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.governance.policies import (
    Version,
    Wording,
    all_versions,
    rules_in_force,
    versions_of,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.retention.changes import Agree

router = APIRouter(tags=["retention"])
Viewer = Annotated[Principal, Depends(allowed(Action.GOVERN_VIEW))]
Governor = Annotated[Principal, Depends(allowed(Action.POLICY))]
Personally = Annotated[Principal, Depends(personally(Action.POLICY))]
Reader = Annotated[Principal, Depends(allowed(Action.READ))]
NAME = Field(min_length=1, max_length=200, examples=["mail, six years"])


class NewPolicy(Shape):
    """A policy, or the next version of one."""

    name: str = NAME
    kind: str = Field(pattern="^(floor|ceiling)$")
    days: int = Field(ge=1, le=36_500)
    query: str = Field("", max_length=100_000)
    """What it is about; empty: the whole archive."""
    citation: str = Field("", max_length=2000)
    note: str = Field("", max_length=10_000)


class ProposedPolicy(NewPolicy):
    """A policy to be kept."""

    simulation: str = Field("", max_length=CHARS)
    """`digest` of the simulation of this very policy, not an hour old; only what shortens needs
    it."""


class TriedPolicy(NewPolicy):
    """A policy to be tried."""

    at: Moment | None = None
    """As of this later instant; null: now, and only then there is a digest."""


class RetirementOrder(Shape):
    """The end of a policy."""

    note: str = Field("", max_length=10_000)
    simulation: str = Field("", max_length=CHARS)
    """`digest` of the simulation of this very end; only the end of a floor needs it."""


class PolicyShape(Shape):
    """One version of a policy."""

    id: str
    name: str
    version: int
    kind: str
    days: int
    query: str
    canonical: str
    citation: str
    note: str
    is_retired: bool
    shortens: bool
    proposed_by: str
    proposed_at: Instant
    approved_by: str | None
    approved_at: Instant | None
    in_force_at: Instant | None
    withdrawn_at: Instant | None


class SumShape(Shape):
    """Some interactions."""

    items: int
    bytes: int
    sample: list[str]


class SimulationShape(Shape):
    """What rules would do to the archive as it is; a draft, as far as its author sees it."""

    at: Instant
    matched: SumShape
    due: SumShape
    newly_due: SumShape
    spared: SumShape
    conflicts: SumShape
    blocked: dict[str, int]
    is_within_scope: bool
    """Counted is only what whoever asks may see; the rules are about more."""
    digest: str
    """To be sent with the change as `simulation`; empty where none was simulated."""
    guarded: list[str]
    """Words with digits that were not looked for where numbers are masked: there is more."""


class DecisionShape(Shape):
    """Why an interaction is kept or due."""

    id: str
    verdict: str
    clock: str
    clock_at: Instant | None
    retain_until: Instant | None
    kept_by: list[str]
    rules: list[str]


@router.get("/policies", operation_id="list_policies")
def get_policies(served: Archive, principal: Viewer) -> list[PolicyShape]:
    """List every version of every policy, with who proposed and approved it."""
    note(served, principal, "govern_read", {"what": "policies"})
    return [_policy(one) for one in all_versions(served.store)]


@router.get("/policies/{name}", operation_id="read_policy")
def get_policy(name: str, served: Archive, principal: Viewer) -> list[PolicyShape]:
    """Read the versions of one policy."""
    note(served, principal, "govern_read", {"what": "policy", "name": name})
    return [_policy(one) for one in versions_of(served.store, name)]


@router.post("/policies/simulate", operation_id="simulate_policy")
def post_simulate(new: TriedPolicy, served: Archive, principal: Governor) -> SimulationShape:
    """Say what a policy would do to the archive as it is; nothing is changed.

    The answer's `digest` is asked for where a change is proposed that shortens.
    """
    found = [one for one in all_versions(served.store) if one.rule.name == new.name.strip()]
    rule = drafted(found, _draft(served, new), served.store.ids.take())
    return _simulated(served, principal, _Tried(rule, new.query, new.at))


@router.post("/policies/{name}/retire/simulate", operation_id="simulate_retirement")
def post_simulate_retire(name: str, served: Archive, principal: Governor) -> SimulationShape:
    """Say what the end of a policy would do to the archive as it is; nothing is changed."""
    rule = ending(versions_of(served.store, name), served.store.now_ms())
    return _simulated(served, principal, _Tried(rule))


@router.get("/retention/simulation", operation_id="simulate_retention")
def get_simulation(served: Archive, principal: Viewer, at: Moment | None = None) -> SimulationShape:
    """Say what would be due now, or at a later instant, by the policies in force."""
    return _simulated(served, principal, _Tried(at=at))


@router.post("/policies", operation_id="propose_policy", status_code=201)
def post_policy(
    new: ProposedPolicy,
    request: Request,
    served: Archive,
    principal: Governor,
    *,
    once_key: Once = "",
) -> PolicyShape:
    """Propose a policy, or its next version: in force at once where it only lengthens.

    What shortens needs the digest of its simulation, and a person: see `approve_policy`.
    """

    def act() -> PolicyShape:
        draft = _draft(served, new)
        agree = _agreeing(served, principal, new.simulation, new.query)
        return _policy(propose(served.store_of(principal), draft, principal.person_id, agree))

    call = Call(served, principal, once_key, "POST /policies", new.model_dump(mode="json"))
    with noting_absence(request, principal):
        return once(call, PolicyShape, act)


@router.post("/policies/{name}/approve", operation_id="approve_policy")
def post_approve(name: str, served: Archive, principal: Personally) -> PolicyShape:
    """Approve, as a second person, a version that shortens; in force three days later."""
    return _policy(approve(served.store_of(principal), name, principal.person_id))


@router.post("/policies/{name}/withdraw", operation_id="withdraw_policy")
def post_withdraw(name: str, served: Archive, principal: Governor) -> PolicyShape:
    """Take back a version that is not in force yet."""
    return _policy(withdraw(served.store_of(principal), name))


@router.post("/policies/{name}/retire", operation_id="retire_policy")
def post_retire(
    name: str,
    request: Request,
    served: Archive,
    principal: Governor,
    *,
    order: RetirementOrder | None = None,
) -> PolicyShape:
    """End a policy: a ceiling at once, a floor when another person approved.

    The end of a floor needs the digest of its simulation, and a person: see `approve_policy`.
    """
    wanted = order or RetirementOrder(note="", simulation="")
    agree = _agreeing(served, principal, wanted.simulation)
    with noting_absence(request, principal):
        store = served.store_of(principal)
        return _policy(retire(store, name, principal.person_id, wanted.note, agree))


@router.get("/records/{record_id}/retention", operation_id="explain_retention")
def get_retention(
    record_id: str, served: Archive, principal: Reader, at: Moment | None = None
) -> DecisionShape:
    """Say how long a record is kept now, or as of an instant, and by which rules and holds."""
    record = record_in_scope(served, principal, record_id)
    note(served, principal, "read", {"how": "retention"}, [("msg", record.id)])
    if not principal.may_know_holds:
        refuse_governed(served, principal)
    return _decision(decision_on(served, record, _ms(at))[0])


def _draft(served: Served, new: NewPolicy) -> Draft:
    node = understood(served, new.query).node
    wording = Wording(new.query, to_text(node), new.note)
    return Draft(new.name, new.kind, new.days, node, wording, new.citation)


def _agreeing(served: Served, principal: Principal, digest: str, query: str = "") -> Agree:
    """Return what asks, before a change is written that shortens, for a person and a simulation."""

    def agree(connection: Connection, rule: Rule) -> None:
        principal.require_in_person()
        now_ms = served.store.now_ms()
        beside = rules_in_force(connection, now_ms)
        asked = question(principal.person_id, rule, query, beside)
        require_simulated(served.store.keyring, asked, digest, now_ms)

    return agree


@dataclass(frozen=True, slots=True)
class _Tried:
    """What is simulated."""

    rule: Rule | None = None
    """None: what is in force alone."""
    query: str = ""
    at: datetime | None = None


def _ms(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)


def _simulated(served: Served, principal: Principal, tried: _Tried) -> SimulationShape:
    store, rule = served.store_of(principal), tried.rule
    now_ms = _ms(tried.at) or store.now_ms()
    with reading(store.engine) as connection:
        rules = rules_in_force(connection, now_ms)
    asked_of = None
    if rule and tried.at is None:
        asked_of = question(principal.person_id, rule, tried.query, rules)
    safe = guarded(principal, rule.node) if rule else None
    asked = replace(rule, node=safe.node) if rule and safe else None
    # What is in force was agreed on; a query of one's own would answer anything about the rest.
    find = in_scope(served, principal) if rule else everywhere(served)
    found = simulate(store, find, rules, asked, now_ms)
    what = {
        "policy": rule.name if rule else "",
        "canonical": to_text(rule.node) if rule else "",
        "due": found.due.items,
    }
    note(served, principal, "policy_simulated", what)
    return SimulationShape(
        at=from_ms(found.at_ms),
        matched=_sum(found.matched),
        due=_sum(found.due),
        newly_due=_sum(found.newly_due),
        spared=_sum(found.spared),
        conflicts=_sum(found.conflicts),
        blocked=dict(found.blocked),
        is_within_scope=rule is not None and not principal.scope.is_whole,
        digest=signed(store.keyring, asked_of, now_ms) if asked_of else "",
        guarded=[leaf_text(one) for one in safe.guarded_leaves] if safe else [],
    )


def _sum(one: Sum) -> SumShape:
    sample = [public_id("msg", row) for row in one.sample]
    return SumShape(items=one.items, bytes=one.bytes, sample=sample)


def _policy(one: Version) -> PolicyShape:
    rule = one.rule
    return PolicyShape(
        id=public_id("pol", rule.policy_id),
        name=rule.name,
        version=rule.version,
        kind=rule.kind.value,
        days=rule.days,
        query=one.query,
        canonical=one.canonical,
        citation=rule.citation,
        note=one.note,
        is_retired=rule.is_retired,
        shortens=one.shortens,
        proposed_by=public_id("per", one.proposed_by),
        proposed_at=from_ms(one.proposed_ms),
        approved_by=person(one.approved_by),
        approved_at=maybe_ms(one.approved_ms),
        in_force_at=maybe_ms(one.in_force_ms),
        withdrawn_at=maybe_ms(one.withdrawn_ms),
    )


def _decision(one: Decision) -> DecisionShape:
    return DecisionShape(
        id=public_id("msg", one.interaction_id),
        verdict=one.verdict.value,
        clock=one.clock_source.value,
        clock_at=maybe_ms(one.clock_ms),
        retain_until=maybe_ms(one.retain_until_ms),
        kept_by=blockers(one),
        rules=[f"{public_id('pol', used.policy_id)}/{used.version}" for used in one.applied],
    )
