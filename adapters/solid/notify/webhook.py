"""WebhookChannel2023: messages posted to a URL of the subscriber, by a sender who proves itself.

What is not taken is tried again, longer and longer apart, for three days; then the channel ends, as
it does at once where the receiver refuses. Each channel keeps its order.

Spec: https://solid.github.io/notifications/webhook-channel-2023, RFC 9449 (DPoP)
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Final, Protocol

import structlog

from adapters.solid.channel_terms import WEBHOOK, sender
from adapters.solid.notify.feed import Feed, Feeds
from adapters.solid.notify.message import JSONLD, Message, media_of
from pod.channel import Channel
from pod.errors import PeerUnavailable, PodError
from pod.model.ids import Origin
from pod.model.member import Member
from pod.ports import Clock, Reader

log = structlog.get_logger()

RETRY_AFTER_S: Final = (1, 5, 15, 60, 300, 900, 1_800, 3_600)
"""Seconds between tries; the last one again and again."""

GIVE_UP_AFTER: Final = timedelta(days=3)
_TOKEN_LIFE_S: Final = 1_200
_AT_ONCE: Final = 32
_PASSING: Final = frozenset({401, 408, 425, 429})
"""Refusals that pass: our key could not be fetched, a time-out, too many at once."""

_MAX_ANSWER: Final = 65_536


class Posted(Protocol):
    """What came back."""

    @property
    def status(self) -> int: ...


class Egress(Protocol):
    """The guarded way out."""

    async def post(
        self, url: str, body: bytes, headers: dict[str, str], *, max_bytes: int
    ) -> Posted:
        """Post a body; raises PeerUnavailable, Forbidden, Invalid or TooLarge."""
        ...


class TokenKey(Protocol):
    """The key of the authorisation server, as its key set shows it."""

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public key with ``kid`` and ``alg``."""
        ...

    def signed(self, header: dict[str, object], claims: dict[str, object]) -> str:
        """A compact JWS; ``alg`` is added to the header."""
        ...


class Webhooks:
    """Sends to all webhooks, each a task of its own, until it is stopped."""

    def __init__(
        self,
        feeds: Feeds,
        reader: Reader,
        egress: Egress,
        key: TokenKey,
        clock: Clock,
        issuer: Origin,
    ) -> None:
        self._feeds = feeds
        self._reader = reader
        self._egress = egress
        self._key = key
        self._clock = clock
        self._issuer = issuer
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._started: asyncio.Queue[Channel] = asyncio.Queue()

    def start(self, channel: Channel) -> None:
        """Begin to send to a channel that was just made."""
        self._started.put_nowait(channel)

    async def run(self) -> None:
        """Send until cancelled; what was not taken then is sent after the next start."""
        tasks: set[asyncio.Task[None]] = set()

        def begin(channel: Channel) -> None:
            task = asyncio.create_task(self._serve(channel))
            tasks.add(task)
            task.add_done_callback(ended)

        def ended(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("webhook failed; it goes on with the next start", exc_info=error)

        try:
            for channel in self._feeds.channels.of_type(WEBHOOK):
                begin(channel)
            while True:
                begin(await self._started.get())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, channel: Channel) -> None:
        if self._feeds.is_heard(channel.id):
            return
        feed = self._feeds.open(channel, confirms=True)
        async with aclosing(self._feeds.messages(feed)) as messages:
            async for message in messages:
                if not await self._deliver(feed, message):
                    break

    async def _deliver(self, feed: Feed, message: Message) -> bool:
        """Have a message taken; False where the channel ended before it was."""
        attempt = 0
        while feed.end is None:
            member = self._reader.member(feed.channel.member)
            status = await self._status(feed.channel, member, message) if member else 410
            if 200 <= status < 300:
                await self._note_failing(feed, is_failing=False)
                return True
            is_refusal = 300 <= status < 500 and status not in _PASSING
            failing_since = feed.channel.failing_since
            if is_refusal or (failing_since and self._clock.now() - failing_since > GIVE_UP_AFTER):
                log.info("webhook given up", status=status)
                await self._feeds.drop(feed.channel.id)
                return False
            await self._note_failing(feed, is_failing=True)
            await self._rest(feed, RETRY_AFTER_S[min(attempt, len(RETRY_AFTER_S) - 1)])
            attempt += 1
        return False

    async def _rest(self, feed: Feed, seconds: float) -> None:
        """Wait before the next try, but not beyond the end of the feed."""
        until = self._clock.now() + timedelta(seconds=seconds)
        while feed.end is None and (left := until - self._clock.now()) > timedelta():
            feed.news.clear()
            try:
                async with asyncio.timeout(left.total_seconds()):
                    await feed.news.wait()
            except TimeoutError:
                return

    async def _note_failing(self, feed: Feed, *, is_failing: bool) -> None:
        if is_failing is (feed.channel.failing_since is not None):
            return
        since = self._clock.now() if is_failing else None
        feed.channel = replace(feed.channel, seq=feed.cursor, failing_since=since)
        if feed.end is None:
            await self._feeds.channels.put(feed.channel)

    async def _status(self, channel: Channel, member: Member, message: Message) -> int:
        """What the receiver answers; 503 stands for no answer, 400 for a URL we may not ask."""
        media_type = media_of(channel.accept) or JSONLD
        url = channel.send_to or ""
        try:
            async with self._turn:
                answer = await self._egress.post(
                    url,
                    message.written(media_type),
                    {"Content-Type": media_type, **self._credentials(member, url)},
                    max_bytes=_MAX_ANSWER,
                )
        except PeerUnavailable:
            return 503
        except PodError:
            return 400
        return answer.status

    def _credentials(self, member: Member, url: str) -> dict[str, str]:
        """A token for the sender's WebID, bound to the key that signs the proof beside it."""
        jwk = self._key.public_jwk
        public = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
        now = int(self._clock.now().timestamp())
        webid = sender(member)
        token = self._key.signed(
            {"kid": jwk["kid"]},
            {
                "webid": webid,
                "azp": webid,
                "sub": webid,
                "iss": self._issuer,
                "aud": [webid, "solid"],
                "cnf": {"jkt": jwk["kid"]},
                "iat": now,
                "exp": now + _TOKEN_LIFE_S,
                "jti": secrets.token_urlsafe(16),
            },
        )
        proof = self._key.signed(
            {"typ": "dpop+jwt", "jwk": public},
            {"htu": url, "htm": "POST", "iat": now, "jti": secrets.token_urlsafe(16)},
        )
        return {"Authorization": f"DPoP {token}", "DPoP": proof}
