"""The authorisation server for programs, over HTTP: every endpoint and every refusal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.apps import CALLBACK, LOOPBACK, App
from tests.kit.surfer import ORIGIN, Visitor
from tests.kit.whole import SERVER, Reply, Town, Whole

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("oauth"))
    town.run(town.whole.join("alice"))
    yield town
    town.close()


def error(reply: Reply, status: int = 400) -> str:
    """The error's name; every answer carries a nonce, and none may be stored."""
    assert reply.status == status, reply.body
    assert reply.headers["dpop-nonce"]
    assert reply.headers["cache-control"] == "no-store"
    assert set(reply.json) == {"error", "error_description"}
    return str(reply.json["error"])


def test_the_metadata_is_what_clients_of_the_network_want(town: Town) -> None:
    reply = town.run(town.whole.send("GET", "/.well-known/oauth-authorization-server"))
    told = reply.json
    assert reply.headers["access-control-allow-origin"] == "*"
    assert told["issuer"] == ORIGIN
    assert told["pushed_authorization_request_endpoint"] == f"{ORIGIN}/oauth/par"
    assert told["require_pushed_authorization_requests"] is True
    assert told["client_id_metadata_document_supported"] is True
    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["response_types_supported"] == ["code"]
    assert {"authorization_code", "refresh_token"} <= set(told["grant_types_supported"])
    assert {"none", "private_key_jwt"} <= set(told["token_endpoint_auth_methods_supported"])
    assert "ES256" in told["dpop_signing_alg_values_supported"]
    assert "none" not in told["token_endpoint_auth_signing_alg_values_supported"]
    assert {"atproto", "transition:generic"} <= set(told["scopes_supported"])


def test_the_same_metadata_are_what_apps_of_mastodons_kind_want(town: Town) -> None:
    told = town.run(town.whole.send("GET", "/.well-known/oauth-authorization-server")).json
    assert told["app_registration_endpoint"] == f"{ORIGIN}/api/v1/apps"
    assert told["revocation_endpoint"] == f"{ORIGIN}/oauth/revoke"
    assert {"profile", "read", "write:statuses", "follow", "push"} <= set(told["scopes_supported"])
    assert {"authorization_code", "client_credentials"} <= set(told["grant_types_supported"])
    methods = set(told["token_endpoint_auth_methods_supported"])
    assert {"client_secret_basic", "client_secret_post"} <= methods
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["service_documentation"].startswith("https://")


def test_every_origin_names_the_one_authorisation_server(town: Town) -> None:
    async def story(whole: Whole) -> None:
        for host in (SERVER, f"alice.{SERVER}"):
            path = "/.well-known/oauth-protected-resource"
            told = (await whole.send("GET", path, host=host)).json
            assert told["resource"] == f"http://{host}"
            assert told["authorization_servers"] == [ORIGIN]
        nobody = await whole.send("GET", path, host=f"nobody.{SERVER}")
        assert nobody.status == 404

    town.run(story(town.whole))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/.well-known/oauth-authorization-server"),
        ("GET", "/oauth/jwks"),
        ("POST", "/oauth/par"),
        ("POST", "/oauth/authorize"),
        ("GET", "/account"),
        ("POST", "/account/sign-in"),
        ("OPTIONS", "/oauth/par"),
    ],
)
def test_members_have_no_authorisation_server_of_their_own(
    town: Town, method: str, path: str
) -> None:
    reply = town.run(town.whole.send(method, path, host=f"alice.{SERVER}"))
    assert reply.status == 404


def test_the_key_set_shows_the_public_key_of_what_the_server_signs(town: Town) -> None:
    keys = town.run(town.whole.send("GET", "/oauth/jwks")).json["keys"]
    assert [(key["kty"], key["alg"], "d" in key) for key in keys] == [("EC", "ES256", False)]


@pytest.mark.parametrize("endpoint", ["par", "token", "revoke"])
def test_browsers_may_call_the_endpoints_from_anywhere(town: Town, endpoint: str) -> None:
    reply = town.run(town.whole.send("OPTIONS", f"/oauth/{endpoint}"))
    assert reply.status == 204
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-allow-headers"] == "Content-Type,DPoP,Authorization"
    for method in ("GET", "PUT", "DELETE"):
        assert town.run(town.whole.send(method, f"/oauth/{endpoint}")).status == 405


def test_a_client_learns_the_nonce_by_being_refused(town: Town) -> None:
    async def story(whole: Whole) -> None:
        visitor = Visitor(whole)
        url = f"{ORIGIN}/oauth/par"
        first = await visitor.post("par", visitor.app.asking(), dpop=visitor.app.proof(url))
        assert error(first) == "use_dpop_nonce"
        visitor.app.nonce = first.headers["dpop-nonce"]
        again = await visitor.post("par", visitor.app.asking(), dpop=visitor.app.proof(url))
        assert again.status == 201
        assert again.json["request_uri"].startswith("urn:ietf:params:oauth:request_uri:req-")
        assert again.json["expires_in"] == 300

    town.run(story(town.whole))


def test_json_is_as_good_as_a_form(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole).app
        body = json.dumps(app.asking())
        headers = {"content-type": "application/json; charset=utf-8"}
        reply = await whole.send("POST", "/oauth/par", body, headers=headers)
        assert reply.status == 201

    town.run(story(town.whole))


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/plain", b"client_id=x"),
        ("", b"client_id=x"),
        ("application/json", b"[1]"),
        ("application/json", b'{"client_id": 1}'),
        ("application/json", b"{"),
        ("application/json", b"\xff"),
        (FORM, b"client_id=x&client_id=y"),
        (FORM, b"a=" + b"x" * 70_000),
    ],
)
def test_what_is_no_set_of_fields_is_refused(town: Town, media_type: str, body: bytes) -> None:
    async def story(whole: Whole) -> None:
        for endpoint in ("par", "token", "revoke"):
            headers = {"content-type": media_type}
            reply = await whole.send("POST", f"/oauth/{endpoint}", body, headers=headers)
            assert error(reply) == "invalid_request"

    town.run(story(town.whole))


