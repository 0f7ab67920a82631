"""What an app's token opens on every wing: what its scopes say, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.surfer import GENERIC, ORIGIN, Visitor, visitor
from tests.kit.whole import AS2, POST, SERVER, TURTLE, Reply, Town

HOME = f"alice.{SERVER}"
KEY = "3jzfcijpj2z2a"
LIKE = "app.bsky.feed.like"
RECORD = {"$type": POST, "text": "by an app", "createdAt": "2026-11-24T12:00:00Z"}
NOT_FOR_APPS = "OAuth credentials are not supported for this endpoint"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("scopes"))
    town.run(town.whole.join("alice"))
    yield town
    town.close()


@pytest.fixture(scope="module")
def apps(town: Town) -> dict[str, Visitor]:
    return {}


def let_in(town: Town, apps: dict[str, Visitor], scope: str) -> Visitor:
    """An app with a scope; each scope signs in once."""
    if scope not in apps:
        app = visitor(town.whole, scope)
        town.run(app.be_let_in(scope))
        apps[scope] = app
    return apps[scope]


async def call(app: Visitor, nsid: str, given: Any = None) -> Reply:
    if given is None:
        return await app.call("GET", f"/xrpc/{nsid}")
    headers = {"content-type": "application/json"}
    return await app.call("POST", f"/xrpc/{nsid}", json.dumps(given), **headers)


def did(town: Town) -> str:
    member = town.whole.store.member_by_handle("alice.test")  # type: ignore[arg-type]  it is one
    assert member is not None
    return member.did


def missing(reply: Reply) -> str:
    """The scope that a refusal names."""
    assert reply.status == 403, reply.body
    assert reply.json["error"] == "ScopeMissingError"
    text: str = reply.json["message"]
    return text.removeprefix('Missing required scope "').removesuffix('"')


WRITES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("createRecord", {"collection": POST, "record": RECORD}, [f"repo:{POST}?action=create"]),
    (
        "putRecord",
        {"collection": POST, "rkey": KEY, "record": RECORD},
        [f"repo:{POST}?action=create", f"repo:{POST}?action=update"],
    ),
    ("deleteRecord", {"collection": POST, "rkey": KEY}, [f"repo:{POST}?action=delete"]),
    (
        "applyWrites",
        {
            "writes": [
                {
                    "$type": "com.atproto.repo.applyWrites#create",
                    "collection": POST,
                    "value": RECORD,
                }
            ]
        },
        [f"repo:{POST}?action=create"],
    ),
]


@pytest.mark.parametrize(("name", "given", "needed"), WRITES, ids=[w[0] for w in WRITES])
def test_a_write_needs_repo_scopes(
    town: Town, apps: dict[str, Visitor], name: str, given: dict[str, Any], needed: list[str]
) -> None:
    nsid, body = f"com.atproto.repo.{name}", {"repo": did(town), **given}
    head = town.whole.store.head_seq()
    weak = let_in(town, apps, f"atproto repo:{LIKE}")
    assert missing(town.run(call(weak, nsid, body))) == needed[0]
    assert town.whole.store.head_seq() == head
    for scope in (f"atproto {' '.join(needed)}", f"atproto repo:{POST}", "atproto repo:*", GENERIC):
        reply = town.run(call(let_in(town, apps, scope), nsid, body))
        assert reply.status == 200, (scope, reply.body)


def test_one_write_out_of_scope_refuses_them_all(town: Town, apps: dict[str, Visitor]) -> None:
    kind = "com.atproto.repo.applyWrites#"
    writes = [
        {"$type": f"{kind}create", "collection": POST, "value": RECORD},
        {"$type": f"{kind}delete", "collection": LIKE, "rkey": "one"},
    ]
    app = let_in(town, apps, f"atproto repo:{POST}")
    head = town.whole.store.head_seq()
    body = {"repo": did(town), "writes": writes}
    reply = town.run(call(app, "com.atproto.repo.applyWrites", body))
    assert missing(reply) == f"repo:{LIKE}?action=delete"
    assert town.whole.store.head_seq() == head


def test_an_upload_needs_its_media_type(town: Town, apps: dict[str, Visitor]) -> None:
    async def upload(app: Visitor, media_type: str) -> Reply:
        path = "/xrpc/com.atproto.repo.uploadBlob"
        return await app.call("POST", path, b"some words", **{"content-type": media_type})

    images = let_in(town, apps, "atproto blob:image/*")
    assert missing(town.run(upload(images, "text/plain"))) == "blob:text/plain"
    assert missing(town.run(upload(images, "Text/Plain; charset=utf-8"))) == "blob:text/plain"
    assert town.run(upload(images, "image/png")).status == 200
    assert town.run(upload(let_in(town, apps, GENERIC), "text/plain")).status == 200


def test_the_email_address_needs_its_scope(town: Town, apps: dict[str, Visitor]) -> None:
    for scope, sees in (
        (GENERIC, False),
        ("atproto", False),
        ("atproto transition:email", True),
        ("atproto account:email", True),
    ):
        reply = town.run(call(let_in(town, apps, scope), "com.atproto.server.getSession"))
        assert reply.status == 200
        assert ("email" in reply.json, "emailConfirmed" in reply.json) == (sees, sees)


@pytest.mark.parametrize(
    ("nsid", "given", "needed"),
    [
        ("com.atproto.identity.updateHandle", {"handle": "alice.test"}, "identity:handle"),
        ("com.atproto.server.deactivateAccount", {}, "account:status?action=manage"),
        (
            "com.atproto.server.getServiceAuth?aud=did:web:a.b&lxm=app.bsky.feed.getFeed",
            None,
            "rpc:app.bsky.feed.getFeed?aud=did:web:a.b",
        ),
        (
            "com.atproto.server.getServiceAuth?aud=did:web:a.b",
            None,
            "rpc:*?aud=did:web:a.b",
        ),
        ("app.bsky.actor.getPreferences", None, "rpc:app.bsky.actor.getPreferences?aud=*"),
        ("chat.bsky.convo.getLog", None, "rpc:chat.bsky.convo.getLog?aud=*"),
    ],
)
def test_other_methods_need_theirs(
    town: Town, apps: dict[str, Visitor], nsid: str, given: Any, needed: str
) -> None:
    assert missing(town.run(call(let_in(town, apps, "atproto"), nsid, given))) == needed


@pytest.mark.parametrize(
    ("nsid", "given"),
    [
        ("com.atproto.server.createAppPassword", {"name": "x"}),
        ("com.atproto.server.listAppPasswords", None),
        ("com.atproto.server.revokeAppPassword", {"name": "x"}),
        ("com.atproto.server.activateAccount", {}),
        ("com.atproto.server.requestAccountDelete", {}),
    ],
)
def test_some_methods_are_for_no_app_at_all(
    town: Town, apps: dict[str, Visitor], nsid: str, given: Any
) -> None:
    scope = f"{GENERIC} account:repo?action=manage account:status?action=manage identity:*"
    reply = town.run(call(let_in(town, apps, scope), nsid, given))
    assert (reply.status, reply.json["error"]) == (403, "Forbidden")
    assert "OAuth" in reply.json["message"]


def test_a_call_of_another_service_is_held_to_method_and_service(
    town: Town, apps: dict[str, Visitor]
) -> None:
    aud = "did:web:view.example#bsky_appview"
    scope = f"atproto rpc:app.bsky.feed.getTimeline?aud={aud.replace('#', '%23')}"
    app = let_in(town, apps, scope)

    async def ask(nsid: str, to: str) -> Reply:
        return await app.call("GET", f"/xrpc/{nsid}", **{"atproto-proxy": to})

    wrong = town.run(ask("app.bsky.feed.getTimeline", "did:web:other.example#bsky_appview"))
    assert missing(wrong).startswith("rpc:app.bsky.feed.getTimeline?aud=did:web:other.example")
    assert missing(town.run(ask("app.bsky.feed.getQuotes", aud))).startswith(
        "rpc:app.bsky.feed.getQ"
    )
    # It passes the gate; that service cannot be found.
    assert town.run(ask("app.bsky.feed.getTimeline", aud)).json["error"] == "UpstreamFailure"


def test_preferences_are_for_apps_with_the_generic_scope(
    town: Town, apps: dict[str, Visitor]
) -> None:
    app = let_in(town, apps, GENERIC)
    assert town.run(call(app, "app.bsky.actor.getPreferences")).status == 200


def test_an_apps_token_does_not_refresh_a_session(town: Town, apps: dict[str, Visitor]) -> None:
    app = let_in(town, apps, GENERIC)
    reply = town.run(app.call("POST", "/xrpc/com.atproto.server.refreshSession"))
    assert (reply.status, reply.json["error"]) == (400, "InvalidToken")


def test_a_token_of_an_app_is_no_bearer_token(town: Town, apps: dict[str, Visitor]) -> None:
    app = let_in(town, apps, GENERIC)
    path = "/xrpc/com.atproto.server.getSession"
    for headers in ({}, {"dpop": app.app.proof(ORIGIN + path, "GET", app.access)}):
        reply = town.run(town.whole.send("GET", path, token=app.access, headers=headers))
        assert (reply.status, reply.json["error"]) == (400, "InvalidToken")


def test_the_nonce_is_told_with_every_answer_and_asked_for_with_a_challenge(
    town: Town, apps: dict[str, Visitor]
) -> None:
    app = let_in(town, apps, GENERIC)
    path = "/xrpc/com.atproto.server.getSession"
    good = town.run(app.call("GET", path))
    assert good.headers["dpop-nonce"]
    proof = app.app.proof(ORIGIN + path, "GET", app.access, nonce=None)
    headers = {"authorization": f"DPoP {app.access}", "dpop": proof}
    bad = town.run(town.whole.send("GET", path, headers=headers))
    assert (bad.status, bad.json["error"]) == (401, "use_dpop_nonce")
    assert bad.headers["dpop-nonce"]
    assert bad.headers["www-authenticate"].startswith('DPoP algs="ES256')
    assert 'error="use_dpop_nonce"' in bad.headers["www-authenticate"]


@pytest.mark.parametrize("token", ["", "nonsense", "acc-AAAA"])
def test_what_is_no_token_is_refused(town: Town, apps: dict[str, Visitor], token: str) -> None:
    app = let_in(town, apps, GENERIC)
    path = "/xrpc/com.atproto.server.getSession"
    headers = {
        "authorization": f"DPoP {token}",
        "dpop": app.app.proof(ORIGIN + path, "GET", token),
    }
    reply = town.run(town.whole.send("GET", path, headers=headers))
    assert (reply.status, reply.json["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in reply.headers["www-authenticate"]


def test_a_proof_for_one_address_opens_no_other(town: Town, apps: dict[str, Visitor]) -> None:
    app = let_in(town, apps, GENERIC)
    proof = app.app.proof(f"{ORIGIN}/xrpc/a.b.c", "GET", app.access)
    headers = {"authorization": f"DPoP {app.access}", "dpop": proof}
    path = "/xrpc/com.atproto.server.getSession"
    reply = town.run(town.whole.send("GET", path, headers=headers))
    assert (reply.status, reply.json["error"]) == (401, "invalid_dpop_proof")


def test_on_the_solid_wing_a_token_writes_records_within_its_scope_only(
    town: Town, apps: dict[str, Visitor]
) -> None:
    app = let_in(town, apps, GENERIC)
    weak = let_in(town, apps, f"atproto repo:{LIKE}")
    path = f"/repo/{POST}/3jzfcijpj2z2b"
    body = json.dumps(RECORD).encode()
    headers = {"content-type": "application/json"}
    refused = town.run(weak.call("PUT", path, body, HOME, **headers))
    assert refused.status == 403
    assert "Missing required scope" in refused.json["detail"]
    assert town.run(app.call("PUT", path, body, HOME, **headers)).status in (201, 204, 205)
    assert town.run(weak.call("DELETE", path, b"", HOME)).status == 403
    assert town.run(app.call("DELETE", path, b"", HOME)).status in (200, 204, 205)


@pytest.mark.parametrize(
    ("method", "path", "body", "media_type"),
    [
        ("PUT", "/data/note.ttl", b"<a> <b> <c>.", TURTLE),
        ("GET", "/data/", b"", TURTLE),
        ("PUT", "/data/.acl", b"", TURTLE),
        ("GET", "/data/.acl", b"", TURTLE),
    ],
)
def test_private_ground_is_closed_to_tokens_of_the_at_protocol(
    town: Town, apps: dict[str, Visitor], method: str, path: str, body: bytes, media_type: str
) -> None:
    app = let_in(town, apps, GENERIC)
    headers = {"content-type": media_type} if body else {"accept": media_type}
    assert town.run(app.call(method, path, body, HOME, **headers)).status in (403, 404)


def test_a_bad_proof_is_told_on_the_solid_wing_too(town: Town, apps: dict[str, Visitor]) -> None:
    app = let_in(town, apps, GENERIC)
    headers = {"authorization": f"DPoP {app.access}", "dpop": "nonsense"}
    for accept in (TURTLE, AS2):
        reply = town.run(
            town.whole.send("GET", "/me", host=HOME, headers=headers | {"accept": accept})
        )
        assert reply.status == 401
        assert 'error="invalid_dpop_proof"' in reply.headers["www-authenticate"]
        assert reply.headers["dpop-nonce"]
