"""What a change of the log means to those who listen at a topic.

A resource tells Create, Update and Delete; a container tells Add and Remove of its members, also
of a collection that begins with its first record and ends with its last.

Spec: https://solidproject.org/TR/notifications-protocol#notification-message-data-model
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from adapters.solid.notify.message import Message, MessageType
from adapters.solid.paths import is_auxiliary
from pod.model.change import Change, ChangeOp
from pod.model.member import Member
from pod.model.resource import Action, ResourcePath, container_of
from pod.ports import Reader
from pod.read import PROFILE_PATH

ALIASES: Final = frozenset({"/me", "/profile/card"})
"""Views of the profile record, which are always there."""

_ALWAYS: Final = frozenset({"/data/", "/inbox/"})
"""Containers that are always there, stored or not."""

REPO: Final = "/repo/"
_AHEAD: Final = 100
_OF_RESOURCE: Final[dict[Action, MessageType]] = {
    "create": "Create",
    "update": "Update",
    "delete": "Delete",
}
_OF_MEMBER: Final[dict[Action, MessageType]] = {"create": "Add", "delete": "Remove"}


def topics_of(change: Change) -> set[str]:
    """All topics at which a change may be heard."""
    topics: set[str] = set() if change.ops else set(ALIASES)
    for op in change.ops:
        topics |= {op.path, container_of(op.path)}
        if op.path.startswith(REPO):
            topics.add(REPO)
        if op.path == PROFILE_PATH:
            topics |= ALIASES
    return topics


def messages_of(
    reader: Reader,
    member: Member,
    change: Change,
    topic: ResourcePath,
    turned: dict[str, MessageType],
) -> Iterator[Message]:
    """What is told of a change at a topic, in order; without the topic's state.

    ``turned`` remembers, from one change to the next, what was told last of each collection.
    """
    if not change.ops and topic in ALIASES:
        yield _message(member, change, 0, "Update", topic)
    for place, op in enumerate(change.ops):
        if op.path == PROFILE_PATH and topic in ALIASES:
            yield _message(member, change, place, "Update", topic)
        elif op.path == topic:
            kind = "Update" if topic in _ALWAYS else _OF_RESOURCE[op.action]
            yield _message(member, change, place, kind, topic)
        elif topic.endswith("/") and op.path.startswith(topic) and op.action in _OF_MEMBER:
            child = _child(reader, change, op, topic, turned)
            if child is not None:
                told = _message(member, change, place, _OF_MEMBER[op.action], child)
                yield replace(told, target=member.url(topic))


def _message(member: Member, change: Change, place: int, kind: MessageType, about: str) -> Message:
    origin_id = f"{member.origin}/{change.seq}/{place}/{kind}{about}"
    return Message(origin_id, kind, member.url(about), change.at)


def _child(
    reader: Reader, change: Change, op: ChangeOp, topic: str, turned: dict[str, MessageType]
) -> str | None:
    """The member of the container that an op gave to it or took from it, if it did."""
    name, slash, below = op.path[len(topic) :].partition("/")
    if not below:
        return None if is_auxiliary(op.path) else op.path
    collection, kind = topic + name + slash, _OF_MEMBER[op.action]
    if topic != REPO or turned.get(collection) == kind:
        return None
    if not _may_turn(reader, change, collection):
        return None
    turned[collection] = kind
    return collection


def _may_turn(reader: Reader, change: Change, collection: str) -> bool:
    """Whether a collection began or ended with a change: all it has now may have come since.

    Tells once too often rather than not at all when much has happened since.
    """
    since = reader.changes(after=change.seq - 1, limit=_AHEAD, member=change.member)
    if len(since) == _AHEAD:
        return True
    made = {
        op.path
        for later in since
        for op in later.ops
        if op.action == "create" and op.path.startswith(collection)
    }
    present = reader.resources(change.member, collection, after=None, limit=len(made) + 1)
    return {resource.path for resource in present} <= made