def test_a_bad_proof_is_refused_with_a_challenge(town: Town) -> None:
    async def story(whole: Whole) -> None:
        visitor = Visitor(whole)
        for endpoint in ("par", "token"):
            form = visitor.app.asking()
            reply = await visitor.ask(endpoint, form, visitor.app.proof("https://other.example/"))
            assert error(reply, 401) == "invalid_dpop_proof"
            assert 'error="invalid_dpop_proof"' in reply.headers["www-authenticate"]
            empty = await visitor.post(endpoint, form, dpop="")
            assert error(empty, 401) == "invalid_dpop_proof"
        bare = await visitor.post("token", form)
        assert error(bare, 401) == "invalid_dpop_proof"

    town.run(story(town.whole))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"client_id": None}, "invalid_client"),
        ({"client_id": "https://app.example:8443/client.json"}, "invalid_client_metadata"),
        ({"client_id": "https://127.0.0.1/client.json"}, "invalid_client_metadata"),
        ({"client_id": "https://unreachable.invalid/client.json"}, "invalid_client_metadata"),
        ({"client_id": "ftp://app.example/client.json"}, "invalid_client_metadata"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "transition:generic"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
    ],
)
def test_a_faulty_request_is_refused(town: Town, change: dict[str, str | None], name: str) -> None:
    async def story(whole: Whole) -> None:
        visitor = Visitor(whole)
        assert error(await visitor.ask("par", visitor.app.asking(**change))) == name

    town.run(story(town.whole))


def test_tokens_for_a_code_then_for_a_refresh_then_none(town: Town) -> None:
    async def story(whole: Whole) -> None:
        visitor = Visitor(whole)
        surfer = visitor.surfer
        await surfer.get(await visitor.begin())
        await surfer.sign_in()
        back = visitor.come_back(await surfer.fill_in("/oauth/authorize", decision="allow"))
        assert set(back) == {"code", "iss", "state"}
        assert (back["iss"], back["state"]) == (ORIGIN, "s1")
        tokens = await visitor.redeem(back["code"])
        assert tokens.headers["cache-control"] == "no-store"
        assert tokens.json["token_type"] == "DPoP"
        assert tokens.json["sub"].startswith("did:plc:")
        assert tokens.json["scope"] == "atproto transition:generic"
        assert 0 < tokens.json["expires_in"] < 1_800

        path = "/xrpc/com.atproto.server.getSession"
        assert (await visitor.call("GET", path)).status == 200
        before = visitor.access
        assert (await visitor.renew()).status == 200
        assert (await visitor.call("GET", path)).status == 200
        new, visitor.access = visitor.access, before
        assert (await visitor.call("GET", path)).status == 401
        visitor.access = new

        form = {"client_id": LOOPBACK, "token": visitor.access}
        assert (await visitor.post("revoke", form)).json == {}
        assert (await visitor.call("GET", path)).status == 401
        assert error(await visitor.renew()) == "invalid_grant"
        assert (await visitor.post("revoke", form)).status == 200

    town.run(story(town.whole))


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ({}, "invalid_client"),
        ({"client_id": LOOPBACK}, "unsupported_grant_type"),
        ({"client_id": LOOPBACK, "grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": LOOPBACK, "grant_type": "client_credentials"}, "unauthorized_client"),
        ({"client_id": LOOPBACK, "grant_type": "authorization_code"}, "invalid_grant"),
        ({"client_id": LOOPBACK, "grant_type": "refresh_token"}, "invalid_grant"),
        (
            {"client_id": LOOPBACK, "grant_type": "refresh_token", "refresh_token": "ref-x"},
            "invalid_grant",
        ),
        (
            {
                "client_id": LOOPBACK,
                "grant_type": "authorization_code",
                "code": "cod-x",
                "redirect_uri": CALLBACK,
            },
            "invalid_grant",
        ),
    ],
)
def test_what_is_no_grant_is_refused(town: Town, form: dict[str, str], name: str) -> None:
    async def story(whole: Whole) -> None:
        assert error(await Visitor(whole).ask("token", form)) == name

    town.run(story(town.whole))


def test_revoking_needs_a_client(town: Town) -> None:
    async def story(whole: Whole) -> None:
        assert error(await Visitor(whole).post("revoke", {"token": "x"})) == "invalid_client"

    town.run(story(town.whole))


def test_apps_have_keys_of_their_own(tmp_path: Path) -> None:
    town = Town(tmp_path)

    async def story(whole: Whole) -> None:
        await whole.join("alice")
        visitor, thief = Visitor(whole), Visitor(whole)
        await visitor.be_let_in()
        thief.access, thief.refresh = visitor.access, visitor.refresh
        thief.app = App(visitor.app.clock, visitor.app.client_id, nonce=visitor.app.nonce)
        stolen = await thief.call("GET", "/xrpc/com.atproto.server.getSession")
        assert (stolen.status, stolen.json["error"]) == (401, "invalid_dpop_proof")
        assert error(await thief.renew()) == "invalid_grant"
        assert (await visitor.renew()).status == 200

    town.run(story(town.whole))
    town.close()
