"""Clients: what may be said in a metadata document, and how a confidential client proves itself."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from joserfc.jwk import ECKey

from pod.errors import Invalid, PodError
from pod.oauth.client import ASSERTION_TYPE
from pod.oauth.metadata import document, loopback, same_redirect
from tests.kit.apps import Page, signed
from tests.kit.authorisation import ISSUER, Desk, at_the_desk

ID = "https://app.example.com/oauth/client.json"
GOOD: dict[str, Any] = {
    "client_id": ID,
    "client_name": "An App",
    "client_uri": "https://app.example.com/oauth",
    "redirect_uris": ["https://app.example.com/cb"],
    "scope": "atproto transition:generic",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
    "application_type": "web",
    "dpop_bound_access_tokens": True,
}
KEY = ECKey.generate_key("P-256", {"kid": "k1"})
CONFIDENTIAL = GOOD | {
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "ES256",
    "jwks": {"keys": [KEY.as_dict(private=False)]},
}


def test_a_good_document_says_what_a_client_may_do() -> None:
    found = document(ID, GOOD)
    assert found.redirect_uris == ("https://app.example.com/cb",)
    assert found.scope == ("atproto", "transition:generic")
    assert not found.is_confidential
    assert document(ID, CONFIDENTIAL).is_confidential


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "https://other.example.com/client.json"},
        {"client_id": None},
        {"dpop_bound_access_tokens": False},
        {"dpop_bound_access_tokens": "true"},
        {"redirect_uris": []},
        {"redirect_uris": "https://app.example.com/cb"},
        {"redirect_uris": ["http://app.example.com/cb"]},
        {"redirect_uris": ["https://localhost/cb"]},
        {"redirect_uris": ["http://127.0.0.1/cb"]},
        {"redirect_uris": ["com.example.app:/cb"]},
        {"redirect_uris": ["https://u:p@app.example.com/cb"]},
        {"redirect_uris": ["https://app.example.com/cb#x"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["https://app.local/cb"]},
        {"redirect_uris": ["https://[/cb"]},
        {"scope": None},
        {"scope": "atproto atproto"},
        {"grant_types": ["implicit"]},
        {"grant_types": ["refresh_token"]},
        {"grant_types": ["authorization_code", "authorization_code"]},
        {"response_types": ["token"]},
        {"application_type": "toaster"},
        {"subject_type": "pairwise"},
        {"client_uri": "https://other.example.com/"},
        {"client_uri": "https://app.example.com/elsewhere"},
        {"client_name": 7},
        {"logo_uri": "javascript:alert(1)"},
        {"policy_uri": "http://app.example.com/policy"},
        {"default_max_age": 60},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": None},
        {"token_endpoint_auth_signing_alg": "ES256"},
        {"token_endpoint_auth_method": "private_key_jwt"},
    ],
)
def test_a_document_that_breaks_a_rule_is_refused(change: dict[str, Any]) -> None:
    told = {name: value for name, value in (GOOD | change).items() if value is not None}
    with pytest.raises(Invalid) as refused:
        document(ID, told)
    assert refused.value.name in ("invalid_client_metadata", "invalid_redirect_uri")


@pytest.mark.parametrize(
    "change",
    [
        {"jwks": None},
        {"jwks": {"keys": []}},
        {"jwks": []},
        {"jwks_uri": "https://app.example.com/jwks"},
        {"jwks": None, "jwks_uri": "http://app.example.com/jwks"},
        {"token_endpoint_auth_signing_alg": "HS256"},
        {"token_endpoint_auth_signing_alg": "none"},
        {"application_type": "native", "redirect_uris": ["https://app.example.com/cb"]},
    ],
)
def test_a_confidential_client_needs_good_keys(change: dict[str, Any]) -> None:
    told = {name: value for name, value in (CONFIDENTIAL | change).items() if value is not None}
    with pytest.raises(Invalid):
        document(ID, told)


@pytest.mark.parametrize("told", [None, [], "text", 7])
def test_what_is_no_object_is_no_document(told: Any) -> None:
    with pytest.raises(Invalid):
        document(ID, told)


@pytest.mark.parametrize(
    "client_id",
    [
        "http://app.example.com/client.json",
        "https://app.example.com:8443/client.json",
        "https://app.example.com/",
        "https://app.example.com",
        "https://app.example.com/a/",
        "https://app.example.com/a/../client.json",
        "https://app.example.com//client.json",
        "https://app.example.com/client.json#x",
        "https://u@app.example.com/client.json",
        "https://10.0.0.1/client.json",
        "https://[::1]/client.json",
        "https://localhost/client.json",
        "https://app.local/client.json",
        "HTTPS://app.example.com/client.json",
    ],
)
def test_a_client_id_is_a_plain_public_address(client_id: str) -> None:
    with pytest.raises(Invalid):
        document(client_id, GOOD | {"client_id": client_id})


def test_a_native_app_may_use_its_own_scheme_and_loopback_addresses() -> None:
    native = GOOD | {"application_type": "native"}
    redirects = ["com.example.app:/cb", "http://127.0.0.1/cb", "http://[::1]/cb"]
    assert document(ID, native | {"redirect_uris": redirects}).is_native
    with pytest.raises(Invalid):
        document(ID, native | {"redirect_uris": ["org.other.app:/cb"]})


def test_a_loopback_client_is_what_its_id_says() -> None:
    assert loopback("http://localhost").redirect_uris == ("http://127.0.0.1/", "http://[::1]/")
    assert loopback("http://localhost/").scope == ("atproto",)
    found = loopback("http://localhost?scope=atproto%20repo:*&redirect_uri=http://127.0.0.1/cb")
    assert found.scope == ("atproto", "repo:*")
    assert found.redirect_uris == ("http://127.0.0.1/cb",)
    assert found.is_loopback
    assert not found.is_confidential


@pytest.mark.parametrize(
    "client_id",
    [
        "http://localhost:3000",
        "http://localhost/path",
        "http://localhost#x",
        "http://localhost?x=1",
        "http://localhost?scope=a&scope=b",
        "http://localhost.evil.example",
        "http://localhost?redirect_uri=https://evil.example/",
        "http://localhost?redirect_uri=http://localhost/",
        "http://localhost?redirect_uri=https://127.0.0.1/",
    ],
)
def test_other_loopback_ids_are_refused(client_id: str) -> None:
    with pytest.raises(Invalid):
        loopback(client_id)


def test_only_a_loopback_address_may_change_its_port() -> None:
    assert same_redirect("http://127.0.0.1/cb", "http://127.0.0.1:8080/cb")
    assert same_redirect("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb")
    assert not same_redirect("http://127.0.0.1/cb", "http://127.0.0.1/other")
    assert not same_redirect("http://127.0.0.1/cb", "http://127.0.0.1/cb?x")
    assert not same_redirect("http://127.0.0.1/cb", "http://[::1]/cb")
    assert not same_redirect("https://a.example/cb", "https://a.example:8443/cb")
    assert not same_redirect("https://a.example/cb", "https://a.example/cb/")


def assertion(desk: Desk, key: ECKey = KEY, kid: str | None = "k1", **claims: Any) -> str:
    now = int(desk.clock.now().timestamp())
    told = {"iss": ID, "sub": ID, "aud": ISSUER, "iat": now, "exp": now + 60}
    told |= {"jti": secrets.token_hex(8), **claims}
    head = {} if kid is None else {"kid": kid}
    return signed(key, head, {k: v for k, v in told.items() if v is not None})


async def let_in(desk: Desk, document: dict[str, Any] = CONFIDENTIAL):
    desk.kept.documents[ID] = document
    app = desk.app(ID)
    redirect = "https://app.example.com/cb"
    more = {"client_assertion_type": ASSERTION_TYPE}
    uri = await desk.push(app, redirect_uri=redirect, client_assertion=assertion(desk), **more)
    code = await desk.agree(app, uri)
    issued = await desk.redeem(
        app, code, redirect_uri=redirect, client_assertion=assertion(desk), **more
    )
    return app, issued


def test_a_confidential_client_proves_itself_at_each_step() -> None:
    async def story(desk: Desk) -> None:
        app, issued = await let_in(desk)
        assert desk.opens(app, issued.access)
        more = {"client_assertion_type": ASSERTION_TYPE}
        again = await desk.refresh(app, issued.refresh, client_assertion=assertion(desk), **more)
        assert desk.opens(app, again.access)
        with pytest.raises(PodError) as refused:
            await desk.refresh(app, again.refresh)
        assert refused.value.name == "invalid_client"
        desk.clock.pass_by(80 * 86_400)
        await desk.refresh(app, again.refresh, client_assertion=assertion(desk), **more)

    at_the_desk(story)


def test_keys_may_lie_elsewhere() -> None:
    async def story(desk: Desk) -> None:
        url = "https://app.example.com/jwks"
        desk.kept.documents[url] = CONFIDENTIAL["jwks"]
        told = {k: v for k, v in CONFIDENTIAL.items() if k != "jwks"} | {"jwks_uri": url}
        app, issued = await let_in(desk, told)
        assert desk.opens(app, issued.access)

    at_the_desk(story)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example.com/"},
        {"sub": "https://evil.example.com/"},
        {"aud": "https://other.example"},
        {"aud": None},
        {"iat": 0},
        {"iat": None},
        {"exp": 1},
        {"jti": None},
        {"kid": None},
        {"kid": "k2"},
        {"key": ECKey.generate_key("P-256")},
    ],
)
def test_a_wrong_assertion_is_refused(wrong: dict[str, Any]) -> None:
    async def story(desk: Desk) -> None:
        desk.kept.documents[ID] = CONFIDENTIAL
        app = desk.app(ID)
        form = app.asking(
            redirect_uri="https://app.example.com/cb",
            client_assertion=assertion(desk, **wrong),
            client_assertion_type=ASSERTION_TYPE,
        )
        with pytest.raises(PodError) as refused:
            await desk.server.push(desk.sent(app, "par", form))
        assert refused.value.name == "invalid_client"

    at_the_desk(story)


def test_an_assertion_is_good_once() -> None:
    async def story(desk: Desk) -> None:
        desk.kept.documents[ID] = CONFIDENTIAL
        app = desk.app(ID)
        form = app.asking(
            redirect_uri="https://app.example.com/cb",
            client_assertion=assertion(desk, aud=[ISSUER, "x"]),
            client_assertion_type=ASSERTION_TYPE,
        )
        await desk.server.push(desk.sent(app, "par", form))
        with pytest.raises(PodError) as refused:
            await desk.server.push(desk.sent(app, "par", form))
        assert refused.value.name == "invalid_client"

    at_the_desk(story)


def test_a_confidential_session_does_not_become_anybodys() -> None:
    async def story(desk: Desk) -> None:
        app, issued = await let_in(desk)
        desk.clock.pass_by(700)
        desk.kept.documents[ID] = GOOD
        with pytest.raises(PodError) as refused:
            await desk.refresh(app, issued.refresh)
        assert refused.value.name == "invalid_grant"

    at_the_desk(story)


@pytest.mark.parametrize(
    "page",
    [
        Page(ID, 404, {"Content-Type": "application/json"}, b"{}"),
        Page(ID, 200, {"Content-Type": "text/html"}, b"{}"),
        Page(ID, 200, {"Content-Type": "application/json"}, b"{"),
        Page("https://elsewhere.example/", 200, {"Content-Type": "application/json"}, b"{}"),
    ],
)
def test_a_document_that_is_not_to_be_had_makes_no_client(page: Page) -> None:
    async def story(desk: Desk) -> None:
        desk.kept.documents[ID] = page
        with pytest.raises(Invalid) as refused:
            await desk.server.clients.client(ID)
        assert refused.value.name == "invalid_client_metadata"

    at_the_desk(story)


def test_a_document_is_fetched_once_in_ten_minutes() -> None:
    async def story(desk: Desk) -> None:
        desk.kept.documents[ID] = GOOD
        for _ in range(3):
            await desk.server.clients.client(ID)
        assert desk.kept.fetched == [ID]
        desk.clock.pass_by(601)
        await desk.server.clients.client(ID)
        assert desk.kept.fetched == [ID, ID]

    at_the_desk(story)
