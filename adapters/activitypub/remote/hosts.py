"""How each host has answered of late: who is busy, who rests, who wants which signature.

What a restart must not forget is kept: the scheme, the failures, the rest. A host that sends us
something signed is well again, whatever was thought of it.

Spec: https://swicg.github.io/activitypub-http-signature/#double-knocking
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from adapters.activitypub.ports import PeerHosts
from adapters.activitypub.remote.schedule import Reply, asked_wait, is_lost, rest_of
from pod.model.peer import HostState

PER_HOST: Final = 4
"""Tries at once to one host; one alone while it does not answer."""

_KEPT: Final = 20_000


class Hosts:
    """The states of hosts, in memory and (where they say something) in the book."""

    def __init__(self, book: PeerHosts, *, per_host: int = PER_HOST, kept: int = _KEPT) -> None:
        self.book = book
        self._per_host = per_host
        self._kept = kept
        self._busy: dict[str, int] = {}
        self._states = {state.host: state for state in book.all()}

    def state(self, host: str) -> HostState:
        """What is known of a host."""
        return self._states.get(host) or HostState(host)

    def rests_until(self, host: str, now: datetime) -> datetime | None:
        """When the host may be tried again, None where that is now."""
        state = self._states.get(host)
        until = state.rest_until if state is not None else None
        return until if until is not None and until > now else None

    def is_doubtful(self, host: str) -> bool:
        """Whether the host did not answer when it was tried last."""
        return self.state(host).failures > 0

    def is_lost(self, host: str, now: datetime) -> bool:
        """Whether the host has been silent for so long that nothing is kept for it."""
        return is_lost(self.state(host).failing_since, now)

    def full(self) -> set[str]:
        """Hosts that get nothing more at the moment."""
        return {host for host in self._busy if self.is_full(host)}

    def is_full(self, host: str) -> bool:
        """Whether the host has as many tries under way as it may."""
        limit = 1 if self.is_doubtful(host) else self._per_host
        return self._busy.get(host, 0) >= limit

    def start(self, host: str) -> None:
        """A try begins."""
        self._busy[host] = self._busy.get(host, 0) + 1

    def end(self, host: str) -> None:
        """A try is over."""
        self._busy[host] -= 1
        if not self._busy[host]:
            del self._busy[host]

    async def note(self, host: str, reply: Reply, now: datetime) -> datetime | None:
        """Learn from an answer; until when the host rests, if it does."""
        asked = asked_wait(reply.retry_after, now)
        state = self.state(host)
        if reply.is_answer:
            until = now + asked if reply.status == 429 and asked > timedelta(0) else None
            await self._keep(HostState(host, state.modern, rest_until=until))
            return until
        since = state.failing_since or now
        until = max(rest_of(state.failures + 1, since, now), now + asked)
        await self._keep(HostState(host, state.modern, state.failures + 1, since, until))
        return until

    async def prefer(self, host: str, *, modern: bool) -> None:
        """Remember which signature the host took after it had refused the other."""
        await self._keep(replace(self.state(host), modern=modern))

    async def revive(self, host: str) -> bool:
        """The host was heard of: it is well. False where nothing else was thought of it.

        A host that only asked for patience still gets it.
        """
        state = self._states.get(host)
        if state is None or not state.failures:
            return False
        await self._keep(HostState(host, state.modern))
        return True

    async def _keep(self, state: HostState) -> None:
        if state == self.state(state.host):
            return
        self._states.pop(state.host, None)
        if state != HostState(state.host):
            self._states[state.host] = state
        await self.book.put(state)
        if len(self._states) > self._kept:
            await self._keep(HostState(next(iter(self._states))))
