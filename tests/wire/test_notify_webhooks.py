"""Webhooks: who sends them and how they prove it, and that none is lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pod.keys.jose import header_of, thumbprint, verified
from pod.settings import Egress
from tests.kit.listening import WEBHOOK, receiver, subscribe
from tests.kit.whole import TURTLE, Person, Whole, open_whole

DOC = "/data/today.ttl"
OUTWARD = Egress(may_reach_private=True, fetch_timeout_s=2.0)
Story = Callable[[Whole, Person], Awaitable[None]]


def play(folder: Path, story: Story) -> None:
    """Run a story in a house that may send to the loopback."""

    async def run() -> None:
        async with open_whole(folder, egress=OUTWARD) as whole:
            await story(whole, await whole.join("alice"))

    asyncio.run(run())


async def put(whole: Whole, alice: Person, body: str) -> None:
    url = alice.member.url(DOC)
    reply = await whole.ask("PUT", url, body, as_=alice, content_type=TURTLE)
    assert reply.status in (201, 204), reply.body


async def hooked(whole: Whole, alice: Person, url: str, **more: Any) -> str:
    """A new webhook channel of alice; its id."""
    more = {"sendTo": url, "kind": WEBHOOK, **more}
    reply = await subscribe(whole, alice.member, DOC, as_=alice, **more)
    assert reply.status == 200, reply.body
    ident: str = reply.json["id"]
    return ident


def test_the_sender_proves_itself_by_a_token_bound_to_its_key(tmp_path: Path) -> None:
    """webhook-channel-2023#auth: the request to sendTo is authenticated as the sender"""

    async def story(whole: Whole, alice: Person) -> None:
        async with receiver() as hook:
            await hooked(whole, alice, hook.url)
            await put(whole, alice, "<> a <urn:x>.")
            await hook.wait(1)
            headers, message = hook.taken[0]
            assert (message["type"], message["object"]) == ("Create", alice.member.url(DOC))
            assert headers["content-type"] == "application/ld+json"
            scheme, _, token = headers["authorization"].partition(" ")
            assert scheme == "DPoP"
            keys = (await whole.send("GET", "/oauth/jwks")).json["keys"]
            key = next(key for key in keys if key["kid"] == header_of(token)["kid"])
            claims = verified(token, key)
            webid = alice.member.url("/.notifications/WebhookChannel2023/webId")
            assert (claims["iss"], claims["webid"]) == ("http://localhost:2583", webid)
            assert set(claims["aud"]) == {webid, "solid"}
            proof = headers["dpop"]
            shown = header_of(proof)
            assert shown["typ"] == "dpop+jwt"
            assert thumbprint(shown["jwk"]) == claims["cnf"]["jkt"]
            said = verified(proof, shown["jwk"])
            assert (said["htm"], said["htu"]) == ("POST", hook.url)

    play(tmp_path, story)


def test_what_is_not_taken_is_sent_again_in_its_order(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person) -> None:
        answers = iter((503, 429))
        async with receiver(lambda _: next(answers, 200)) as hook:
            await hooked(whole, alice, hook.url)
            await put(whole, alice, "<> a <urn:x>.")
            await put(whole, alice, "<> a <urn:y>.")
            told = await hook.wait(4)
            assert [m["type"] for m in told] == ["Create", "Create", "Create", "Update"]
            assert len({message["id"] for message in told}) == 2

    play(tmp_path, story)


def test_a_receiver_that_refuses_is_unsubscribed(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person) -> None:
        async with receiver(lambda _: 410) as hook:
            made = await hooked(whole, alice, hook.url)
            await put(whole, alice, "<> a <urn:x>.")
            await hook.wait(1)
            async with asyncio.timeout(5):
                while (await whole.ask("GET", made, as_=alice)).status != 404:
                    await asyncio.sleep(0.01)
            await put(whole, alice, "<> a <urn:y>.")
            await asyncio.sleep(0.1)
            assert len(hook.taken) == 1

    play(tmp_path, story)


def test_a_webhook_whose_holder_left_is_sent_nothing_more(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person) -> None:
        async with receiver() as hook, receiver() as other:
            made = await hooked(whole, alice, hook.url)
            assert (await whole.ask("DELETE", made, as_=alice)).status == 204
            await hooked(whole, alice, other.url)
            await put(whole, alice, "<> a <urn:x>.")
            await other.wait(1)
            assert hook.taken == []

    play(tmp_path, story)


def test_a_new_webhook_with_an_old_state_is_told_at_once(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person) -> None:
        await put(whole, alice, "<> a <urn:x>.")
        async with receiver() as hook:
            await hooked(whole, alice, hook.url, state='"something old"')
            assert [m["type"] for m in await hook.wait(1)] == ["Update"]

    play(tmp_path, story)


def test_what_happened_while_nobody_sent_is_sent_after_the_next_start(tmp_path: Path) -> None:
    async def run() -> None:
        async with receiver(lambda _: 503) as deaf:
            port = int(deaf.url.rsplit(":", 1)[1].partition("/")[0])
            async with open_whole(tmp_path, egress=OUTWARD) as whole:
                alice = await whole.join("alice")
                await hooked(whole, alice, deaf.url)
                await put(whole, alice, "<> a <urn:x>.")
                await deaf.wait(1)
        async with (
            receiver(port=port) as hook,
            open_whole(tmp_path, egress=OUTWARD) as whole,
        ):
            assert [m["type"] for m in await hook.wait(1)] == ["Create"]
            await put(whole, alice, "<> a <urn:y>.")
            assert [m["type"] for m in await hook.wait(2)] == ["Create", "Update"]

    asyncio.run(run())


def test_outside_development_webhooks_are_sent_over_https_only(tmp_path: Path) -> None:
    """webhook-channel-2023#channel-type: sendTo is a URI of the https scheme"""

    async def run() -> None:
        async with open_whole(tmp_path, dev=False) as whole:
            alice = await whole.join("alice")
            for url, status in (("http://a.example/", 422), ("https://a.example/", 200)):
                reply = await subscribe(
                    whole, alice.member, "/me", as_=alice, kind=WEBHOOK, sendTo=url
                )
                assert reply.status == status

    asyncio.run(run())
