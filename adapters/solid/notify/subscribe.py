"""Making channels: who may, of what, for how long, and how many.

Spec: https://solidproject.org/TR/notifications-protocol#subscription
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from adapters.solid.channel_terms import DESCRIPTION, ROOT, STREAMING, WEBHOOK
from adapters.solid.notify.feed import Feeds
from adapters.solid.paths import canonical_path
from pod.access.acl import Mode
from pod.access.agent import PUBLIC, Agent
from pod.access.policy import PUBLIC_PAGES, Policy
from pod.channel import Channel
from pod.errors import Throttled, Unauthenticated, Unprocessable
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import ResourcePath
from pod.ports import Clock, Reader

LONGEST: Final = timedelta(days=14)
SLOWEST: Final = timedelta(days=1)
PER_HOLDER: Final = 100
"""Channels that somebody may have on one storage; all who are nobody count as one."""

PER_STORAGE: Final = 2_000
_RETRY_AFTER_S: Final = 3_600
_SILENT: Final = PUBLIC_PAGES - {"/me"}


@dataclass(frozen=True, slots=True)
class Wish:
    """A wanted channel, before anybody asked whether it may be."""

    topic: str
    send_to: Iri | None = None
    state: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    rate: timedelta = timedelta()
    accept: str | None = None


class Subscriptions:
    """Grants channels."""

    def __init__(
        self, reader: Reader, policy: Policy, feeds: Feeds, clock: Clock, *, dev: bool
    ) -> None:
        """``dev`` lets webhooks be sent in the clear."""
        self._reader = reader
        self._policy = policy
        self._feeds = feeds
        self._clock = clock
        self._schemes = ("https", "http") if dev else ("https",)

    async def subscribe(self, agent: Agent, member: Member, kind: str, wish: Wish) -> Channel:
        """A new channel, durably kept, from now on.

        Raises Unprocessable, Unauthenticated, Forbidden, and Throttled where there are too many.
        """
        topic = self._topic(member, wish.topic)
        if kind == WEBHOOK:
            if not agent.is_authenticated:
                raise Unauthenticated(name="AuthMissing")
            self._check_target(wish.send_to or "")
        await self._policy.learn(agent, member, topic)
        self._policy.require(agent, Mode.READ, member, topic)
        now = self._clock.now()
        end_at = min(wish.end_at or now + LONGEST, now + LONGEST)
        if end_at <= now or (wish.start_at is not None and wish.start_at >= end_at):
            raise Unprocessable("The channel would end before it starts")
        channel = Channel(
            id=secrets.token_urlsafe(18),
            secret=secrets.token_urlsafe(32),
            member=member.id,
            topic=topic,
            type=kind,
            agent=_kept(agent),
            seq=self._reader.head_seq(),
            created_at=now,
            end_at=end_at,
            start_at=wish.start_at,
            rate=min(wish.rate, SLOWEST),
            accept=wish.accept,
            state=wish.state,
            send_to=wish.send_to,
        )
        await self._make_room(member, channel)
        await self._feeds.channels.put(channel)
        return channel

    def _topic(self, member: Member, url: str) -> ResourcePath:
        """The path of a topic; on it access is decided, so it is read as strictly as a request."""
        if member.path(url) is None or "?" in url or "#" in url:
            raise Unprocessable(f"{url[:100]} is not in the storage of {member.webid}")
        raw = url.removeprefix(member.origin) or "/"
        topic = canonical_path(raw.encode())
        if topic in _SILENT or topic == DESCRIPTION or topic.startswith(ROOT):
            raise Unprocessable("Nothing is told about this resource")
        return topic

    def _check_target(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            is_good = bool(parts.hostname) and parts.scheme in self._schemes and parts.port != 0
        except ValueError:
            is_good = False
        if not is_good:
            raise Unprocessable(f"sendTo is a URL of {self._schemes[0]}")

    def stream(self, agent: Agent, member: Member, topic: ResourcePath, accept: str) -> Channel:
        """A channel that lasts as long as its one connection, and begins with the present state.

        The caller has checked access. Raises Throttled where there are too many.
        """
        if self._feeds.passing(member.id) >= PER_STORAGE:
            raise Throttled("Too many streams", retry_after_s=_RETRY_AFTER_S)
        now = self._clock.now()
        return Channel(
            id=secrets.token_urlsafe(18),
            secret="",
            member=member.id,
            topic=topic,
            type=STREAMING,
            agent=_kept(agent),
            seq=self._reader.head_seq(),
            created_at=now,
            end_at=now + LONGEST,
            accept=accept,
            state="",
        )

    async def _make_room(self, member: Member, channel: Channel) -> None:
        """Let the oldest channel go that nobody listens to, where somebody has too many."""
        held = self._feeds.channels.held(member.id, channel.holder)
        is_full = self._feeds.channels.count(member.id) >= PER_STORAGE
        if len(held) < PER_HOLDER and (not is_full or channel.agent.member == member.id):
            return
        idle = [each for each in held if not self._feeds.is_heard(each.id)]
        if not idle:
            text = "Too many channels; end one, or wait until one ends"
            raise Throttled(text, retry_after_s=_RETRY_AFTER_S)
        await self._feeds.drop(idle[0].id)


def holds(agent: Agent, channel: Channel) -> bool:
    """Whether a channel is an agent's to see and to end; nobody's is for whoever knows its id."""
    theirs = channel.agent
    if theirs.member is None and theirs.iri is None:
        return True
    if agent.reach is not None and agent.client != theirs.client:
        return False
    is_same = theirs.member is not None and theirs.member == agent.member
    return is_same or (theirs.iri is not None and theirs.iri == agent.iri)


def _kept(agent: Agent) -> Agent:
    """Who is asked about at each message: tokens end, but whoever held them stays who they are.

    What only a token of narrower scope was shown for is open to everybody.
    """
    return replace(PUBLIC, app_origin=agent.app_origin) if agent.scopes is not None else agent
