"""Companies by registered domain, and which domains are the organisation's own.

It must not ask the network: the public suffix list is the snapshot that tldextract carries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import idna
from sqlalchemy import select, update

from holdfast.core.errors import Refused
from holdfast.core.kinds import Role
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.chunks import by_value, insert_missing
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.locks import lock_kind
from holdfast.storage.catalogue.schema import companies, internal_domains

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import Connection
    from tldextract import TLDExtract

    from holdfast.core.identity import IdFactory
    from holdfast.storage.store import Store

_FREE_MAIL = (
    "gmail.com googlemail.com outlook.com hotmail.com live.com msn.com passport.com outlook.de"
    " hotmail.co.uk hotmail.fr hotmail.de hotmail.it hotmail.es live.co.uk live.fr live.de live.nl"
    " live.it yahoo.com ymail.com rocketmail.com myyahoo.com yahoo.co.uk yahoo.co.jp yahoo.co.in"
    " yahoo.com.br yahoo.com.cn yahoo.com.hk yahoo.com.tw yahoo.cn yahoo.de yahoo.fr yahoo.es"
    " yahoo.it yahoo.ca aol.com aim.com icloud.com me.com mac.com proton.me protonmail.com"
    " protonmail.ch pm.me tutanota.com tutanota.de tuta.io gmx.com gmx.de gmx.net gmx.at gmx.ch"
    " web.de t-online.de freenet.de arcor.de posteo.de mailbox.org online.de 1und1.de"
    " mail.com email.com usa.com zoho.com zohomail.com fastmail.com fastmail.fm hushmail.com"
    " inbox.com lycos.com excite.com juno.com netzero.net comcast.net verizon.net att.net"
    " sbcglobal.net bellsouth.net cox.net charter.net earthlink.net mindspring.com"
    " mail.ru inbox.ru list.ru bk.ru yandex.ru yandex.com ya.ru rambler.ru ukr.net i.ua"
    " qq.com foxmail.com 163.com 126.com yeah.net 188.com sina.com sina.cn sina.com.cn"
    " sohu.com tom.com 21cn.com 139.com 189.cn wo.cn 263.net aliyun.com wo.com.cn"
    " naver.com daum.net hanmail.net nate.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp nifty.com"
    " orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it virgilio.it alice.it tiscali.it"
    " tin.it btinternet.com virginmedia.com ntlworld.com talktalk.net sky.com blueyonder.co.uk"
    " wp.pl o2.pl onet.pl interia.pl seznam.cz centrum.cz uol.com.br bol.com.br terra.com.br"
    " rediffmail.com sympatico.ca rogers.com shaw.ca bigpond.com optusnet.com.au xtra.co.nz"
    " telia.com bluewin.ch planet.nl xs4all.nl ziggo.nl skynet.be telenet.be"
)
FREE_MAIL = frozenset(_FREE_MAIL.split())
"""Registered domains whose addresses belong to private people: they name no company."""

DOMAINS_CACHED = 200_000
INTERNAL = "internal domains"
"""Held by who makes companies, so that nobody changes meanwhile which domains are internal."""


@dataclass(slots=True)
class DomainNames:
    """Finds registered domains (https://publicsuffix.org) and remembers them."""

    capacity: int = DOMAINS_CACHED
    _extract: TLDExtract | None = field(default=None, init=False)
    _found: dict[str, str] = field(default_factory=dict, init=False)

    def company(self, domain: str) -> str:
        """Return the registered domain in ASCII; empty for free mail, addresses and local names."""
        found = self._found.get(domain)
        if found is None:
            if len(self._found) >= self.capacity:
                self._found.clear()
            registered = self._registered(ascii_domain(domain))
            found = "" if registered in FREE_MAIL else registered
            self._found[domain] = found
        return found

    def _registered(self, name: str) -> str:
        if self._extract is None:
            # Here, for it loads an HTTP client that most commands never need.
            from tldextract import TLDExtract

            self._extract = TLDExtract(suffix_list_urls=(), cache_dir=None)
        return self._extract(name).top_domain_under_public_suffix


def ascii_domain(domain: str) -> str:
    """Return the domain in lower case with A-labels (RFC 5891); empty when it has none."""
    name = domain.strip().strip(".").lower()
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        return ""


def ensure_companies(
    connection: Connection, domains: Iterable[str], ids: IdFactory
) -> dict[str, int]:
    """Return the company of each registered domain, made where there is none yet."""
    wanted = sorted({domain for domain in domains if domain})
    found = _company_ids(connection, wanted)
    missing = [domain for domain in wanted if domain not in found]
    if missing:
        lock_kind(connection, INTERNAL, is_shared=True)
        own = internal_in(connection)
        rows = [
            {"id": ids.take(), "domain": domain, "is_internal": is_within(domain, own)}
            for domain in missing
        ]
        insert_missing(connection, companies, rows, "domain")
        found |= _company_ids(connection, missing)
    return found


def _company_ids(connection: Connection, domains: Iterable[str]) -> dict[str, int]:
    query = select(companies.c.domain, companies.c.id)
    return {row.domain: row.id for row in by_value(connection, query, companies.c.domain, domains)}


def is_within(domain: str, domains: Collection[str]) -> bool:
    """Tell whether the domain is one of the domains or below one of them."""
    while domain:
        if domain in domains:
            return True
        _, _, domain = domain.partition(".")
    return False


def internal_in(connection: Connection) -> frozenset[str]:
    """Return the internal domains, in the caller's transaction."""
    return frozenset(connection.scalars(select(internal_domains.c.domain)))


def internal(store: Store) -> frozenset[str]:
    """Return the internal domains: ASCII, lower case."""
    with reading(store.engine) as connection:
        return internal_in(connection)


def add_internal(store: Store, domain: str) -> None:
    """Declare the domain, and all below it, the organisation's own; idempotent, audited.

    Raises:
        Refused: The text is not a domain name.
    """
    name = _domain_name(domain)
    now_ms = store.now_ms()

    def add(connection: Connection) -> None:
        lock_kind(connection, INTERNAL, is_shared=False)
        if name not in internal_in(connection):
            row = {"domain": name, "added_ms": now_ms}
            insert_missing(connection, internal_domains, [row], "domain")
            _record_change(connection, store, "internal_domain_added", name, now_ms)
        _mark_companies(connection)

    transact(store.engine, add)


def remove_internal(store: Store, domain: str) -> None:
    """Declare the domain not the organisation's own any more; idempotent, audited.

    Raises:
        Refused: The text is not a domain name.
    """
    name = _domain_name(domain)

    def remove(connection: Connection) -> None:
        lock_kind(connection, INTERNAL, is_shared=False)
        removed = connection.execute(
            internal_domains.delete().where(internal_domains.c.domain == name)
        )
        if removed.rowcount:
            _record_change(connection, store, "internal_domain_removed", name, store.now_ms())
        _mark_companies(connection)

    transact(store.engine, remove)


def _domain_name(text: str) -> str:
    name = ascii_domain(text.strip().removeprefix("@"))
    if not name or not all(_is_label(label) for label in name.split(".")):
        raise Refused(f"{text!r} is not a domain name.", next_step="Give it as in example.com.")
    return name


def _is_label(label: str) -> bool:
    # RFC 1123 section 2.1; underscores are met in the wild.
    return (
        0 < len(label) <= 63
        and label.replace("-", "").replace("_", "").isalnum()
        and label[0] != "-"
        and label[-1] != "-"
    )


def _mark_companies(connection: Connection) -> None:
    own = internal_in(connection)
    rows = connection.execute(select(companies.c.id, companies.c.domain, companies.c.is_internal))
    wrong = [row.id for row in rows if row.is_internal != is_within(row.domain, own)]
    for company_id in wrong:
        connection.execute(
            update(companies)
            .where(companies.c.id == company_id)
            .values(is_internal=~companies.c.is_internal)
        )


def _record_change(
    connection: Connection, store: Store, kind: str, domain: str, now_ms: int
) -> None:
    event = Event(
        kind=kind,
        subject="",
        subject_id=None,
        at_ms=now_ms,
        actor=store.actor,
        context=canonical_digest(domain),
    )
    record_events(connection, [event], store.ids)


class HasAddress(Protocol):
    """A participant as a row, with the side of the identity."""

    @property
    def role(self) -> Role: ...
    @property
    def address(self) -> str: ...
    @property
    def side(self) -> str | None: ...


_SENDERS = (Role.FROM.value, Role.SENDER.value)
_RECIPIENTS = frozenset((Role.TO, Role.CC, Role.BCC, Role.DELIVERED_TO, Role.RECIPIENT))


def direction(participants: Sequence[HasAddress], own: Collection[str]) -> str:
    """Return `in`, `out`, `internal` or `unknown`, by the internal domains and the chat systems.

    A sender from outside makes `in`: the archive holds what its own mailboxes received. From inside
    it is `internal` only when every recipient is inside, and `unknown` when none is named.
    """
    senders = (p for role in _SENDERS for p in participants if p.role == role)
    sender = next((at for p in senders if (at := _is_inside(p, own)) is not None), None)
    if sender is None:
        return "unknown"
    if not sender:
        return "in"
    recipients = [_is_inside(p, own) for p in participants if p.role in _RECIPIENTS]
    known = [at for at in recipients if at is not None]
    if not known:
        return "unknown"
    return "internal" if all(known) else "out"


STAFF = "staff"
INSIDE = (STAFF, "bot")
"""Sides, as chat systems tell them, of whoever is not outside."""
_SIDES = {**dict.fromkeys(INSIDE, True), "outside": False}


def _is_inside(person: HasAddress, own: Collection[str]) -> bool | None:
    """Tell whether somebody is one of ours; None where nothing tells."""
    domain = domain_of(person.address) if own else ""
    if domain:
        return is_within(domain, own)
    return _SIDES.get(person.side or "") if "@" not in person.address else None


def domain_of(address: str) -> str:
    """Return the ASCII domain of an address; empty when there is none."""
    _, at, domain = address.rpartition("@")
    return ascii_domain(domain) if at else ""
