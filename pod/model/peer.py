"""What stands between a member and people on other servers: followers, reactions, deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, Literal

from pod.model.ids import Iri, MemberId
from pod.model.resource import ResourcePath

SERVER: Final = MemberId(0)
"""Who stands for the server's own actor where an activity is on its way."""

EdgeKind = Literal[
    "like", "announce", "react", "reply", "accept", "block", "vote", "quote", "stamp", "pin",
    "told", "crossed",
]  # fmt: skip
"""What was done to a resource. Of a ``react`` the object is the emoji, of a ``vote`` the choice, of
a ``quote`` the quoting post, of a ``stamp`` the permission that a post of ours was given to quote,
of a ``pin`` the post that the member was said to have pinned. ``told`` names who was told of a post
that does not name them itself, and hears of its end; ``crossed`` what a record of ours, about
somebody of the other network, is about in the fediverse, or what a post of ours answers or quotes
there."""


@dataclass(frozen=True, slots=True)
class Follower:
    """An actor who follows a member, or (not ``accepted``) asks to."""

    actor: Iri
    inbox: Iri
    shared_inbox: Iri | None
    follow_id: Iri
    accepted: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class Edge:
    """What an actor did to a resource of a member.

    ``object`` is the id of the post that replies or mentions (or see `EdgeKind`), and empty for
    what an actor does only once. ``is_public`` tells whether it may be shown to others.
    """

    path: ResourcePath
    kind: EdgeKind
    actor: Iri
    object: str
    activity: Iri
    is_public: bool
    at: datetime


class Priority(IntEnum):
    """What goes out first when much is due."""

    ANSWER = 0
    """Somebody waits for it: answers to follows, replies, mentions, follows."""
    NEWS = 1
    REST = 2
    """Deletions, changed profiles, and every second try."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An activity with all whom it goes to: inboxes, and actors whose inbox is not known yet."""

    member: MemberId
    activity: str
    body: bytes
    inboxes: tuple[Iri, ...] = ()
    actors: tuple[Iri, ...] = ()
    priority: Priority = Priority.NEWS


@dataclass(frozen=True, slots=True)
class Delivery:
    """One activity for one target, an inbox or (``is_actor``) an actor. ``attempt`` counts from 0.

    A target of another scheme than of the web is an errand of the pod's own, and ``body`` what it
    needs. ``host`` is the target's host, by which deliveries are kept apart.
    """

    id: int
    member: MemberId
    activity: str
    body: bytes
    target: Iri
    is_actor: bool
    host: str
    attempt: int


@dataclass(frozen=True, slots=True)
class HostState:
    """What is known of a host that is not as others are.

    ``modern`` says that it takes RFC 9421 signatures and refused the older ones. ``failures``
    counts tries in a row that it did not answer, since ``failing_since``; until ``rest_until`` it
    is left alone.
    """

    host: str
    modern: bool = False
    failures: int = 0
    failing_since: datetime | None = None
    rest_until: datetime | None = None
