"""What a channel is told: its part of the change log from its own cursor on, then as it happens.

Nobody's messages wait in memory: who is slow reads later from the log, a page at a time.

Spec: https://solidproject.org/TR/notifications-protocol#notification-features
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from adapters.solid.notify.message import Message, MessageType
from adapters.solid.notify.state import is_known, load, state_of
from adapters.solid.notify.tell import messages_of, topics_of
from pod.access.acl import Mode
from pod.access.agent import Agent
from pod.access.policy import ACL_SUFFIX, Policy
from pod.channel import Channel, Channels
from pod.model.change import Change
from pod.model.ids import MemberId
from pod.model.member import Member, Standing
from pod.ports import Clock, Reader

End = Literal["over", "refused", "dropped", "replaced", "closing"]
"""Why: its time came, access was lost, unsubscribed, somebody else listens, the server stops."""

PAGE: Final = 100
_POLITE: Final = 10
"""Changes after which requests have their turn."""

_MANY: Final = 1_000
_AT_ONCE: Final = 100
_SURE_AFTER: Final = timedelta(seconds=30)
"""What a socket took so long ago has arrived; what it took later is told again to who returns."""


@dataclass(eq=False)
class Feed:
    """One channel that is being listened to.

    ``cursor`` is the last change that was told, ``turned`` what was told last of each collection:
    that it began or ended. ``confirms`` says that the receiver answers what it
    takes; others have certainly got only what they took a while ago. ``lasts`` is False for a
    channel that is its connection only.
    """

    channel: Channel
    cursor: int
    confirms: bool
    lasts: bool
    taken: deque[tuple[datetime, int]]
    is_behind: bool = True
    end: End | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    turned: dict[str, MessageType] = field(default_factory=dict)

    def finish(self, end: End) -> None:
        """End the feed soon."""
        self.end = self.end or end
        self.news.set()

    def sure(self, now: datetime) -> int:
        """Where to go on from if the receiver left now."""
        if self.confirms:
            return self.cursor
        if self.taken[-1][1] != self.cursor:
            self.taken.append((now, self.cursor))
        while len(self.taken) > 1 and now - self.taken[1][0] > _SURE_AFTER:
            self.taken.popleft()
        return self.taken[0][1]


class Feeds:
    """All feeds. Hand `on_changes` to the store's ``subscribe``."""

    def __init__(
        self,
        reader: Reader,
        policy: Policy,
        channels: Channels,
        clock: Clock,
        is_let_in: Callable[[Agent], bool] = lambda _: True,
    ) -> None:
        """``is_let_in`` tells whether the app of an agent still has its access."""
        self._reader = reader
        self._policy = policy
        self.channels = channels
        self._clock = clock
        self._is_let_in = is_let_in
        self._by_topic: dict[tuple[MemberId, str], set[Feed]] = defaultdict(set)
        self._live: dict[str, Feed] = {}
        self._states: dict[tuple[MemberId, str], tuple[int, str | None]] = {}
        self._seen = 0
        self._is_closed = False

    def is_heard(self, ident: str) -> bool:
        """Whether somebody listens to a channel at the moment."""
        return ident in self._live

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Wake those whom changes concern that are now durable."""
        self._seen = changes[-1].seq
        for change in changes if self._live else ():
            concerned = self._concerned(change)
            for feed in concerned:
                # The earlier parts of a long change are in the log, but nobody was told of them.
                if not feed.is_behind and change.kind != "sync":
                    feed.cursor = max(feed.cursor, change.seq - 1)
                feed.is_behind = True
            self._wake(concerned)

    def _wake(self, feeds: Sequence[Feed]) -> None:
        """Wake many a few at a time, so that requests have their turn in between."""
        for feed in feeds[:_AT_ONCE]:
            feed.news.set()
        if len(feeds) > _AT_ONCE:
            asyncio.get_running_loop().call_soon(self._wake, feeds[_AT_ONCE:])

    def _concerned(self, change: Change) -> list[Feed]:
        is_wide = change.kind == "sync" or any(op.path.endswith(ACL_SUFFIX) for op in change.ops)
        if is_wide or not change.ops:
            return [feed for feed in self._live.values() if feed.channel.member == change.member]
        topics = topics_of(change)
        return [feed for t in topics for feed in self._by_topic.get((change.member, t), ())]

    def passing(self, member: MemberId) -> int:
        """How many feeds of a member's storage do not last."""
        return sum(f.channel.member == member and not f.lasts for f in self._live.values())

    def open(self, channel: Channel, *, confirms: bool = False, lasts: bool = True) -> Feed:
        """Begin to listen; whoever listened to the same channel before is sent away."""
        now = self._clock.now()
        before = self._live.get(channel.id)
        seq = channel.seq if before is None else before.sure(now)
        feed = Feed(channel, seq, confirms, lasts, deque([(now, seq)]))
        if before is not None:
            before.finish("replaced")
            self._forget(before)
        self._live[channel.id] = feed
        self._by_topic[channel.member, channel.topic].add(feed)
        if self._is_closed:
            feed.finish("closing")
        return feed

    async def drop(self, ident: str) -> bool:
        """End a channel for good; whether it was there."""
        feed = self._live.get(ident)
        if feed is not None:
            feed.finish("dropped")
        return await self.channels.drop(ident)

    def close(self) -> None:
        """End all feeds, also those that are yet to come: the server stops."""
        self._is_closed = True
        for feed in self._live.values():
            feed.finish("closing")

    async def tidy(self) -> None:
        """Note how far everybody is, and forget the channels whose end has come."""
        for feed in list(self._live.values()):
            if not feed.is_behind:
                feed.cursor = max(feed.cursor, self._seen)
            await self._keep(feed)
        await self.channels.drop_ended(self._clock.now())

    async def _keep(self, feed: Feed) -> None:
        """Note durably how far a receiver is."""
        seq = feed.sure(self._clock.now())
        if feed.lasts and feed.end in (None, "closing") and seq > feed.channel.seq:
            feed.channel = replace(feed.channel, seq=seq)
            await self.channels.move(feed.channel.id, seq)

    async def messages(self, feed: Feed) -> AsyncGenerator[Message, None]:
        """The messages of a feed until it must end (``feed.end`` then tells why).

        Asking for the next one says that the last one was taken. Close it when the receiver goes.
        """
        try:
            await load()
            known = feed.channel.state
            if known is not None:
                if (message := await self._since(feed, known)) is not None:
                    yield message
                feed.channel = replace(feed.channel, state=None)
                if feed.lasts and feed.end is None:
                    await self.channels.put(feed.channel)
            while await self._has_news(feed):
                async for message in self._page(feed):
                    yield message
        finally:
            self._forget(feed)
            if feed.lasts and feed.end in ("over", "refused"):
                await self.channels.drop(feed.channel.id)
            await self._keep(feed)

    def _forget(self, feed: Feed) -> None:
        key = feed.channel.member, feed.channel.topic
        self._by_topic[key].discard(feed)
        if not self._by_topic[key]:
            del self._by_topic[key]
        if self._live.get(feed.channel.id) is feed:
            del self._live[feed.channel.id]

    async def _page(self, feed: Feed) -> AsyncGenerator[Message, None]:
        """What the next page of the log has for a feed."""
        channel = feed.channel
        page = self._reader.changes(after=feed.cursor, limit=PAGE, member=channel.member)
        if not page:
            feed.is_behind = False
        if not page or await self._allowed(feed) is None:
            return
        told = await self._heard(feed, page)
        for seq, message in told:
            member = await self._allowed(feed)
            if member is None:
                return
            feed.cursor = max(feed.cursor, seq - 1)
            state = None
            if message.type != "Delete":
                state = self._state(member, channel)
            yield replace(message, state=state)
            if feed.end is not None or not await self._paced(feed):
                return
        feed.cursor = page[-1].seq
        if told and feed.confirms:
            await self._keep(feed)
        feed.sure(self._clock.now())
        await asyncio.sleep(0)

    async def _heard(self, feed: Feed, page: Sequence[Change]) -> list[tuple[int, Message]]:
        """The messages of some changes; with a rate, the last one about each thing."""
        channel = feed.channel
        member = self._reader.member(channel.member)
        told: list[tuple[int, Message]] = []
        for number, change in enumerate(page if member is not None else ()):
            if number % _POLITE == 0:
                await asyncio.sleep(0)
            assert member is not None
            if (channel.start_at and change.at < channel.start_at) or change.at > channel.end_at:
                continue
            found = messages_of(self._reader, member, change, channel.topic, feed.turned)
            told += ((change.seq, message) for message in found)
        if not channel.rate:
            return told
        last = {(message.object, message.target): message for _, message in told}
        return [each for each in told if last[each[1].object, each[1].target] is each[1]]

    async def _since(self, feed: Feed, known: str) -> Message | None:
        """What tells of a topic that is no longer as its subscriber knew it."""
        channel, reader = feed.channel, self._reader
        member = await self._allowed(feed)
        if member is None or is_known(reader, member, channel.topic, known):
            return None
        state = self._state(member, channel)
        kind: MessageType = "Delete" if state is None and not self._is_there(channel) else "Update"
        origin_id = f"{member.origin}/{channel.id}/{known}"
        about = member.url(channel.topic)
        return Message(origin_id, kind, about, self._clock.now(), state=state)

    def _state(self, member: Member, channel: Channel) -> str | None:
        """The state of a topic, made once for all who listen to it."""
        key, head = (member.id, channel.topic), self._reader.head_seq()
        known = self._states.get(key)
        if known is None or known[0] != head:
            if len(self._states) >= _MANY:
                self._states.clear()
            known = self._states[key] = head, state_of(self._reader, member, channel.topic)
        return known[1]

    def _is_there(self, channel: Channel) -> bool:
        reader, topic = self._reader, channel.topic
        below = topic.endswith("/") and reader.resources(channel.member, topic, after=None, limit=1)
        return bool(below) or reader.resource(channel.member, topic) is not None

    async def _allowed(self, feed: Feed) -> Member | None:
        """The member of the topic, if the channel may still be told of it; ends it if not."""
        channel = feed.channel
        member = self._reader.member(channel.member)
        is_let_in = self._is_let_in(channel.agent)
        if member is not None and member.standing is not Standing.DELETED and is_let_in:
            await self._policy.learn(channel.agent, member, channel.topic)
            if Mode.READ in self._policy.modes(channel.agent, member, channel.topic):
                return member
        feed.finish("refused")
        return None

    async def _has_news(self, feed: Feed) -> bool:
        """Wait until there may be something to tell; False once the feed ends."""
        while feed.end is None and not feed.is_behind:
            feed.news.clear()
            await self._until_end(feed, None)
        return feed.end is None and self._is_in_time(feed)

    async def _paced(self, feed: Feed) -> bool:
        """Wait for as long as the rate wants between two messages; False once the feed ends."""
        until = self._clock.now() + feed.channel.rate
        while feed.end is None and (rest := until - self._clock.now()) > timedelta():
            feed.news.clear()
            await self._until_end(feed, rest)
        return feed.end is None and self._is_in_time(feed)

    async def _until_end(self, feed: Feed, longest: timedelta | None) -> None:
        """Wait for news, for some time, but not beyond the end of the channel."""
        left = max(feed.channel.end_at - self._clock.now(), timedelta())
        wait = left if longest is None else min(left, longest)
        try:
            async with asyncio.timeout(wait.total_seconds()):
                await feed.news.wait()
        except TimeoutError:
            self._is_in_time(feed)

    def _is_in_time(self, feed: Feed) -> bool:
        if self._clock.now() >= feed.channel.end_at:
            feed.finish("over")
        return feed.end is None
