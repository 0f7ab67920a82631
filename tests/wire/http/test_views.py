"""The one URL over the wire: forms, tags, generations, methods, problems."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import dag_cbor
import orjson
import pytest

from pod.access.agent import SYSTEM
from pod.model.member import Standing
from pod.records.cid import cid_text, record_cid
from tests.kit.hall import Author, author, hall_of
from tests.kit.house import Pod

HOST = "alice.localhost:2583"
CBOR = "application/vnd.ipld.dag-cbor"
KEY = "3kaaaaaaaaa22"

Ask = Callable[..., Awaitable[Any]]


def play(scene: Callable[[Author, Ask], Awaitable[None]]) -> None:
    async def run() -> None:
        pod = Pod()
        client = hall_of(pod).test_client()

        async def ask(path: str, method: str = "GET", **headers: str) -> Any:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.open(path, method=method, headers={"Host": HOST, **named})

        await scene(await author(pod), ask)

    asyncio.run(run())


def test_the_block_hashes_to_the_cid_and_the_json_says_the_same() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        path = await alice.post("hello", KEY)
        block = await (await ask(path, Accept=CBOR)).get_data()
        resource = alice.pod.store.resource(alice.member.id, path)
        assert resource is not None
        assert record_cid(block) == resource.cid
        json = orjson.loads(await (await ask(path, Accept="application/json")).get_data())
        assert json == dag_cbor.decode(block)

    play(scene)


def test_the_tag_names_the_state_and_the_form() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        path = await alice.post("hello", KEY)
        resource = alice.pod.store.resource(alice.member.id, path)
        assert resource is not None
        tag = (await ask(path, Accept=CBOR)).headers["ETag"]
        assert tag == f'"{cid_text(resource.cid)}.0;block"'
        again = await ask(path, Accept=CBOR, If_None_Match=tag)
        assert (again.status_code, await again.get_data()) == (304, b"")

    play(scene)


def test_head_tells_what_get_would() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        path = await alice.post("hello", KEY)
        for accept in ("text/html", "application/json", CBOR):
            got, head = [await ask(path, method, Accept=accept) for method in ("GET", "HEAD")]
            assert head.status_code == 200
            for name in ("ETag", "Content-Type", "Vary"):
                assert head.headers[name] == got.headers[name]
            assert await head.get_data() == b""

    play(scene)


def test_a_reborn_record_has_a_url_of_its_own_and_the_old_one_stays_gone() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        path = await alice.post("first", KEY)
        await alice.delete(path)
        assert (await ask(path, Accept="text/html")).status_code == 410
        assert (await ask(f"{path};g2", Accept="text/html")).status_code == 404
        assert (await ask(f"{path};g1", Accept="text/html")).status_code == 404
        await alice.post("second", KEY)
        reborn = await ask(f"{path};g2", Accept="application/json")
        assert orjson.loads(await reborn.get_data())["text"] == "second"
        assert (await ask(f"{path};g3", Accept="application/json")).status_code == 404
        await alice.delete(path)
        await alice.post("third", KEY)
        assert (await ask(f"{path};g2", Accept="application/json")).status_code == 410

    play(scene)


def test_what_never_was_is_404_in_the_form_that_was_asked_for() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        for accept, kind in (
            ("application/json", "application/problem+json"),
            ("text/html", "text/html; charset=utf-8"),
            ("text/plain", "text/plain; charset=utf-8"),
        ):
            response = await ask(f"/repo/app.bsky.feed.post/{KEY}", Accept=accept)
            assert (response.status_code, response.headers["Content-Type"]) == (404, kind)
        page = await ask("/<script>alert(1)</script>", Accept="text/html")
        assert page.status_code == 404
        assert b"<script>" not in await page.get_data()

    play(scene)


def test_what_nobody_offers_is_406_and_other_methods_are_405() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        path = await alice.post("hello", KEY)
        assert (await ask(path, Accept="image/png")).status_code == 406
        refused = await ask(path, "POST")
        assert refused.status_code == 405
        assert "GET" in refused.headers["Allow"]

    play(scene)


@pytest.mark.parametrize("standing", [Standing.DEACTIVATED, Standing.TAKENDOWN, Standing.SUSPENDED])
def test_a_member_who_is_not_active_is_not_shown(standing: Standing) -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        path = await alice.post("hello", KEY)
        await alice.pod.accounts.set_standing(SYSTEM, alice.member.id, standing)
        shut = 404 if standing is Standing.DEACTIVATED else 403
        others = {"/feed.atom": 404, "/.well-known/webfinger?resource=acct:x": 404}
        for where, status in ({"/": shut, "/me": shut, path: shut} | others).items():
            response = await ask(where)
            assert response.status_code == status
            assert b"hello" not in await response.get_data()

    play(scene)


def test_the_host_is_read_without_case() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        assert (await ask("/me", Host="ALICE.localhost:2583")).status_code == 200

    play(scene)
