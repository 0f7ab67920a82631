"""Lists of public posts, people by words, ends of polls, what all members have about a thing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pod.model.ids import Iri
from pod.model.resource import ResourcePath
from pod.model.timeline import Heard, Listed, Span
from storage.listings import SqlListings
from storage.timelines import SqlTimelines
from tests.kit.stored import NOON, add_member, document, sql_store


def test_a_post_is_in_the_lists_that_were_told_last(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            lists, lines = SqlListings(store.database), SqlTimelines(store.database)
            for number in range(5):
                at = NOON + timedelta(minutes=number)
                await lists.enlist(Listed(Iri(f"x:{number}"), at, ("public", "#sea")))
            found = [iri for _, iri in lists.listed("#sea", Span(2))]
            assert found == ["x:4", "x:3"]
            ids = [number for number, _ in lists.listed("#sea", Span())]
            assert ids == sorted(ids, reverse=True)
            older = lists.listed("#sea", Span(2, most=ids[1]))
            assert [iri for _, iri in older] == ["x:2", "x:1"]
            newer = lists.listed("#sea", Span(2, least=ids[4]))
            assert [iri for _, iri in newer] == ["x:2", "x:1"]
            await lists.enlist(Listed(Iri("x:4"), NOON, ("#seal",)))
            assert lists.names("#se", limit=10) == ["#sea", "#seal"]
            assert [iri for _, iri in lists.listed("public", Span(1))] == ["x:3"]
            await lines.remove("x:3")
            assert [iri for _, iri in lists.listed("public", Span(1))] == ["x:2"]

    asyncio.run(story())


def test_more_posts_of_one_moment_than_a_moment_has_numbers_have_each_their_own(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            lists, many = SqlListings(store.database), 70_000  # an import may bring them
            next_moment = Listed(Iri("x:next"), NOON + timedelta(milliseconds=1), ("public",))
            await lists.enlist(next_moment)
            await lists.enlist(*(Listed(Iri(f"x:{n}"), NOON, ("public",)) for n in range(many)))
            numbers = [number for number, _ in lists.listed("public", Span(many + 1))]
            assert len(set(numbers)) == many + 1

    asyncio.run(story())


def test_what_is_forgotten_is_in_no_list(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            lists, lines = SqlListings(store.database), SqlTimelines(store.database)
            for number in range(4):
                at = NOON + timedelta(days=number)
                await lines.hear(Heard(Iri(f"x:{number}"), Iri("x:a"), at, b"{}"))
                await lists.enlist(Listed(Iri(f"x:{number}"), at, ("public",)))
            await lists.enlist(Listed(Iri("x:own"), NOON, ("public",)))
            await lines.forget(NOON + timedelta(hours=1), most=2)
            kept = [iri for _, iri in lists.listed("public", Span())]
            assert sorted(kept) == ["x:2", "x:3", "x:own"]
            assert lines.heard("x:1") is None

    asyncio.run(story())


def test_people_are_found_by_beginnings_of_words(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            lists = SqlListings(store.database)
            await lists.describe("x:a", {"ann@a.test", "anna"})
            await lists.describe("x:b", {"ben@b.test", "anton"})
            assert set(lists.found("an", limit=9)) == {"x:a", "x:b"}
            assert lists.found("anna", limit=9) == ["x:a"]
            await lists.describe("x:a", {"ann@a.test"})
            assert lists.words("x:a") == {"ann@a.test"}
            assert lists.found("anna", limit=9) == []

    asyncio.run(story())


def test_a_poll_is_over_at_its_end_for_each_who_waits(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            ann, ben = await store.write(lambda tx: [add_member(tx, n) for n in ("ann", "ben")])
            lines = SqlTimelines(store.database)
            await lines.await_end(ann.id, "x:p", NOON)
            await lines.await_end(ben.id, "x:p", NOON + timedelta(minutes=1))
            assert lines.over(NOON - timedelta(seconds=1), limit=9) == []
            assert lines.over(NOON, limit=9) == [(ann.id, "x:p")]
            await lines.await_end(ann.id, "x:p", NOON + timedelta(minutes=2))
            assert lines.over(NOON + timedelta(minutes=1), limit=9) == [(ben.id, "x:p")]
            await lines.settle(ben.id, "x:p")
            assert lines.over(NOON + timedelta(minutes=1), limit=9) == []

    asyncio.run(story())


def test_a_notice_told_again_takes_the_place_of_the_last(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            ann = await store.write(lambda tx: add_member(tx, "ann"))
            lines = SqlTimelines(store.database)
            first = await lines.note(ann.id, "update", "x:a", "x:1", NOON, again=True)
            later = NOON + timedelta(minutes=1)
            second = await lines.note(ann.id, "update", "x:a", "x:1", later, again=True)
            assert first is not None
            assert second is not None
            assert lines.notices(ann.id, Span()) == [second]
            assert second.id > first.id
            assert await lines.note(ann.id, "poll", "x:a", "x:1", NOON) is not None
            assert await lines.note(ann.id, "poll", "x:a", "x:1", later) is None

    asyncio.run(story())


def test_all_members_documents_about_a_thing_are_found_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            ann, ben = await store.write(lambda tx: [add_member(tx, n) for n in ("ann", "ben")])
            for member, path, subject in (
                (ben, "/data/like/1", "x:1"),
                (ann, "/data/like/2", "x:1"),
                (ann, "/data/like/3", "x:2"),
                (ann, "/data/note/4", "x:1"),
            ):
                made = replace(document(member.id, path), subject=subject)
                await store.write(lambda tx, made=made: tx.put_resource(made))
            wanted = [
                (ann.id, ResourcePath("/data/like/2")),
                (ben.id, ResourcePath("/data/like/1")),
            ]
            assert store.all_about("/data/like/", "x:1", limit=9) == wanted
            assert store.all_about("/data/like/", "x:1", limit=1) == wanted[:1]

    asyncio.run(story())
