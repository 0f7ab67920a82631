"""Solid-OIDC at the house: from discovery to a token, what tokens say, and what they open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pod.keys.jose import header_of, verified
from tests.kit.apps import App
from tests.kit.solid_app import CALLBACK, SolidApp, claims_of
from tests.kit.surfer import ORIGIN, Surfer, Visitor
from tests.kit.whole import PASSWORD, Town, Whole

ALICE = "http://alice.localhost:2583/me"
TURTLE = {"content_type": "text/turtle"}
WHOLE = {"reach /": "w"}
NOTES_ONLY = {"reach /": "none", "reach /data/notes/": "w"}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("openid"))
    for name in ("alice", "bob"):
        town.run(town.whole.join(name))
    yield town
    town.close()


async def let_in(whole: Whole, **form: str) -> SolidApp:
    app = SolidApp(whole)
    await app.be_let_in(**(form or WHOLE))
    return app


def test_discovery_tells_what_solid_apps_need(town: Town) -> None:
    reply = town.run(town.whole.send("GET", "/.well-known/openid-configuration"))
    told = reply.json
    assert reply.headers["access-control-allow-origin"] == "*"
    assert told["issuer"] == ORIGIN
    assert {"openid", "webid", "offline_access"} <= set(told["scopes_supported"])
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["id_token_signing_alg_values_supported"] == ["ES256"]
    assert "ES256" in told["dpop_signing_alg_values_supported"]
    assert "client_credentials" in told["grant_types_supported"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["client_id_metadata_document_supported"] is True
    assert told["subject_types_supported"] == ["public"]
    for name in ("jwks_uri", "registration_endpoint", "end_session_endpoint", "userinfo_endpoint"):
        assert told[name].startswith(f"{ORIGIN}/oauth/")


def test_tokens_name_the_member_the_app_and_the_key(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = await let_in(whole)
        keys = (await whole.send("GET", "/oauth/jwks")).json["keys"]
        access = app.tokens["access_token"]
        head = header_of(access)
        assert head["typ"] == "at+jwt"
        key = next(key for key in keys if key["kid"] == head["kid"])
        told = verified(access, key)
        assert (told["iss"], told["webid"], told["aud"]) == (ORIGIN, ALICE, "solid")
        assert told["azp"] == told["client_id"] == app.client_id
        assert told["cnf"] == {"jkt": app.app.jkt}
        assert told["exp"] - told["iat"] == 1200
        assert app.tokens["expires_in"] in (1199, 1200)
        assert told["jti"]
        identity = verified(app.tokens["id_token"], key)
        assert (identity["sub"], identity["webid"], identity["nonce"]) == (ALICE, ALICE, "n1")
        assert identity["aud"] == [app.client_id, "solid"]
        assert identity["azp"] == app.client_id
        assert identity["auth_time"] <= identity["iat"]
        assert identity["at_hash"]
        assert app.tokens["token_type"] == "DPoP"

    town.run(story(town.whole))


def test_a_token_opens_the_pod_and_the_pod_only(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = await let_in(whole)
        put = await app.call("PUT", "/data/a.ttl", "<#a> <#b> <#c>.", **TURTLE)
        assert put.status == 201
        got = await app.call("GET", "/data/a.ttl")
        assert (got.status, got.headers["wac-allow"].count("write")) == (200, 1)
        assert (await app.call("GET", "/data/", name="bob")).status == 403
        xrpc = await app.call("GET", "/xrpc/com.atproto.server.getSession", name="")
        assert xrpc.status == 401
        who = await app.call("GET", "/oauth/userinfo", name="")
        assert who.json == {"sub": ALICE, "webid": ALICE}

    town.run(story(town.whole))


def test_the_answer_names_the_issuer_and_a_refusal_does_too(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = SolidApp(whole)
        await app.register()
        assert (await app.consent(**WHOLE))["iss"] == ORIGIN
        await app.surfer.get(app.url(prompt="consent"))
        no = await app.surfer.fill_in("/oauth/authorize", decision="deny")
        told = app.told(no)
        assert (told["error"], told["iss"], told["state"]) == ("access_denied", ORIGIN, "s1")

    town.run(story(town.whole))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"request": "x.y.z"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"prompt": "please"}, "invalid_request"),
        ({"scope": "atproto", "nonce": None}, "invalid_client_metadata"),
        ({"scope": "email", "nonce": None}, "invalid_scope"),
    ],
)
def test_a_bad_request_is_told_to_the_app(
    town: Town, change: dict[str, str | None], error: str
) -> None:
    async def story(whole: Whole) -> None:
        app = SolidApp(whole)
        await app.register()
        told = app.told(await app.surfer.get(app.url(**change)))
        assert (told["error"], told["iss"]) == (error, ORIGIN)

    town.run(story(town.whole))


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://evil.example/cb"},
        {"redirect_uri": f"{CALLBACK}/more"},
        {"client_id": "nobody"},
        {"client_id": None},
    ],
)
def test_nobody_is_sent_where_the_app_is_not(town: Town, change: dict[str, str | None]) -> None:
    async def story(whole: Whole) -> None:
        app = SolidApp(whole)
        await app.register()
        reply = await app.surfer.get(app.url(**change))
        assert reply.status == 400
        assert "location" not in reply.headers

    town.run(story(town.whole))


def test_a_code_is_good_once_and_for_its_verifier_key_and_client(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = await let_in(whole)
        await app.surfer.get("/account")
        app.app = App(app.app.clock)
        code = (await app.consent(**WHOLE))["code"]
        assert (await app.redeem(code)).status == 200
        assert (await app.call("GET", "/data/")).status == 200
        again = await app.redeem(code)
        assert (again.status, again.json["error"]) == (400, "invalid_grant")
        assert (await app.call("GET", "/data/")).status == 401
        for change in (
            {"code_verifier": "x" * 43},
            {"redirect_uri": "https://app.example/other"},
        ):
            app.app = App(app.app.clock)
            code = (await app.consent(**WHOLE))["code"]
            wrong = await app.redeem(code, **change)
            assert (wrong.status, wrong.json["error"]) == (400, "invalid_grant")
        other = SolidApp(whole)
        await other.register()
        app.app = App(app.app.clock)
        other.app = app.app
        stolen = await other.redeem((await app.consent(**WHOLE))["code"])
        assert (stolen.status, stolen.json["error"]) == (400, "invalid_grant")

    town.run(story(town.whole))


def test_a_refresh_token_is_good_once_and_only_with_its_key(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = await let_in(whole)
        first = app.tokens["refresh_token"]
        assert (await app.renew()).status == 200
        second = app.tokens["refresh_token"]
        assert second != first
        assert "nonce" not in claims_of(app.tokens["id_token"])
        assert (await app.renew()).status == 200
        key, app.app = app.app, App(app.app.clock)
        assert (await app.renew()).json["error"] == "invalid_grant"
        app.app = key
        assert (await app.renew(first)).json["error"] == "invalid_grant"
        assert (await app.renew()).json["error"] == "invalid_grant"
        assert (await app.call("GET", "/data/")).status == 401

    town.run(story(town.whole))


def test_without_offline_access_there_is_no_refresh_token(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = SolidApp(whole)
        await app.register()
        await app.surfer.get(app.url(scope="openid webid"))
        await app.surfer.sign_in()
        back = app.told(await app.surfer.fill_in("/oauth/authorize", decision="allow"))
        assert "refresh_token" not in (await app.redeem(back["code"])).json

    town.run(story(town.whole))


def test_a_secret_is_asked_of_who_has_one(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = SolidApp(whole)
        await app.register(token_endpoint_auth_method="client_secret_basic")
        secret, app.secret = app.secret, "wrong"
        code = (await app.consent(**WHOLE))["code"]
        assert (await app.redeem(code)).json["error"] == "invalid_client"
        app.secret = None
        assert (await app.redeem(code)).json["error"] == "invalid_client"
        assert (await app.redeem(code, client_secret=secret or "")).status == 200

    town.run(story(town.whole))


def test_consent_by_container_is_held_to(town: Town) -> None:
    async def story(whole: Whole) -> None:
        owner = await let_in(whole, **{"reach /": "w", "share": "yes"})
        for path in ("/data/notes/a.ttl", "/data/diary/b.ttl"):
            made = await owner.call("PUT", path, "<#a> <#b> <#c>.", **TURTLE)
            assert made.status in (201, 205)
        app = await let_in(whole, **NOTES_ONLY)
        assert (await app.call("GET", "/data/notes/a.ttl")).status == 200
        assert (await app.call("PUT", "/data/notes/c.ttl", "", **TURTLE)).status == 201
        assert (await app.call("GET", "/data/diary/b.ttl")).status == 403
        assert (await app.call("GET", "/data/")).status == 403
        assert (await app.call("PUT", "/data/new.ttl", "", **TURTLE)).status == 403
        assert (await app.call("DELETE", "/data/diary/b.ttl")).status == 403
        assert (await app.call("GET", "/inbox/")).status == 403
        assert (await app.call("GET", "/me")).status == 200
        rules = await app.call("PUT", "/data/notes/.acl", "", **TURTLE)
        assert rules.status == 403
        post = await app.call(
            "POST", "/repo/app.bsky.feed.post/", b"{}", content_type="application/json"
        )
        assert post.status == 403
        read = await let_in(whole, **{"reach /": "r"})
        assert (await read.call("GET", "/data/diary/b.ttl")).status == 200
        assert (await read.call("PUT", "/data/diary/b.ttl", "", **TURTLE)).status == 403
        none = await let_in(whole, **{"reach /": "none"})
        assert (await none.call("GET", "/data/notes/a.ttl")).status == 403
        forged = await let_in(whole, **{"reach /": "none", "reach /data/../": "w"})
        assert (await forged.call("GET", "/data/notes/a.ttl")).status == 403

    town.run(story(town.whole))


def test_an_app_cannot_ask_for_a_reach(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = SolidApp(whole)
        await app.register()
        await app.surfer.get(app.url(scope="openid webid reach:c:/"))
        await app.surfer.sign_in()
        form = {"decision": "allow", "reach /": "none"}
        back = app.told(await app.surfer.fill_in("/oauth/authorize", **form))
        assert (await app.redeem(back["code"])).json["scope"] == "openid webid"
        assert (await app.call("GET", "/data/")).status == 403

    town.run(story(town.whole))


def test_a_member_ends_an_app_on_their_page_and_it_is_out_at_once(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = await let_in(whole, **NOTES_ONLY)
        page = await app.surfer.get("/account")
        assert b"changes notes" in page.body
        await app.surfer.fill_in("/account/everywhere")
        refused = await app.call("GET", "/data/notes/")
        assert refused.status == 401
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]

    town.run(story(town.whole))


def test_silence_is_for_who_was_let_in_before(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = SolidApp(whole)
        await app.register()
        told = app.told(await app.surfer.get(app.url(prompt="none")))
        assert told["error"] == "login_required"
        await app.consent(**NOTES_ONLY)
        app.app = App(app.app.clock)
        told = app.told(await app.surfer.get(app.url(prompt="none")))
        assert (await app.redeem(told["code"])).status == 200
        assert (await app.call("GET", "/data/diary/")).status == 403
        other = SolidApp(whole)
        await other.register()
        other.surfer = app.surfer
        told = other.told(await other.surfer.get(other.url(prompt="none")))
        assert told["error"] == "consent_required"
        await app.surfer.get(app.url(prompt="login"))
        assert 'type="password"' in app.surfer.text
        await app.surfer.get(app.url(max_age="0"))
        assert 'type="password"' in app.surfer.text

    town.run(story(town.whole))


def test_signing_out_from_an_app_leads_back_to_it_and_nowhere_else(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = await let_in(whole)
        query = f"id_token_hint={app.tokens['id_token']}&state=x&post_logout_redirect_uri="
        astray = await app.surfer.get(f"/oauth/logout?{query}https://evil.example/")
        assert (astray.status, "location" in astray.headers) == (200, False)
        assert b"Signed out" in astray.body
        back = await app.surfer.get(f"/oauth/logout?{query}https://app.example/bye")
        assert back.headers["location"] == "https://app.example/bye?state=x"
        await app.surfer.get("/account")
        assert 'action="/account/sign-in"' in app.surfer.text

    town.run(story(town.whole))


def test_a_program_signs_in_with_what_its_member_made_until_that_is_deleted(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = Surfer(whole)
        await surfer.get("/account")
        await surfer.sign_in()
        await surfer.fill_in("/account/programs", name="backup", password=PASSWORD)
        secret = surfer.text.partition('class="secret">')[2].partition("<")[0]
        program = SolidApp(whole)
        program.client_id, program.secret = (
            line.partition(": ")[2] for line in secret.strip().splitlines()
        )
        reply = await program.token(grant_type="client_credentials", scope="openid webid")
        assert reply.status == 200
        assert claims_of(reply.json["access_token"])["webid"] == ALICE
        assert claims_of(reply.json["id_token"])["azp"] == program.client_id
        assert "refresh_token" not in reply.json
        assert (await program.token(grant_type="client_credentials")).status == 200
        assert (await program.call("GET", "/data/")).status == 200
        refused = await program.token(grant_type="authorization_code", code="x")
        assert refused.json["error"] in ("unauthorized_client", "invalid_grant")
        good, program.secret = program.secret, "wrong"
        wrong = await program.token(grant_type="client_credentials", scope="webid")
        assert wrong.json["error"] == "invalid_client"
        program.secret = good
        await surfer.fill_in("/account/programs/delete")
        assert (await program.call("GET", "/data/")).status == 401
        gone = await program.token(grant_type="client_credentials", scope="webid")
        assert gone.json["error"] == "invalid_client"

    town.run(story(town.whole))


def test_who_registered_gets_nothing_for_itself(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = SolidApp(whole)
        grants = ["client_credentials"]
        await app.register(grant_types=grants, token_endpoint_auth_method="client_secret_basic")
        reply = await app.token(grant_type="client_credentials", scope="webid")
        assert reply.json["error"] == "unauthorized_client"

    town.run(story(town.whole))


def test_the_clients_of_the_other_protocol_are_as_strict_as_ever(town: Town) -> None:
    async def story(whole: Whole) -> None:
        visitor = Visitor(whole)
        asked: dict[str, Any] = visitor.app.asking(scope="atproto")
        brought = await visitor.surfer.get(
            "/oauth/authorize?" + "&".join(f"{k}={v}" for k, v in asked.items())
        )
        assert brought.status in (303, 400)
        assert b"code=" not in brought.headers.get("location", "").encode()

    town.run(story(town.whole))
