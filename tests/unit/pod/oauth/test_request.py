"""Pushed requests: what is taken, what is refused, whose browser they belong to."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from pod.errors import PodError
from tests.kit.authorisation import Desk, at_the_desk


async def refusal(work: Awaitable[Any]) -> str | None:
    with pytest.raises(PodError) as refused:
        await work
    return refused.value.name


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"redirect_uri": "http://127.0.0.1:18080/other"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/cb"}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:18080/cb#x"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "transition:generic"}, "invalid_scope"),
        ({"scope": "atproto repo:*"}, "invalid_scope"),
        ({"prompt": "none"}, "invalid_request"),
        ({"prompt": "force"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"login_hint": "not a handle"}, "invalid_request"),
        ({"state": "s" * 5_000}, "invalid_request"),
        ({"request": "a.b.c"}, "invalid_request"),
        ({"request_uri": "urn:x"}, "invalid_request"),
        ({"nonce": "n"}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"dpop_jkt": "k" * 43}, "invalid_dpop_proof"),
        ({"client_id": None}, "invalid_client"),
        ({"client_id": "http://localhost:8080"}, "invalid_client_metadata"),
    ],
)
def test_a_request_with_a_fault_is_refused(change: dict[str, str | None], name: str) -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        form = app.asking(**change)
        assert await refusal(desk.server.push(desk.sent(app, "par", form))) == name
        assert desk.kept.requests == {}

    at_the_desk(story)


def test_openid_is_refused_and_unknown_scopes_are_dropped() -> None:
    async def story(desk: Desk) -> None:
        client_id = "http://localhost?scope=atproto%20openid%20something:new"
        app = desk.app(client_id)
        form = app.asking(redirect_uri="http://127.0.0.1:3000/", scope="atproto openid")
        assert await refusal(desk.server.push(desk.sent(app, "par", form))) == "invalid_scope"
        uri = await desk.push(
            app, redirect_uri="http://127.0.0.1:3000/", scope="atproto something:new"
        )
        _, request = await desk.server.begin(uri, client_id, "device")
        assert request.parameters["scope"] == "atproto"

    at_the_desk(story)


def test_a_request_without_proof_is_bound_to_the_key_it_names() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        form = app.asking(dpop_jkt=app.jkt)
        uri, _ = await desk.server.push(desk.sent(app, "par", form, bare=True))
        code = await desk.agree(app, uri)
        thief = desk.app()
        thief.verifier = app.verifier
        assert await refusal(desk.redeem(thief, code)) == "invalid_grant"

    at_the_desk(story)


def test_a_request_is_for_one_client_and_one_browser() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        uri = await desk.push(app)
        begin = desk.server.begin
        assert await refusal(begin(uri, "http://localhost", "mine")) == "invalid_request"
        assert await refusal(begin("urn:other", app.client_id, "mine")) == "invalid_request"
        await begin(uri, app.client_id, "mine")
        await begin(uri, app.client_id, "mine")
        assert await refusal(begin(uri, app.client_id, "other")) == "access_denied"
        assert await refusal(begin(uri, app.client_id, "mine")) == "invalid_request"

    at_the_desk(story)


def test_a_request_waits_five_minutes_for_each_step() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        uri = await desk.push(app)
        for _ in range(3):
            desk.clock.pass_by(299)
            await desk.server.begin(uri, app.client_id, "device")
        desk.clock.pass_by(300)
        begun = desk.server.begin(uri, app.client_id, "device")
        assert await refusal(begun) == "access_denied"

    at_the_desk(story)


def test_a_request_is_agreed_to_once() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        uri = await desk.push(app)
        await desk.agree(app, uri)
        assert await refusal(desk.agree(app, uri)) == "access_denied"

    at_the_desk(story)


def test_a_hint_is_a_handle_or_a_did_in_any_case() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        uri = await desk.push(app, login_hint="Alice.TEST")
        _, request = await desk.server.begin(uri, app.client_id, "device")
        assert request.parameters["login_hint"] == "alice.test"

    at_the_desk(story)
