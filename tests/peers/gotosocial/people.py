"""Being found, followed and let in, in both directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.kit.story import picture
from tests.peers.gotosocial.app import App, eventually
from tests.peers.gotosocial.stage import Stage

ALICE: Final = "alice@alice.test"
BOB: Final = "bob@gts.test"


def related(app: App, account: str) -> Any:
    """How somebody stands to an account."""
    return app.get("/api/v1/accounts/relationships", **{"id[]": account})[0]


def bob_finds_alice(stage: Stage) -> str:
    """bob finds @alice@alice.test with her profile as she wrote it"""
    record = {
        "$type": "app.bsky.actor.profile",
        "displayName": "Alice",
        "description": "gardens in #berlin, see https://garden.example",
        "avatar": stage.blob(picture("red")),
        "createdAt": "2026-01-01T00:00:00Z",
    }
    stage.put("app.bsky.actor.profile", "self", record)
    found = stage.people["bob"].find(f"@{ALICE}")
    assert (found["acct"], found["display_name"], found["locked"]) == (ALICE, "Alice", False), found
    assert 'href="https://garden.example"' in found["note"], found["note"]
    assert ">#berlin</a>" in found["note"], found["note"]
    assert found["avatar"].startswith("https://gts.test/"), found["avatar"]
    return f"{found['acct']} {found['url']}"


def bob_follows_alice(stage: Stage) -> str:
    """bob follows alice, and both know"""
    bob = stage.people["bob"]
    there = bob.find(f"@{ALICE}")["id"]
    bob.post(f"/api/v1/accounts/{there}/follow")
    eventually(lambda: related(bob, there)["following"])
    told = eventually(lambda: stage.alice.noticed("follow"))
    assert told[0]["account"]["acct"] == BOB
    return told[0]["account"]["acct"]


def alice_follows_bob(stage: Stage) -> str:
    """alice asks to follow bob, who is locked, and he lets her in"""
    bob = stage.people["bob"]
    there = stage.alice.find(f"@{BOB}")
    assert (there["acct"], there["locked"]) == (BOB, True), there
    stage.alice.post(f"/api/v1/accounts/{there['id']}/follow")
    assert related(stage.alice, there["id"])["requested"] is True
    asks = eventually(lambda: bob.get("/api/v1/follow_requests"))
    assert asks[0]["acct"] == ALICE
    bob.post(f"/api/v1/follow_requests/{asks[0]['id']}/authorize")
    eventually(lambda: related(stage.alice, there["id"])["following"])
    return "requested, then following"


def eve_is_refused(stage: Stage) -> str:
    """alice locks her account, refuses eve's request and then grants it"""
    eve = stage.people["eve"]
    stage.alice.post("/api/v1/accounts/update_credentials", {"locked": True}, method="PATCH")
    there = eve.find(f"@{ALICE}")["id"]
    for verb, expected in (("reject", False), ("authorize", True)):
        eve.post(f"/api/v1/accounts/{there}/follow")
        asks = eventually(lambda: stage.alice.get("/api/v1/follow_requests"))
        assert asks[0]["acct"] == "eve@gts.test"
        stage.alice.post(f"/api/v1/follow_requests/{asks[0]['id']}/{verb}")
        eventually(lambda: not related(eve, there)["requested"])
        assert related(eve, there)["following"] is expected
    stage.alice.post("/api/v1/accounts/update_credentials", {"locked": False}, method="PATCH")
    return ""


def profile_is_edited(stage: Stage) -> str:
    """an edited profile is seen there"""
    bob = stage.people["bob"]
    stage.alice.post(
        "/api/v1/accounts/update_credentials",
        {
            "display_name": "Alice A.",
            "fields_attributes": {"0": {"name": "Garden", "value": "https://garden.example"}},
        },
        method="PATCH",
    )
    there = bob.find(f"@{ALICE}")["id"]

    def seen() -> Any:
        account = bob.get(f"/api/v1/accounts/{there}")
        assert account["display_name"] == "Alice A.", account
        return {one["name"]: one["value"] for one in account["fields"]}["Garden"]

    return str(eventually(seen))


def a_split_domain(stage: Stage) -> str:
    """a member whose address is on one domain and whose actor is on another is followed"""
    bob = stage.people["bob"]
    found = bob.find("@carol@carol.test")
    assert found["acct"] == "carol@carol.test", found
    bob.post(f"/api/v1/accounts/{found['id']}/follow")
    eventually(lambda: related(bob, found["id"])["following"])
    stage.carol.record("createRecord", "3kcarolaaaa22", "hello from two domains")
    eventually(lambda: [one for one in bob.home() if "two domains" in one["content"]])
    return str(found["url"])


SCENES: list[Callable[[Stage], str]] = [
    bob_finds_alice,
    bob_follows_alice,
    alice_follows_bob,
    eve_is_refused,
    profile_is_edited,
    a_split_domain,
]
