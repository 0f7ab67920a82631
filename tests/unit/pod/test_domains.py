"""Members' domains are looked at, and nothing is sent for one that was not seen to be well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from pod.confirm import Letter
from pod.domains import ILL_FOR, WELL_FOR, Domains, DomainState
from pod.errors import PeerUnavailable
from pod.model.ids import MemberId, Origin
from pod.model.member import Member, Standing
from tests.kit.house import Pod


@dataclass
class Watch:
    """Domains and what strangers see of them; a book and a mailbox in memory."""

    pod: Pod = field(default_factory=Pod)
    faults: dict[Origin, str] = field(default_factory=dict)
    looked: list[Origin] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    book: dict[MemberId, DomainState] = field(default_factory=dict)
    has_mail: bool = True

    def __post_init__(self) -> None:
        self.domains = Domains(self.pod.store, self, self.look, self, self.pod.clock)

    async def look(self, origin: Origin) -> str | None:
        self.looked.append(origin)
        return self.faults.get(origin)

    def states(self) -> list[DomainState]:
        return list(self.book.values())

    async def put(self, state: DomainState) -> None:
        self.book[state.member] = state

    async def send(self, letter: Letter) -> None:
        if not self.has_mail:
            raise PeerUnavailable
        self.letters.append(letter)

    async def pass_by(self, time: timedelta) -> None:
        self.pod.clock.pass_by(time.total_seconds())
        await self.domains.look_at_due()


def play(scene: Callable[[Watch, Member], Awaitable[None]]) -> None:
    async def run() -> None:
        watch = Watch()
        await scene(watch, await watch.pod.member("alice"))

    asyncio.run(run())


def test_nothing_is_sent_before_a_domain_was_seen_to_be_well() -> None:
    async def scene(watch: Watch, alice: Member) -> None:
        assert watch.domains.rests_until(alice) is not None
        watch.faults[alice.origin] = "no certificate"
        await watch.domains.look_at_due()
        until = watch.domains.rests_until(alice)
        assert until == watch.pod.clock.now() + ILL_FOR
        watch.faults.clear()
        await watch.pass_by(ILL_FOR)
        assert watch.domains.rests_until(alice) is None
        assert watch.domains.report() == []

    play(scene)


def test_a_domain_is_looked_at_every_hour_and_more_often_while_it_is_ill() -> None:
    async def scene(watch: Watch, alice: Member) -> None:
        await watch.domains.look_at_due()
        await watch.pass_by(WELL_FOR / 2)
        assert len(watch.looked) == 1
        watch.faults[alice.origin] = "gone"
        await watch.pass_by(WELL_FOR / 2)
        await watch.pass_by(ILL_FOR)
        assert len(watch.looked) == 3
        ((member, state),) = watch.domains.report()
        assert (member, state.fault) == (alice, "gone")

    play(scene)


def test_a_member_gets_one_letter_when_their_domain_is_ill_for_a_day() -> None:
    async def scene(watch: Watch, alice: Member) -> None:
        await watch.pod.accounts.set_email(alice.id, "a@mail.example")
        watch.faults[alice.origin] = "another server answers there."
        await watch.domains.look_at_due()
        await watch.pass_by(timedelta(hours=23))
        assert watch.letters == []
        watch.has_mail = False
        await watch.pass_by(timedelta(hours=1))
        watch.has_mail = True
        await watch.pass_by(ILL_FOR)
        await watch.pass_by(timedelta(days=3))
        (letter,) = watch.letters
        assert letter.to == "a@mail.example"
        assert "another server answers there." in letter.text

    play(scene)


def test_what_was_seen_is_known_after_a_restart() -> None:
    async def scene(watch: Watch, alice: Member) -> None:
        await watch.domains.look_at_due()
        again = Domains(watch.pod.store, watch, watch.look, watch, watch.pod.clock)
        assert again.rests_until(alice) is None

    play(scene)


def test_who_rests_is_not_looked_at() -> None:
    async def scene(watch: Watch, alice: Member) -> None:
        await watch.pod.store.write(lambda tx: tx.set_standing(alice.id, Standing.DEACTIVATED))
        await watch.domains.look_at_due()
        assert watch.looked == []

    play(scene)


def test_whoever_joins_while_others_are_looked_at_is_looked_at_next() -> None:
    async def scene(watch: Watch, alice: Member) -> None:
        joined: list[Member] = []

        async def look(origin: Origin) -> str | None:
            if not joined:
                joined.append(await watch.pod.member("bob"))
                domains.rests_until(joined[0])
            return None

        domains = Domains(watch.pod.store, watch, look, watch, watch.pod.clock)
        running = asyncio.create_task(domains.run())
        async with asyncio.timeout(10):  # far less than the pause between looks
            while not joined or joined[0].id not in watch.book:
                await asyncio.sleep(0.01)
        running.cancel()

    play(scene)
