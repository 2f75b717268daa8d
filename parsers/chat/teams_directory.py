"""Reads what lies beside the messages of a Teams export: users, teams, channels, members, meetings.

The PowerShell tool's lists have names of their own (`GroupsId`, `UserName`); Graph's objects have
Graph's. Both are read.
"""

from __future__ import annotations

from holdfast.core.chats import Conversation, chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Defect, Participant
from holdfast.parsers.chat.building import Said
from holdfast.parsers.chat.people import known_person
from holdfast.parsers.chat.teams_events import SCHEME
from holdfast.parsers.chat.values import (
    Context,
    Json,
    any_case,
    distinct,
    from_iso,
    items,
    json_of,
    lines,
    mapping,
    text,
)
from holdfast.parsers.html_text import html_to_text


def read_user(raw: bytes, context: Context) -> Said:
    """Return a user as a profile: the mail address and the sign-in name lead to one person."""
    user = mapping(any_case(json_of(raw)))
    key, name = user_id(user), user_name(user)
    if not key:
        raise ValueError("a user without an id")
    side = side_of(user)
    people = [Participant(Role.SELF, name, chat_address(SCHEME, key), side)]
    mails = (user.get("mail"), user.get("email"), user.get("userPrincipalName"))
    for mail in distinct(text(one) for one in (*mails, user.get("userName"))):
        if "@" in mail and "#EXT#" not in mail.upper():
            people.append(Participant(Role.ALIAS, name, mail, side))
    phones = [user.get("mobilePhone"), user.get("phoneNumber"), *items(user.get("businessPhones"))]
    title, place = text(user.get("jobTitle")), text(user.get("officeLocation"))
    return Said(
        channel=SCHEME,
        kind=Kind.PROFILE,
        name=f"teams:user/{key}",
        at=None,
        received_at=context.received_at,
        subject=name,
        body=lines(name, title, place, *distinct(map(text, phones))),
        people=tuple(people),
        distinct=" ".join(one.address for one in people),
        is_bulk=True,
    )


def user_id(user: Json) -> str:
    """Return what messages call a user."""
    return text(user.get("id")) or text(user.get("userId"))


def user_name(user: Json) -> str:
    """Return the name that people know a user by."""
    return text(user.get("displayName")) or text(user.get("name")) or text(user.get("userName"))


def side_of(user: Json) -> str:
    """Return on which side a user of the directory is: guests are outside."""
    principal = text(user.get("userPrincipalName")) or text(user.get("userName"))
    is_guest = text(user.get("userType")).lower() == "guest" or "#EXT#" in principal.upper()
    return "outside" if is_guest else "staff"


def team_id(team: Json) -> str:
    """Return what messages call a team."""
    return text(team.get("groupsId")) or text(team.get("groupId")) or text(team.get("id"))


def read_room(raw: bytes, context: Context) -> Said:
    """Return a team or a channel of one, or a chat; `context.members` are its members."""
    room = mapping(any_case(json_of(raw)))
    named = context.conversation
    key = named.key if named else team_id(room)
    if not key:
        raise ValueError("a room without an id")
    name = text(room.get("displayName")) or text(room.get("name")) or text(room.get("topic"))
    said = text(room.get("description"))
    members = [known_person(Role.MEMBER, SCHEME, one, context) for one in context.members]
    members += [_member(mapping(one), context) for one in items(room.get("members"))]
    return Said(
        channel=SCHEME,
        kind=Kind.CONVERSATION,
        name=f"teams:{key}",
        at=from_iso(room.get("createdDateTime")),
        received_at=context.received_at,
        subject=name,
        body=lines(name, said, text(room.get("email"))),
        conversation=Conversation(key, named.name if named and named.name else name),
        people=tuple(members),
        distinct=" ".join(sorted(one.address for one in members)),
        is_bulk=True,
    )


def _member(one: Json, context: Context) -> Participant:
    key, name = text(one.get("userId")) or text(one.get("id")), text(one.get("displayName"))
    return known_person(Role.MEMBER, SCHEME, key, context, name)


def read_meeting(raw: bytes, context: Context) -> Said:
    """Return a meeting of somebody's calendar; those of all who were asked are one."""
    meeting = mapping(any_case(json_of(raw)))
    key = text(meeting.get("iCalUId")) or text(meeting.get("id"))
    if not key:
        raise ValueError("a meeting without an id")
    subject = text(meeting.get("subject"))
    host = _asked(Role.FROM, mapping(meeting.get("organizer")))
    asked = [_asked(Role.TO, mapping(one)) for one in items(meeting.get("attendees"))]
    starts, ends = (mapping(meeting.get(name)) for name in ("start", "end"))
    zone = text(starts.get("timeZone"))  # Graph writes UTC unless it was asked otherwise
    place = text(mapping(meeting.get("location")).get("displayName"))
    body = mapping(meeting.get("body"))
    content = text(body.get("content"))
    span = " – ".join(filter(None, (_stamp(starts), _stamp(ends))))
    source = lines(subject, _stamp(starts), _stamp(ends), place, content)
    return Said(
        channel=SCHEME,
        kind=Kind.MEETING,
        name=f"teams:meeting/{key}",
        at=from_iso(text(starts.get("dateTime"))) or from_iso(text(starts.get("dateTime")) + "Z"),
        date_raw=_stamp(starts),
        subject=subject,
        body=lines(subject, span, place, html_to_text(content)),
        source_text=source,
        people=(host, *asked),
        defects=() if zone in ("UTC", "") else (Defect("date_zone_unknown", zone),),
    )


def _asked(role: Role, one: Json) -> Participant:
    mail = mapping(one.get("emailAddress"))
    return Participant(role, text(mail.get("name")), text(mail.get("address")))


def _stamp(when: Json) -> str:
    return f"{text(when.get('dateTime'))} {text(when.get('timeZone'))}".strip()
