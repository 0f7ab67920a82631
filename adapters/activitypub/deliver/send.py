"""The sender: takes due deliveries from the queue, signs and posts them, one pool for all hosts.

A slow or dead host holds back only its own deliveries: hosts that did not answer last time are
tried in a lane of their own, and a try that becomes slow leaves its place in the pool.

Spec: https://www.w3.org/TR/activitypub/#delivery and
https://swicg.github.io/activitypub-http-signature/
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Final

import structlog

from adapters.activitypub.deliver.errands import Errands, errand_of
from adapters.activitypub.deliver.pace import Introductions
from adapters.activitypub.deliver.post import post_signed
from adapters.activitypub.remote.schedule import Reply, next_step
from adapters.activitypub.wing import Wing
from pod.errors import PeerUnavailable, PodError
from pod.model.member import Member, Standing
from pod.model.peer import SERVER, Delivery

_POOL: Final = 128
"""Tries at once, without the slow and the doubtful ones."""

_DOUBTFUL: Final = 64
"""Tries at once to hosts that did not answer last time."""

_SLOW_AFTER_S: Final = 1.0
_MOST_SLOW: Final = 256
"""Slow tries beside the pool; when there are more, the oldest is given no more time."""

_NO_ROOM: Final = timedelta(seconds=5)
_IDLE: Final = timedelta(seconds=30)
_BREATH: Final = 16
"""Tries that are started in one turn of the loop."""

_PATIENCE_S: Final = 0.05
"""How long what came of a try waits to be written down with others, while there are many.

