"""Permission sets: opened into what they may hold, cached, and refused when they are not there."""

from __future__ import annotations

from typing import Any

import pytest

from pod.errors import Invalid, PodError
from pod.oauth.scope import Include
from tests.kit.authorisation import Desk, at_the_desk

NSID = "com.example.authBasic"
AUD = "did:web:api.example.com#svc"
CLIENT = f"http://localhost?redirect_uri=http://127.0.0.1/cb&scope=atproto%20include:{NSID}"
SCOPE = f"include:{NSID}?aud={AUD.replace('#', '%23')}"


def published(*permissions: Any, **more: Any) -> dict[str, Any]:
    main = {"type": "permission-set", "title": "Basics", "permissions": list(permissions)}
    return {"lexicon": 1, "id": NSID, "defs": {"main": main | more}}


def repo(*collections: str, **more: Any) -> dict[str, Any]:
    return {"type": "permission", "resource": "repo", "collection": list(collections), **more}


def rpc(*lxms: str, **more: Any) -> dict[str, Any]:
    return {"type": "permission", "resource": "rpc", "lxm": list(lxms), **more}


@pytest.mark.parametrize(
    ("permission", "opened"),
    [
        (repo("com.example.post"), ["repo:com.example.post"]),
        (
            repo("com.example.post", action=["create"]),
            ["repo:com.example.post?action=create"],
        ),
        (
            repo("com.example.a", "com.example.b"),
            ["repo?collection=com.example.a&collection=com.example.b"],
        ),
        (repo("com.example.deep.thing"), ["repo:com.example.deep.thing"]),
        (rpc("com.example.get", aud="*"), ["rpc:com.example.get?aud=*"]),
        (
            rpc("com.example.get", inheritAud=True),
            ["rpc:com.example.get?aud=did:web:api.example.com%23svc"],
        ),
        (rpc("com.example.get"), []),
        (rpc("com.example.get", aud="did:web:evil.example#svc"), []),
        (rpc("com.example.get", "*", aud="*"), []),
        (repo("*"), []),
        (repo("com.example.post", "app.bsky.feed.post"), []),
        (repo("com.exampleevil.post"), []),
        (repo("com.example.post", action=["destroy"]), []),
        (repo("com.example.post", action="create"), []),
        (repo("com.example.post", extra=["x"]), []),
        ({"type": "permission", "resource": "repo"}, []),
        ({"type": "permission", "resource": "blob", "accept": ["*/*"]}, []),
        ({"type": "permission", "resource": "account", "attr": "email"}, []),
        ({"type": "permission", "resource": "identity", "attr": "*"}, []),
        ("text", []),
    ],
)
def test_a_set_holds_what_is_its_authors_to_give(permission: Any, opened: list[str]) -> None:
    async def story(desk: Desk) -> None:
        desk.kept.published[NSID] = published(permission)
        assert await desk.server.sets.open(["atproto", SCOPE]) == ["atproto", *opened]

    at_the_desk(story)


def test_an_apps_token_carries_the_permissions_of_its_sets() -> None:
    async def story(desk: Desk) -> None:
        desk.kept.published[NSID] = published(repo("com.example.post"))
        app = desk.app(CLIENT)
        issued = await desk.let_in(app, scope=f"atproto include:{NSID}")
        assert issued.scope == "atproto repo:com.example.post"
        desk.clock.pass_by(25 * 3_600)
        desk.kept.published[NSID] = published(repo("com.example.other"))
        again = await desk.refresh(app, issued.refresh)
        assert again.scope == "atproto repo:com.example.other"

    at_the_desk(story)


def test_a_set_that_nobody_publishes_is_refused_at_the_start() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app(CLIENT)
        for schema in (None, {"defs": {"main": {"type": "record"}}}, published(permissions=7), {}):
            if schema is not None:
                desk.kept.published[NSID] = schema
            with pytest.raises(PodError) as refused:
                await desk.push(app, scope=f"atproto include:{NSID}")
            assert refused.value.name == "invalid_scope"

    at_the_desk(story)


def test_a_set_is_fetched_once_a_day_and_serves_ninety_days_in_need() -> None:
    async def story(desk: Desk) -> None:
        include = Include(NSID)
        desk.kept.published[NSID] = published(repo("com.example.post"))
        for _ in range(3):
            found = await desk.server.sets.set_of(include)
        assert found.title == "Basics"
        assert desk.kept.fetched == [NSID]
        desk.kept.published.clear()
        desk.clock.pass_by(89 * 86_400)
        assert (await desk.server.sets.set_of(include)).permissions == found.permissions
        desk.clock.pass_by(2 * 86_400)
        with pytest.raises(Invalid):
            await desk.server.sets.set_of(include)

    at_the_desk(story)
