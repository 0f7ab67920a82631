"""The sender: takes due deliveries from the queue, signs and posts them, one pool for all hosts.

A slow or dead host holds back only its own deliveries.

Spec: https://www.w3.org/TR/activitypub/#delivery and
https://swicg.github.io/activitypub-http-signature/
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from adapters.activitypub.deliver.schedule import Hosts, Reply, next_step
from adapters.activitypub.jsonld.context import MEDIA_TYPE
from adapters.activitypub.lens.profile import key_id
from adapters.activitypub.signature import cavage, rfc9421
from adapters.activitypub.signature.request import Request
from adapters.activitypub.wing import Wing
from pod.errors import PeerUnavailable, PodError
from pod.keys.rsa import RsaKey
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Delivery

_POOL: Final = 96
"""Tries at once, those not counted that have become slow."""

_SLOW_AFTER_S: Final = 1.0
_MOST_SLOW: Final = 200
"""Slow tries beside the pool: hosts that hang take no room from those that answer."""

_REFUSED: Final = frozenset({400, 401, 403})
"""Answers after which the other signature scheme is tried once."""

_IDLE: Final = timedelta(seconds=30)

Scheme = Callable[..., dict[str, str]]

log = structlog.get_logger()


class Sender:
    """Delivers what is due, until it is stopped; ``wing.outgoing`` makes it look at once."""

    def __init__(
        self, wing: Wing, *, pool: int = _POOL, slow_after_s: float = _SLOW_AFTER_S
    ) -> None:
        self._wing = wing
        self._pool = pool
        self._slow_after_s = slow_after_s
        self._hosts = Hosts()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._slow: dict[int, str] = {}

    async def run(self) -> None:
        """Deliver until cancelled; tries under way are then cancelled and stay in the queue."""
        try:
            while True:
                self._wing.outgoing.clear()
                while self._start_due():
                    pass
                await self._until_something_changes()
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def drain(self) -> None:
        """Try everything that is due now once, and return (for tests and orderly ends)."""
        while self._start_due() or self._running:
            await asyncio.gather(*self._running.values())

    def _start_due(self) -> int:
        """Start tries while there is room; how many were started."""
        now = self._wing.clock.now()
        room = self._pool - len(self._running) + min(len(self._slow), _MOST_SLOW)
        if room <= 0:
            return 0
        closed = self._hosts.closed(now).union(self._slow.values())
        limit = room + len(self._running) - len(self._slow)
        due = self._wing.queue.due(now, limit=limit, without=closed)
        started = 0
        for delivery in due:
            if delivery.id in self._running or started == room:
                continue
            if not self._hosts.may_start(delivery.host, now):
                continue
            self._hosts.start(delivery.host)
            self._running[delivery.id] = asyncio.create_task(self._try(delivery))
            started += 1
        return started

    async def _until_something_changes(self) -> None:
        now = self._wing.clock.now()
        times = [t for t in (self._wing.queue.next_due(now), self._hosts.next_open()) if t]
        wait = min([_IDLE, *(max(t - now, timedelta(0)) for t in times if t > now)])
        try:
            async with asyncio.timeout(max(wait.total_seconds(), 0.01)):
                await self._wing.outgoing.wait()
        except TimeoutError:
            return

    async def _try(self, delivery: Delivery) -> None:
        answered = False
        slow = asyncio.get_running_loop().call_later(self._slow_after_s, self._note_slow, delivery)
        try:
            reply = await self._send(delivery)
            answered = reply.status is not None and reply.status < 500
            await self._settle(delivery, reply)
        finally:
            slow.cancel()
            self._slow.pop(delivery.id, None)
            self._hosts.finish(delivery.host, self._wing.clock.now(), answered=answered)
            self._running.pop(delivery.id, None)
            self._refill()

    def _note_slow(self, delivery: Delivery) -> None:
        self._slow[delivery.id] = delivery.host
        self._refill()

    def _refill(self) -> None:
        """Look for more once half of the pool is free: a look at the queue is worth many tries."""
        if len(self._running) - len(self._slow) <= self._pool // 2:
            self._wing.outgoing.set()

    async def _settle(self, delivery: Delivery, reply: Reply) -> None:
        step = next_step(reply, delivery.attempt, self._wing.clock.now())
        if step == "give up":
            log.info("delivery given up", host=delivery.host, status=reply.status)
        if isinstance(step, str):
            await self._wing.queue.done(delivery)
        else:
            await self._wing.queue.again(delivery, step)

    async def _send(self, delivery: Delivery) -> Reply:
        """Post once, in the scheme that the host took last; once more in the other if refused."""
        member = self._wing.reader.member(delivery.member)
        if member is None:
            return Reply(410)
        try:
            inbox = delivery.target
            if delivery.is_actor:
                inbox = (await self._wing.actors.actor(inbox)).mailbox
            key = await self._wing.keys.actor_key(member.id)
            modern = self._hosts.wants_modern(delivery.host)
            reply = await self._post(delivery, inbox, member, key, modern=modern)
            if reply.status in _REFUSED and not modern:
                again = await self._post(delivery, inbox, member, key, modern=True)
                if again.status is not None and 200 <= again.status < 300:
                    self._hosts.remember_modern(delivery.host)
                    return again
            return reply
        except PeerUnavailable:
            return Reply(None)
        except PodError:
            return Reply(410)

    async def _post(
        self, delivery: Delivery, inbox: Iri, member: Member, key: RsaKey, *, modern: bool
    ) -> Reply:
        sign: Scheme = rfc9421.sign if modern else cavage.sign
        plain = {"Content-Type": MEDIA_TYPE}
        request = Request("POST", inbox, list(plain.items()), delivery.body)
        signed = sign(request, key_id=key_id(member), sign=key.sign, now=self._wing.clock.now())
        fetched = await self._wing.egress.post(
            inbox, delivery.body, {**plain, **signed}, max_bytes=64 * 1024
        )
        return Reply(fetched.status, fetched.headers.get("Retry-After"))
