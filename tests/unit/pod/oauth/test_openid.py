"""Tokens of the OpenID kind, Client ID Documents, and what happens when the key changes."""

from __future__ import annotations

from typing import Any

import pytest

from pod.errors import Invalid, Unauthenticated
from pod.model.ids import MemberId
from pod.oauth.reach import Reach
from pod.oauth.registration import SOLID_CONTEXT, check_client_address, is_solid, solid_document
from tests.kit.apps import App, Page
from tests.kit.authorisation import Desk, at_the_desk

ID = "https://app.example/id"
GOOD: dict[str, Any] = {
    "@context": [SOLID_CONTEXT],
    "client_id": ID,
    "client_name": "Solid App",
    "redirect_uris": ["https://app.example/cb"],
    "scope": "openid webid offline_access",
    "grant_types": ["authorization_code", "refresh_token"],
}
CALLBACK = "https://app.example/cb"
SCOPE = "openid webid offline_access"


async def let_in(desk: Desk, app: App, *, scope: str = f"{SCOPE} reach:r:/data/") -> str:
    """An access token, by the whole way that an app takes."""
    desk.kept.documents[ID] = GOOD
    fields = app.asking(scope=SCOPE, redirect_uri=CALLBACK, nonce="n")
    _, request = await desk.server.bring(fields, "device")
    code = await desk.server.requests.agree(request, desk.member, scope=scope)
    return (await desk.redeem(app, code, redirect_uri=CALLBACK)).access


def shown(desk: Desk, app: App, token: str) -> MemberId:
    url = "https://alice.example/data/"
    return desk.server.solid(token, app.proof(url, "GET", token), "GET", url).member


def test_a_document_with_solids_context_is_one_unless_it_is_for_the_other_protocol() -> None:
    assert is_solid(GOOD)
    assert is_solid(GOOD | {"@context": SOLID_CONTEXT})
    assert not is_solid(GOOD | {"scope": "atproto openid"})
    assert not is_solid({k: v for k, v in GOOD.items() if k != "@context"})
    assert not is_solid([GOOD])
    found = solid_document(ID, GOOD)
    assert (found.rules, found.name, found.auth_method) == ("wide", "Solid App", "none")


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "https://other.example/id"},
        {"client_id": None},
        {"redirect_uris": []},
        {"redirect_uris": ["http://app.example/cb"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"grant_types": ["implicit"]},
        {"tos_uri": "javascript:alert(1)"},
    ],
)
def test_a_document_that_breaks_a_rule_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        solid_document(ID, GOOD | change)


@pytest.mark.parametrize(
    ("address", "in_dev", "in_earnest"),
    [
        ("https://app.example/id", True, True),
        ("https://app.example:8443/id#", False, False),
        ("https://u:p@app.example/id", False, False),
        ("https://app.example/id#this", False, False),
        ("http://localhost:3000/id", True, False),
        ("http://app.example/id", False, False),
        ("ftp://app.example/id", False, False),
    ],
)
def test_where_a_document_may_be(address: str, in_dev: bool, in_earnest: bool) -> None:
    for is_dev, may in ((True, in_dev), (False, in_earnest)):
        if may:
            check_client_address(address, is_dev=is_dev)
        else:
            with pytest.raises(Invalid):
                check_client_address(address, is_dev=is_dev)


def test_a_client_id_document_is_fetched_and_held_to_its_redirects() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app(ID)
        assert shown(desk, app, await let_in(desk, app)) == desk.member.id
        assert desk.kept.fetched == [ID]
        asked = app.asking(scope=SCOPE, redirect_uri="https://app.example/other")
        with pytest.raises(Invalid):
            await desk.server.bring(asked, "device")
        moved = desk.app("https://moved.example/id")
        body = Page("https://evil.example/id", 200, {"Content-Type": "application/ld+json"}, b"{}")
        desk.kept.documents[moved.client_id] = body
        with pytest.raises(Invalid):
            await desk.server.bring(moved.asking(scope=SCOPE), "device")

    at_the_desk(story)


def test_a_document_for_solid_is_none_for_the_other_protocol() -> None:
    async def story(desk: Desk) -> None:
        desk.kept.documents[ID] = GOOD | {"scope": ""}
        app = desk.app(ID)
        with pytest.raises(Invalid) as refused:
            await desk.push(app, scope="atproto", redirect_uri=CALLBACK)
        assert refused.value.name == "invalid_client_metadata"

    at_the_desk(story)


def test_tokens_outlive_one_change_of_the_key() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app(ID)
        token = await let_in(desk, app)
        before = {key["kid"] for key in desk.server.openid.published()["keys"]}
        await desk.pod.keyring.rotate_token_key()
        after = [key["kid"] for key in desk.server.openid.published()["keys"]]
        assert len(after) == 2
        assert before == {after[1]}
        assert shown(desk, app, token) == desk.member.id
        await desk.pod.keyring.rotate_token_key()
        with pytest.raises(Unauthenticated):
            shown(desk, app, token)

    at_the_desk(story)


def test_a_token_is_good_for_its_time_its_key_and_its_session() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app(ID)
        token = await let_in(desk, app)
        thief = App(desk.clock, ID)
        with pytest.raises(Unauthenticated) as refused:
            shown(desk, thief, token)
        assert refused.value.name == "invalid_dpop_proof"
        head, body, signature = token.split(".")
        for forged in (f"{head}.{body}.{'A' * 86}", f"{head}.{body}.", f"{head}..{signature}"):
            with pytest.raises(Unauthenticated):
                shown(desk, app, forged)
        desk.clock.pass_by(1201)
        with pytest.raises(Unauthenticated):
            shown(desk, app, token)
        again = await let_in(desk, app := desk.app(ID))
        await desk.kept.end_sessions(desk.member.id)
        with pytest.raises(Unauthenticated):
            shown(desk, app, again)

    at_the_desk(story)


def test_an_identity_token_opens_nothing() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app(ID)
        desk.kept.documents[ID] = GOOD
        fields = app.asking(scope=SCOPE, redirect_uri=CALLBACK)
        _, request = await desk.server.bring(fields, "device")
        code = await desk.server.requests.agree(request, desk.member)
        issued = await desk.redeem(app, code, redirect_uri=CALLBACK)
        with pytest.raises(Unauthenticated):
            shown(desk, app, issued.told["id_token"])
        assert desk.server.openid.signed_for(issued.told["id_token"]) is not None
        assert issued.told["scope"] == SCOPE

    at_the_desk(story)


def test_a_reach_narrows_and_never_adds() -> None:
    reach = Reach.of(["openid", "reach:w:/data/notes/", "reach:r:/data/", "reach:x:/", "reach:w:"])
    assert reach == Reach((("/data/notes/", "w"), ("/data/", "r")))
    everything = frozenset({"read", "append", "write", "control"})
    path = "/data/notes/a"
    assert reach.narrow(everything, path, path) == {"read", "append", "write"}
    assert reach.narrow(frozenset({"write"}), "/data/x", "/data/x") == frozenset()
    assert reach.narrow(everything, "/data/notes", "/data/notes") == {"read"}
    assert reach.narrow(everything, f"{path}.acl", path) == frozenset()
    assert reach.narrow(everything, "/repo/x/y", "/repo/x/y") == frozenset()
    assert Reach.of(["reach:c:/"]) is None
    assert Reach.of(["openid"]) == Reach()
    assert Reach.of(reach.scopes()) == reach
