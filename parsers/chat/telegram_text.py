"""Turns what a message of Telegram shows into text that people read; must not look anything up.

Format: the JSON of Telegram Desktop's "Export chat history" and "Export Telegram data".
"""

from __future__ import annotations

from holdfast.core.chats import chat_address
from holdfast.core.kinds import Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.values import Json, items, lines, mapping, number, text

SCHEME = "telegram"


def plain(value: Json) -> str:
    """Return a text that is a string, or a list of strings and of entities."""
    if isinstance(value, list):
        return "".join(_entity(one) for one in value)
    return text(value)


def _entity(one: Json) -> str:
    if isinstance(one, str):
        return one
    said, href = text(mapping(one).get("text")), text(mapping(one).get("href"))
    return f"{said} ({href})" if href and href != said else said


def body_of(message: Json) -> str:
    """Return all that a message shows: its text, and what else it carries."""
    said = plain(message.get("text")) or plain(message.get("text_entities"))
    return lines(
        said,
        text(message.get("sticker_emoji")),
        _poll(mapping(message.get("poll"))),
        _contact(mapping(message.get("contact_information"))),
        _place(message),
        _named(mapping(message.get("invoice_information")), ("title", "description")),
        _named(message, ("game_title", "game_description")),
        _todo(mapping(message.get("todo_list"))),
    )


def mentions_in(message: Json) -> list[Participant]:
    """Return whom a message names: by an id, or by a user name alone."""
    entities = items(message.get("text_entities")) or items(message.get("text"))
    found = []
    for one in map(mapping, entities):
        kind, name = text(one.get("type")), text(one.get("text"))
        if kind == "mention_name":
            address = chat_address(SCHEME, f"user{number(one.get('user_id'))}")
            found.append(Participant(Role.MENTION, name, address))
        elif kind == "mention":
            found.append(Participant(Role.MENTION, name, ""))
    return found


def person_key(value: Json) -> str:
    """Return a sender as newer exports write it, `user123`; older ones have numbers.

    Those were above 2**32 for users and above 2**33 for groups and channels.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        kind, key = value >> 32, value & 0xFFFFFFFF
        return f"user{key}" if kind == 1 else f"channel{key}" if kind == 2 else f"user{value}"
    return text(value)


def full_name(person: Json) -> str:
    """Return first and last name."""
    names = (text(person.get("first_name")), text(person.get("last_name")))
    return " ".join(one for one in names if one)


def _poll(poll: Json) -> str:
    answers = [mapping(one) for one in items(poll.get("answers"))]
    return lines(
        plain(poll.get("question")),
        *(f"- {plain(one.get('text'))} ({number(one.get('voters'))})" for one in answers),
    )


def _contact(contact: Json) -> str:
    return lines(full_name(contact), text(contact.get("phone_number")))


def _place(message: Json) -> str:
    spot = mapping(message.get("location_information"))
    where = f"{text(spot.get('latitude'))}, {text(spot.get('longitude'))}" if spot else ""
    return lines(_named(message, ("place_name", "address")), where)


def _named(value: Json, keys: tuple[str, ...]) -> str:
    return lines(*(text(value.get(key)) for key in keys))


def _todo(todo: Json) -> str:
    tasks = [mapping(one) for one in items(todo.get("items"))]
    return lines(plain(todo.get("title")), *(f"- {plain(one.get('text'))}" for one in tasks))
