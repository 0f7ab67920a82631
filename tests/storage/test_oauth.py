"""Requests, sessions and devices in the database, and that the stand-in of other tests agrees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pod.model.ids import MemberId, Nsid
from pod.oauth.ports import ClientAuth, PushedRequest, Session
from pod.oauth.registration import Registered
from storage.devices import SqlDevices
from storage.oauth import SqlOAuth
from storage.oauth_clients import SqlClients
from tests.kit.apps import MemoryOAuth
from tests.kit.stored import NOON, add_member, sql_store

HOUR = timedelta(hours=1)
ALICE = MemberId(1)


def request(name: str = "req-1", **more: Any) -> PushedRequest:
    made = PushedRequest(
        id=name,
        client_id="http://localhost",
        auth=ClientAuth("private_key_jwt", "thumb"),
        jkt="jkt",
        parameters={"scope": "atproto", "state": "ü"},
        created_at=NOON,
        expires_at=NOON + HOUR,
    )
    return replace(made, **more)


def session(name: str = "s1", **more: Any) -> Session:
    made = Session(
        id=name,
        member=ALICE,
        client_id="http://localhost",
        client_name="App",
        auth=ClientAuth("none"),
        jkt="jkt",
        requested="atproto include:a.b.c",
        scope="atproto",
        created_at=NOON,
        renewed_at=NOON,
        expires_at=NOON + HOUR,
        code_hash=f"code of {name}",
    )
    return replace(made, **more)


Story = Callable[[Any, Any], Awaitable[None]]


@pytest.fixture(params=["memory", "sql"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Story], None]:
    """Runs a story with a store and a device store, of each kind."""

    async def with_sql(story: Story) -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            assert (await store.write(add_member)).id == ALICE
            await story(SqlOAuth(store.database), SqlDevices(store.database))

    async def with_memory(story: Story) -> None:
        kept = MemoryOAuth()
        await story(kept, kept)

    runner = with_sql if request.param == "sql" else with_memory
    return lambda story: asyncio.run(runner(story))


def test_a_request_is_kept_as_it_is(run: Callable[[Story], None]) -> None:
    async def story(kept: Any, _: Any) -> None:
        assert kept.request("req-1") is None
        await kept.put_request(request())
        assert kept.request("req-1") == request()
        begun = request(device="d", member=ALICE, code_hash="c", expires_at=NOON)
        await kept.put_request(begun)
        assert kept.request("req-1") == begun
        await kept.delete_request("req-1")
        assert kept.request("req-1") is None

    run(story)


def test_a_code_is_taken_once_even_when_many_ask(run: Callable[[Story], None]) -> None:
    async def story(kept: Any, _: Any) -> None:
        await kept.put_request(request(code_hash="c"))
        taken = await asyncio.gather(*(kept.take_request("c") for _ in range(5)))
        assert [each for each in taken if each is not None] == [request(code_hash="c")]

    run(story)


def test_a_session_moves_on_one_generation_at_a_time(run: Callable[[Story], None]) -> None:
    async def story(kept: Any, _: Any) -> None:
        await kept.add_session(session())
        assert kept.session("s1") == session()
        renewed = session(generation=1, renewed_at=NOON + HOUR, scope="atproto repo:*")
        moved = await asyncio.gather(*(kept.renew_session(renewed) for _ in range(5)))
        assert sorted(moved) == [False, False, False, False, True]
        assert kept.session("s1") == renewed
        assert not await kept.renew_session(session(generation=3))
        assert not await kept.renew_session(session("s2", generation=1))

    run(story)


def test_sessions_end_one_by_one_by_code_or_all_at_once(run: Callable[[Story], None]) -> None:
    async def story(kept: Any, _: Any) -> None:
        for number in range(4):
            at = NOON + number * HOUR
            await kept.add_session(session(f"s{number}", created_at=at))
        assert [each.id for each in kept.sessions(ALICE)] == ["s3", "s2", "s1", "s0"]
        assert kept.sessions(MemberId(2)) == []
        await kept.end_session("s1")
        await kept.end_sessions_of_code("code of s2")
        assert [each.id for each in kept.sessions(ALICE)] == ["s3", "s0"]
        await kept.end_sessions(ALICE)
        assert kept.sessions(ALICE) == []

    run(story)


def test_what_is_used_once_is_used(run: Callable[[Story], None]) -> None:
    async def story(kept: Any, _: Any) -> None:
        used = await asyncio.gather(*(kept.use_once("jti", NOON) for _ in range(4)))
        assert sorted(used) == [False, False, False, True]
        assert await kept.use_once("other", NOON)

    run(story)


def test_the_last_consent_counts(run: Callable[[Story], None]) -> None:
    async def story(kept: Any, _: Any) -> None:
        assert kept.consented(ALICE, "app") == ""
        await kept.put_consent(ALICE, "app", "atproto repo:*")
        await kept.put_consent(ALICE, "app", "atproto")
        assert kept.consented(ALICE, "app") == "atproto"

    run(story)


def test_a_schema_is_kept_with_its_time(run: Callable[[Story], None]) -> None:
    async def story(kept: Any, _: Any) -> None:
        nsid = Nsid("a.b.c")
        assert kept.schema(nsid) is None
        for number in (1, 2):
            await kept.put_schema(nsid, {"id": nsid, "n": number}, NOON + number * HOUR)
        assert kept.schema(nsid) == ({"id": nsid, "n": 2}, NOON + 2 * HOUR)

    run(story)


def test_signing_in_moves_people_and_requests_to_the_new_cookie(
    run: Callable[[Story], None],
) -> None:
    async def story(kept: Any, devices: Any) -> None:
        await kept.put_request(request(device="old"))
        await kept.put_request(request("req-2", device="another"))
        await devices.sign_in("old", "new", ALICE, NOON)
        assert kept.request("req-1").device == "new"
        assert kept.request("req-2").device == "another"
        assert [each.member for each in devices.signed_in("new")] == [ALICE]
        await devices.sign_in("new", "newer", ALICE, NOON + HOUR)
        assert list(devices.signed_in("new")) == []
        assert [each.at for each in devices.signed_in("newer")] == [NOON + HOUR]
        await devices.sign_out("newer", ALICE)
        assert list(devices.signed_in("newer")) == []
        for name in ("a", "b"):
            await devices.sign_in("none", name, ALICE, NOON)
        await kept.end_sessions(ALICE)
        assert list(devices.signed_in("a")) == list(devices.signed_in("b")) == []

    run(story)


def test_what_is_over_is_tidied_away_and_nothing_else(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            await store.write(add_member)
            kept, devices = SqlOAuth(store.database), SqlDevices(store.database)
            await kept.put_request(request())
            await kept.add_session(session(ends_at=NOON + timedelta(days=91)))
            await kept.add_session(session("s2"))
            await kept.use_once("jti", NOON + HOUR)
            await devices.sign_in("x", "device", ALICE, NOON)
            await kept.drop_expired(NOON + HOUR)
            await devices.drop_expired(NOON)
            assert kept.request("req-1") is not None
            assert kept.session("s1") is not None
            assert not await kept.use_once("jti", NOON + HOUR)
            assert devices.signed_in("device")
            await kept.drop_expired(NOON + timedelta(days=92))
            await devices.drop_expired(NOON + HOUR)
            assert kept.request("req-1") is None
            assert kept.session("s1") is None
            assert kept.session("s2") is not None
            assert await kept.use_once("jti", NOON)
            assert not devices.signed_in("device")

    asyncio.run(story())


def test_clients_are_kept_used_and_forgotten(run: Callable[[Story], None]) -> None:
    async def story(store: Any, _: Any) -> None:
        kept = SqlClients(store._database) if isinstance(store, SqlOAuth) else store

        def client(name: str, **more: Any) -> Registered:
            return Registered(name, {"redirect_uris": ["x"]}, NOON, "hash", **more)

        assert await kept.add_client(client("new"), 2)
        assert await kept.add_client(client("used"), 2)
        assert not await kept.add_client(client("third"), 2)
        assert await kept.add_client(client("own", member=ALICE), 2)
        assert kept.client("new") == client("new")
        assert kept.client("nobody") is None
        await kept.use_client("used", NOON + HOUR)
        assert kept.client("used") == client("used", used_at=NOON + HOUR)
        await kept.drop_clients(NOON + HOUR, NOON)
        assert kept.client("new") is None
        assert kept.client("used") is not None
        await kept.drop_clients(NOON, NOON + 2 * HOUR)
        assert kept.client("used") is None
        assert kept.clients(ALICE) == [client("own", member=ALICE)]
        await kept.delete_client("own")
        assert kept.clients(ALICE) == []

    run(story)
