"""Apps of Mastodon's kind: they register, are let in, get a token that lasts, and lose it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.phone import CALLBACK, Phone, phone_of
from tests.kit.surfer import Surfer
from tests.kit.whole import SERVER, Person, Town

OOB = "urn:ietf:wg:oauth:2.0:oob"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("apps"))
    yield town
    town.close()


@pytest.fixture(scope="module")
def alice(town: Town) -> Person:
    return town.run(town.whole.join("alice"))


def test_an_app_is_let_in_and_knows_whose_it_is(town: Town, alice: Person) -> None:
    async def story() -> None:
        phone = await phone_of(town.whole, alice)
        mine = await phone.get("/api/v1/accounts/verify_credentials")
        assert mine["acct"] == alice.member.acct
        assert mine["username"] == "alice"
        assert mine["uri"] == alice.member.webid
        assert mine["source"]["privacy"] == "public"
        told = await phone.get("/api/v1/apps/verify_credentials")
        assert told["name"] == "Phone"
        assert told["redirect_uris"] == [CALLBACK]

    town.run(story())


def test_a_token_answers_on_the_members_own_domain_too(town: Town, alice: Person) -> None:
    async def story() -> None:
        host = alice.member.host
        phone = await phone_of(town.whole, alice, host=host)
        mine = await phone.get("/api/v1/accounts/verify_credentials")
        assert mine["acct"] == alice.member.acct
        there = await town.whole.send("GET", "/oauth/authorize?client_id=1", host=host)
        assert there.status == 303
        assert there.headers["location"] == f"http://{SERVER}/oauth/authorize?client_id=1"

    town.run(story())


def test_what_the_api_does_not_have_is_a_whole_answer(town: Town) -> None:
    async def story() -> None:
        reply = await town.whole.send("GET", "/api/v1/nope", host=SERVER)
        assert (reply.status, reply.json) == (404, {"error": "Record not found"})
        assert reply.headers["content-type"] == "application/json"
        assert int(reply.headers["content-length"]) == len(reply.body)
        assert reply.headers["access-control-allow-origin"] == "*"

    town.run(story())


def test_an_app_without_an_address_is_shown_the_code(town: Town, alice: Person) -> None:
    async def story() -> None:
        phone = Phone(town.whole)
        assert (await phone.register(redirect=OOB)).status == 200
        code = await phone.code(alice, redirect=OOB)
        reply = await phone.redeem(code, OOB)
        assert reply.json["token_type"] == "Bearer"
        assert reply.json["scope"] == "read write follow push"
        assert "refresh_token" not in reply.json
        assert "expires_in" not in reply.json

    town.run(story())


def test_a_code_is_good_once_and_only_with_the_secret(town: Town, alice: Person) -> None:
    async def story() -> None:
        phone = Phone(town.whole)
        await phone.register()
        code = await phone.code(alice)
        assert (await phone.redeem(code, client_secret="wrong")).status == 400
        assert (await phone.redeem(code)).status == 200
        assert (await phone.redeem(code)).json["error"] == "invalid_grant"
        assert (await phone.ask("GET", "/api/v1/accounts/verify_credentials")).status == 401

    town.run(story())


def test_a_revoked_token_is_good_for_nothing(town: Town, alice: Person) -> None:
    async def story() -> None:
        phone = await phone_of(town.whole, alice)
        told = {name: phone.told[name] for name in ("client_id", "client_secret")}
        assert (await phone.form("/oauth/revoke", token=phone.token or "", **told)).status == 200
        reply = await phone.ask("GET", "/api/v1/accounts/verify_credentials")
        assert reply.status == 401
        assert reply.json == {"error": "The access token is invalid"}
        assert (await phone.ask("POST", "/api/v1/statuses", {"status": "no"})).status == 401

    town.run(story())


def test_a_token_reaches_no_further_than_its_scope(town: Town, alice: Person) -> None:
    async def story() -> None:
        phone = await phone_of(town.whole, alice, "read:accounts")
        assert (await phone.ask("GET", "/api/v1/accounts/verify_credentials")).status == 200
        for method, path in (
            ("GET", "/api/v1/timelines/home"),
            ("POST", "/api/v1/statuses"),
            ("GET", "/api/v1/notifications"),
        ):
            assert (await phone.ask(method, path)).status == 403

    town.run(story())


def test_a_token_of_this_api_is_nobodys_elsewhere(town: Town, alice: Person) -> None:
    async def story() -> None:
        phone = await phone_of(town.whole, alice)
        for scheme in ("Bearer", "DPoP"):
            reply = await town.whole.send(
                "GET",
                "/xrpc/com.atproto.server.getSession",
                headers={"authorization": f"{scheme} {phone.token}"},
            )
            assert reply.status in (400, 401)
            reply = await town.whole.send(
                "GET",
                "/data/",
                host=alice.member.host,
                headers={"authorization": f"{scheme} {phone.token}"},
            )
            assert reply.status == 401
        session = await town.whole.send(
            "GET", "/api/v1/accounts/verify_credentials", token=alice.access
        )
        assert session.status == 401

    town.run(story())


def test_an_app_may_have_a_token_of_its_own(town: Town) -> None:
    async def story() -> None:
        phone = Phone(town.whole)
        await phone.register()
        told = {name: phone.told[name] for name in ("client_id", "client_secret")}
        reply = await phone.form("/oauth/token", grant_type="client_credentials", **told)
        assert reply.status == 200, reply.body
        assert reply.json["scope"] == "read"
        phone.token = reply.json["access_token"]
        assert (await phone.get("/api/v1/apps/verify_credentials"))["name"] == "Phone"
        assert (await phone.ask("GET", "/api/v1/accounts/verify_credentials")).status == 422
        phone.token = str(phone.token)[:-2] + "xx"
        assert (await phone.ask("GET", "/api/v1/apps/verify_credentials")).status == 401

    town.run(story())


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"client_name": "", "redirect_uris": CALLBACK}, 422),
        ({"client_name": "x", "redirect_uris": CALLBACK, "scopes": "everything"}, 422),
        ({"client_name": "x", "redirect_uris": "javascript:alert(1)"}, 422),
        ({"client_name": "x"}, 422),
    ],
)
def test_a_bad_app_is_refused(town: Town, fields: dict[str, str], status: int) -> None:
    reply = town.run(Phone(town.whole).form("/api/v1/apps", **fields))
    assert reply.status == status
    assert reply.json["error"]


def test_the_server_says_what_it_is_to_everybody(town: Town, alice: Person) -> None:
    async def story() -> None:
        for host in (SERVER, alice.member.host):
            first = await town.whole.send("GET", "/api/v1/instance", host=host)
            second = await town.whole.send("GET", "/api/v2/instance", host=host)
            assert first.json["uri"] == second.json["domain"] == SERVER
            assert first.headers["access-control-allow-origin"] == "*"
            assert int(first.headers["x-ratelimit-remaining"]) < 300
        asked = await town.whole.send("OPTIONS", "/api/v1/statuses")
        assert asked.status == 204
        assert "Idempotency-Key" in asked.headers["access-control-allow-headers"]
        gone = await town.whole.send("GET", "/api/v1/nothing")
        assert (gone.status, gone.json) == (404, {"error": "Record not found"})

    town.run(story())


def test_the_pages_say_what_an_app_asks_for(town: Town, alice: Person) -> None:
    async def story() -> None:
        phone = Phone(town.whole)
        await phone.register("read write")
        surfer = Surfer(town.whole)
        await surfer.get(
            f"/oauth/authorize?response_type=code&client_id={phone.told['client_id']}"
            f"&redirect_uri={CALLBACK}&scope=write"
        )
        await surfer.sign_in(alice.member.handle)
        assert "Post, follow, block" in surfer.text
        assert "See your timeline" not in surfer.text

    town.run(story())