What a crash loses of it is delivered once more.
"""

_TROUBLE_S: Final = 10.0
"""How long a delivery is left alone of which nothing can be written down."""

log = structlog.get_logger()


class Sender:
    """Delivers what is due, until it is stopped; ``wing.outgoing`` makes it look at once."""

    def __init__(
        self,
        wing: Wing,
        errands: Errands | None = None,
        *,
        pool: int = _POOL,
        slow_after_s: float = _SLOW_AFTER_S,
        most_slow: int = _MOST_SLOW,
    ) -> None:
        self._wing = wing
        self._errands = errands or {}
        self._hosts = wing.hosts
        self._introductions = Introductions(wing.hosts.book)
        self._pool = pool
        self._slow_after_s = slow_after_s
        self._most_slow = most_slow
        self._running: dict[int, asyncio.Task[None]] = {}
        self._in_pool: set[int] = set()
        self._doubtful: set[int] = set()
        self._slow: dict[int, tuple[str, asyncio.Timeout]] = {}

    async def run(self) -> None:
        """Deliver until cancelled; tries under way are then cancelled and stay in the queue."""
        try:
            while True:
                self._wing.outgoing.clear()
                while await self._start_due():
                    pass
                await self._until_something_changes()
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def drain(self) -> None:
        """Try everything that is due now once, and return (for tests and orderly ends)."""
        while await self._start_due() or self._running:
            await asyncio.gather(*self._running.values())

    def _room(self) -> int:
        return self._pool - len(self._in_pool)

    async def _start_due(self) -> int:
        """Start tries while there is room; how many were started or put off."""
        now = self._wing.clock.now()
        room = self._room()
        if room <= 0:
            return 0
        closed = self._hosts.full().union(host for host, _ in self._slow.values())
        limit = room + len(self._running)
        moved = 0
        written: list[asyncio.Task[None]] = []
        for delivery in self._wing.queue.due(now, limit=limit, without=closed):
            if delivery.id in self._running or self._hosts.is_full(delivery.host):
                continue
            member = self._wing.reader.member(delivery.member)
            if member is None and delivery.member != SERVER:
                written.append(asyncio.create_task(self._wing.queue.done(delivery)))
            elif (wait := self._wait(delivery, member, now)) is not None:
                written.append(asyncio.create_task(wait))
            else:
                self._start(delivery, member)
            moved += 1
            if moved % _BREATH == 0:
                await asyncio.sleep(0)
            if self._room() <= 0:
                break
        await asyncio.gather(*written)
        return moved

    def _wait(
        self, delivery: Delivery, member: Member | None, now: datetime
    ) -> Coroutine[None, None, None] | None:
        """What puts a delivery off that has to wait for reasons that are not its own."""
        host = delivery.host
        until = self._hosts.rests_until(host, now)
        is_crowded = self._hosts.is_doubtful(host) and len(self._doubtful) >= _DOUBTFUL
        if until is not None or is_crowded:
            return self._wing.queue.rest(host, until or now + _NO_ROOM)
        wait = None
        if member is not None and errand_of(delivery) is None:
            wait = self._wing.rests_until(member) or self._introductions.wait(host, member, now)
        return self._wing.queue.postpone(delivery, wait) if wait is not None else None

    def _start(self, delivery: Delivery, member: Member | None) -> None:
        self._hosts.start(delivery.host)
        lane = self._doubtful if self._hosts.is_doubtful(delivery.host) else self._in_pool
        lane.add(delivery.id)
        self._running[delivery.id] = asyncio.create_task(self._try(delivery, member))

    async def _until_something_changes(self) -> None:
        now = self._wing.clock.now()
        due = self._wing.queue.next_due(now)
        wait = min(_IDLE, due - now) if due is not None else _IDLE
        try:
            async with asyncio.timeout(max(wait.total_seconds(), 0.01)):
                await self._wing.outgoing.wait()
        except TimeoutError:
            return

    async def _try(self, delivery: Delivery, member: Member | None) -> None:
        limit = asyncio.timeout(None)
        loop = asyncio.get_running_loop()
        slow = loop.call_later(self._slow_after_s, self._note_slow, delivery, limit)
        try:
            try:
                async with limit:
                    reply = await self._send(delivery, member)
            except TimeoutError:
                reply = Reply(None)
            slow.cancel()
            self._leave_pool(delivery)
            await self._settle(delivery, reply)
        except Exception:  # nothing could be written down: it is still due, but not at once
            log.exception("what came of a try is not kept", host=delivery.host)
            await asyncio.sleep(_TROUBLE_S)
        finally:
            slow.cancel()
            self._slow.pop(delivery.id, None)
            self._doubtful.discard(delivery.id)
            self._hosts.end(delivery.host)
            self._running.pop(delivery.id, None)
            self._leave_pool(delivery)

    def _note_slow(self, delivery: Delivery, limit: asyncio.Timeout) -> None:
        self._slow[delivery.id] = (delivery.host, limit)
        if len(self._slow) > self._most_slow:
            _, oldest = self._slow.pop(next(iter(self._slow)))
            oldest.reschedule(asyncio.get_running_loop().time())
        self._leave_pool(delivery)

    def _leave_pool(self, delivery: Delivery) -> None:
        """Look for more once half of the pool is free: a look at the queue is worth many tries."""
        self._in_pool.discard(delivery.id)
        if self._room() >= self._pool // 2:
            self._wing.outgoing.set()

    async def _settle(self, delivery: Delivery, reply: Reply) -> None:
        """Write down what came of a try: of the delivery, and of its host."""
        queue, now = self._wing.queue, self._wing.clock.now()
        was_silent = self._hosts.is_doubtful(delivery.host)
        until = await self._hosts.note(delivery.host, reply, now)
        if until is not None:
            await queue.rest(delivery.host, until)
        elif was_silent:
            await queue.wake(delivery.host, now)
        step = next_step(reply, delivery.attempt, now)
        if step != "done" and self._hosts.is_lost(delivery.host, now):
            step = "give up"
        if step == "give up":
            log.info("delivery given up", host=delivery.host, status=reply.status)
        if isinstance(step, datetime):
            await queue.again(delivery, max(step, until or step))
            return
        patience = _PATIENCE_S if len(self._running) > _BREATH else 0.0
        await queue.done(delivery, within_s=patience)
        if step == "done" and errand_of(delivery) is None:
            member = self._wing.reader.member(delivery.member)
            if member is not None and member.standing is not Standing.DELETED:
                await self._introductions.met(delivery.host, member.id, within_s=patience)

    async def _send(self, delivery: Delivery, member: Member | None) -> Reply:
        errand = errand_of(delivery)
        try:
            if errand is not None:
                await self._errands[errand](delivery, member)
                return Reply(200)
            return await post_signed(self._wing, delivery, member)
        except PeerUnavailable:
            return Reply(None)
        except PodError:  # an errand is tried again, whatever stood in its way
            return Reply(410 if errand is None else 429)
        except Exception:  # a mistake of ours costs a try, as a refusal for the time being does
            log.exception("delivery failed", host=delivery.host, errand=errand)
            return Reply(429)
