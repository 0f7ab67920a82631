"""Rules for domains, reports, lists that are brought, and what outlives an account."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pod.keys.keyring import ACTOR_RSA
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.moderation import DomainRule, ImportRow, Report, Severity
from pod.model.peer import SERVER, Follower, Outgoing
from storage.delivery_queue import SqlDeliveryQueue
from storage.domain_rules import StoredDomainRules
from storage.farewells import StoredFarewells
from storage.followers import SqlFollowers
from storage.imports import SqlImports
from storage.reports import SqlReports
from storage.store import SqlStore
from tests.kit.stored import add_member, change, sql_store

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
INBOX = Iri("https://peer.example/inbox")
BOB = Follower(Iri("https://peer.example/b"), INBOX, None, Iri("https://peer.example/f"), True, NOW)
Story = Callable[[SqlStore, Member], Awaitable[None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Run a story with a store and a member."""

    def run(story: Story) -> None:
        async def whole() -> None:
            async with sql_store(tmp_path / "pod.db") as store:
                await story(store, await store.write(add_member))

        asyncio.run(whole())

    return run


def told(activity: str) -> Outgoing:
    return Outgoing(SERVER, activity, b"{}", (INBOX,))


def test_rules_are_the_same_after_a_restart(tell: Callable[[Story], None]) -> None:
    rule = DomainRule("bad.example", Severity.SUSPEND, NOW, True, False, True, "why", "who")

    async def story(store: SqlStore, alice: Member) -> None:
        rules = StoredDomainRules(store.database)
        await rules.put(DomainRule("bad.example", Severity.NOOP, NOW))
        await rules.put(rule)
        await rules.put(DomainRule("a.example", Severity.ALLOW, NOW))
        await rules.remove("a.example")
        await rules.remove("never.example")
        for each in (rules, StoredDomainRules(store.database)):
            assert each.all() == [rule]
            assert each.get("bad.example") == rule
            assert each.get("sub.bad.example") is None

    tell(story)


def test_a_report_and_what_is_told_of_it_are_written_together_and_once(
    tell: Callable[[Story], None],
) -> None:
    first = Report(Iri("https://x/1"), Iri("https://x/a"), (Iri("https://y/1"),), "hm", NOW)

    async def story(store: SqlStore, alice: Member) -> None:
        reports, queue = SqlReports(store.database), SqlDeliveryQueue(store.database)
        await reports.add(first, telling=[told(first.id)])
        await reports.add(replace(first, comment="again"), telling=[told(first.id)])
        later = replace(first, id=Iri("https://x/2"), at=NOW + timedelta(hours=1))
        await reports.add(later)
        assert queue.size() == 1
        assert reports.newest(limit=9, only_open=True) == [later, first]
        assert reports.newest(limit=1, only_open=True) == [later]
        assert await reports.resolve(later.id, NOW)
        assert not await reports.resolve(Iri("https://x/3"), NOW)
        assert reports.newest(limit=9, only_open=True) == [first]
        assert reports.newest(limit=9, only_open=False)[0].resolved_at == NOW

    tell(story)


def test_a_follower_and_the_answer_are_written_together_or_not_at_all(
    tell: Callable[[Story], None],
) -> None:
    async def story(store: SqlStore, alice: Member) -> None:
        followers, queue = SqlFollowers(store.database), SqlDeliveryQueue(store.database)
        broken = replace(told("x"), body="no bytes", activity=None)  # type: ignore[arg-type]
        with pytest.raises(Exception, match="NOT NULL"):
            await followers.put(alice.id, BOB, NOW, telling=[told("accept"), broken])
        assert (followers.count(alice.id), queue.size()) == (0, 0)
        await followers.put(alice.id, BOB, NOW, telling=[told("accept")])
        with pytest.raises(Exception, match="NOT NULL"):
            await followers.remove(alice.id, BOB.actor, NOW, telling=[broken])
        assert (followers.count(alice.id), queue.size()) == (1, 1)

    tell(story)


def test_lists_take_turns_and_a_new_one_takes_the_place_of_the_old(
    tell: Callable[[Story], None],
) -> None:
    async def story(store: SqlStore, alice: Member) -> None:
        bob = await store.write(lambda tx: add_member(tx, "bob"))
        imports = SqlImports(store.database)
        rows = [ImportRow(alice.id, "domains", n, f"d{n}.example") for n in range(3)]
        await imports.begin(alice.id, "domains", rows)
        await imports.begin(
            bob.id, "mutes", [ImportRow(bob.id, "mutes", 0, "a@b.example", ("false",))]
        )
        assert imports.next() == rows[0]
        await imports.settle(replace(rows[0], state="failed", told="why"))
        other = imports.next()
        assert other is not None
        assert (other.member, other.options) == (bob.id, ("false",))
        await imports.settle(replace(other, state="done"))
        assert imports.next() == rows[1]
        (state,) = imports.states(alice.id, failed=9)
        assert (state.total, state.waiting, state.failed[0].told) == (3, 2, "why")
        await imports.begin(alice.id, "domains", rows[:1])
        (state,) = imports.states(alice.id, failed=9)
        assert (state.total, state.waiting, state.failed) == (1, 1, ())

    tell(story)


def test_key_and_followers_outlive_an_account_until_its_peers_are_told(
    tell: Callable[[Story], None],
) -> None:
    async def story(store: SqlStore, alice: Member) -> None:
        followers, queue = SqlFollowers(store.database), SqlDeliveryQueue(store.database)
        farewells = StoredFarewells(store.database)
        await store.write(lambda tx: tx.put_secret(alice.id, ACTOR_RSA, b"key"))
        await store.write(lambda tx: tx.put_secret(alice.id, "repo-key", b"key"))
        await followers.put(alice.id, BOB, NOW, telling=[])
        await farewells.finish()
        assert store.secret(alice.id, ACTOR_RSA) == b"key"

        def leave(tx) -> int:
            last = change(tx, alice.id)
            tx.erase_member(alice.id, before=last.seq)
            return last.seq

        seq = await store.write(leave)
        await farewells.finish()
        assert (store.secret(alice.id, "repo-key"), followers.count(alice.id)) == (None, 1)
        last = replace(told("delete"), member=alice.id)
        await queue.enqueue([last], NOW, cursor=seq)
        await farewells.finish()
        assert (store.secret(alice.id, ACTOR_RSA), followers.count(alice.id)) == (b"key", 0)
        (due,) = queue.due(NOW, limit=9, without=())
        await queue.done(due)
        await farewells.finish()
        assert store.secret(alice.id, ACTOR_RSA) is None

    tell(story)
