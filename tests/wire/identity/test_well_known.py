"""The well-known corner over the wire: each origin answers for whoever lives there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from tests.kit.hall import Author, author, hall_of
from tests.kit.house import Pod

ALICE = "alice.localhost:2583"
SERVER = "localhost:2583"
ACCT = f"acct:alice@{ALICE}"

Ask = Callable[..., Awaitable[Any]]


def play(scene: Callable[[Author, Ask], Awaitable[None]]) -> None:
    async def run() -> None:
        pod = Pod()
        client = hall_of(pod).test_client()

        async def ask(path: str, host: str = ALICE, **headers: str) -> Any:
            return await client.get(path, headers={"Host": host, **headers})

        await scene(await author(pod), ask)

    asyncio.run(run())


async def json(response: Any) -> Any:
    assert response.status_code == 200
    return orjson.loads(await response.get_data())


def test_webfinger_leads_from_the_address_to_the_actor() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        response = await ask(f"/.well-known/webfinger?resource={ACCT}")
        assert response.headers["Content-Type"] == "application/jrd+json"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        jrd = await json(response)
        assert jrd["subject"] == ACCT
        (link,) = [x for x in jrd["links"] if x.get("type") == "application/activity+json"]
        assert link["href"] == alice.member.webid

    play(scene)


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        ("", 400),
        ("acct:bob@alice.localhost:2583", 404),
        ("acct:alice@bob.localhost:2583", 404),
        ("https://evil.example/me", 404),
        ("%F0%9F%98%80", 404),
    ],
)
def test_webfinger_knows_nobody_else(resource: str, status: int) -> None:
    async def scene(_: Author, ask: Ask) -> None:
        response = await ask(f"/.well-known/webfinger?resource={resource}")
        assert response.status_code == status

    play(scene)


def test_a_members_address_is_not_answered_on_somebody_elses_origin() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        await author(alice.pod, "bob")
        for host in ("bob.localhost:2583", SERVER, "mallory.localhost:2583"):
            response = await ask(f"/.well-known/webfinger?resource={ACCT}", host)
            assert response.status_code == 404

    play(scene)


def test_the_handle_and_the_origin_both_lead_to_the_did() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        for host in (ALICE, "alice.test", "alice.test:443"):
            response = await ask("/.well-known/atproto-did", host)
            assert await response.get_data(as_text=True) == alice.member.did
        assert (await ask("/.well-known/atproto-did", "nobody.test")).status_code == 404

    play(scene)


def test_did_documents_are_the_servers_and_the_members_own() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        server = await json(await ask("/.well-known/did.json", SERVER))
        assert server["id"] == "did:web:localhost%3A2583"
        mirror = await json(await ask("/.well-known/did.json"))
        assert mirror["id"] == "did:web:alice.localhost%3A2583"
        assert alice.member.did in mirror["alsoKnownAs"]
        assert "service" not in mirror

    play(scene)


def test_host_meta_leads_to_webfinger_in_both_forms() -> None:
    async def scene(_: Author, ask: Ask) -> None:
        xrd = await ask("/.well-known/host-meta")
        assert xrd.headers["Content-Type"].startswith("application/xrd+xml")
        template = f"http://{ALICE}/.well-known/webfinger?resource={{uri}}"
        assert template in await xrd.get_data(as_text=True)
        asked = await ask("/.well-known/host-meta", Accept="application/jrd+json")
        for response in (asked, await ask("/.well-known/host-meta.json")):
            assert (await json(response))["links"][0]["template"] == template

    play(scene)


def test_nodeinfo_is_found_from_each_origin_and_stays_there() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        bob = await author(alice.pod, "bob")
        await bob.post("one")
        for host, members in ((ALICE, 1), (SERVER, 2)):
            links = (await json(await ask("/.well-known/nodeinfo", host)))["links"]
            for link in links:
                path = link["href"].removeprefix(f"http://{host}")
                info = await json(await ask(path, host))
                assert path.endswith(info["version"])
                assert info["metadata"]["nodeName"] == host
                assert info["protocols"] == ["activitypub"]
                assert info["openRegistrations"] is (host == SERVER)
                users = {"total": members, "activeMonth": members, "activeHalfyear": members}
                assert info["usage"] == {"users": users, "localPosts": members - 1}
        assert (await ask("/nodeinfo/3.0")).status_code == 404

    play(scene)


def test_identity_json_names_all_names() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        names = await json(await ask("/identity.json"))
        assert names["did"] == alice.member.did
        assert names["acct"] == ACCT
        assert names["webid"] == names["actor"] == alice.member.webid

    play(scene)


def test_a_domain_that_leads_here_can_be_known_before_anybody_lives_there() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        for host in (ALICE, SERVER, "brought.example"):
            response = await ask("/.well-known/commonpod", host)
            assert await response.get_data(as_text=True) == alice.pod.settings.did

    play(scene)


def test_password_managers_are_led_to_the_account_page() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        for host in (ALICE, SERVER):
            response = await ask("/.well-known/change-password", host)
            assert response.status_code == 302
            assert response.headers["Location"].endswith(f"{SERVER}/account#security")

    play(scene)
