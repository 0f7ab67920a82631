"""Dynamic registration of clients over HTTP (RFC 7591)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pod.errors import Throttled
from pod.oauth.registration import MAX_UNUSED, Registrations
from tests.kit.apps import MemoryOAuth
from tests.kit.house import Pod
from tests.kit.whole import Reply, Town

WEB: dict[str, Any] = {"client_name": "An App", "redirect_uris": ["https://app.example/cb"]}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("registration"))
    yield town
    town.close()


def register(town: Town, told: Any) -> Reply:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    headers = {"content-type": "application/json"}
    return town.run(town.whole.send("POST", "/oauth/register", body, headers=headers))


def test_a_client_is_told_its_id_its_secret_and_the_defaults(town: Town) -> None:
    reply = register(town, {**WEB, "scope": "openid webid", "colour": "blue"})
    assert reply.status == 201
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["cache-control"] == "no-store"
    told = reply.json
    assert len(told["client_id"]) >= 24
    assert len(told["client_secret"]) >= 32
    assert told["client_secret_expires_at"] == 0
    assert told["client_id_issued_at"] > 0
    assert told["redirect_uris"] == WEB["redirect_uris"]
    assert told["token_endpoint_auth_method"] == "client_secret_basic"
    assert told["grant_types"] == ["authorization_code", "refresh_token"]
    assert told["response_types"] == ["code"]
    assert told["scope"] == "openid webid"
    assert "colour" not in told
    assert register(town, WEB).json["client_id"] != told["client_id"]


def test_a_public_client_has_no_secret(town: Town) -> None:
    told = register(town, {**WEB, "token_endpoint_auth_method": "none"}).json
    assert "client_secret" not in told


def test_the_secret_itself_is_not_kept(town: Town) -> None:
    told = register(town, WEB).json
    rows = town.whole.store.database.read.execute("SELECT body FROM oauth_client").fetchall()
    assert rows
    assert not any(told["client_secret"].encode() in bytes(body) for (body,) in rows)


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:8080/cb",
        "com.example.app:/cb",
        "icecubesapp://oauth",
    ],
)
def test_programs_on_a_device_may_be_sent_back_to(town: Town, uri: str) -> None:
    assert register(town, {"redirect_uris": [uri]}).status == 201


@pytest.mark.parametrize(
    "uris",
    [
        [],
        None,
        ["http://app.example/cb"],
        ["https://app.example/cb#x"],
        ["https://u:p@app.example/cb"],
        ["javascript:alert(1)"],
        ["data:text/html,x"],
        ["/cb"],
        ["urn:ietf:wg:oauth:2.0:oob"],
        ["https://app.example/cb"] * 33,
    ],
)
def test_a_redirect_that_leads_astray_is_refused(town: Town, uris: list[str] | None) -> None:
    told = {"redirect_uris": uris} if uris is not None else {}
    reply = register(town, told)
    assert (reply.status, reply.json["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    "told",
    [
        {"redirect_uris": "https://app.example/cb"},
        {"redirect_uris": [7]},
        {"grant_types": ["implicit"]},
        {"grant_types": ["refresh_token"]},
        {"grant_types": []},
        {"response_types": ["token"]},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": 7},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]},
        {"application_type": "toaster"},
        {"subject_type": "pairwise"},
        {"id_token_signed_response_alg": "none"},
        {"client_name": 7},
        {"logo_uri": "javascript:alert(1)"},
        {"client_name": "x" * 20_000},
        {"scope": ["openid"]},
    ],
)
def test_metadata_that_mean_nothing_here_are_refused(town: Town, told: dict[str, Any]) -> None:
    reply = register(town, {**WEB, **told})
    assert reply.status == 400
    assert reply.json["error"] == "invalid_client_metadata"


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"7"])
def test_what_is_no_object_is_refused(town: Town, body: bytes) -> None:
    reply = register(town, body)
    assert (reply.status, reply.json["error"]) == (400, "invalid_client_metadata")


def test_registrations_that_nobody_used_are_forgotten_and_never_too_many(town: Town) -> None:
    pod, kept = Pod(), MemoryOAuth()
    desk = Registrations(kept, pod.clock)

    async def story() -> None:
        unused, _ = await desk.add(WEB)
        used, _ = await desk.add(WEB)
        await kept.use_client(used.id, pod.clock.now())
        pod.clock.pass_by(3 * 86_400)
        await desk.forget_unused()
        assert kept.client(unused.id) is None
        assert kept.client(used.id) is not None
        pod.clock.pass_by(366 * 86_400)
        await desk.forget_unused()
        assert kept.client(used.id) is None
        for _ in range(MAX_UNUSED):
            await desk.add(WEB)
        with pytest.raises(Throttled):
            await desk.add(WEB)

    town.run(story())
