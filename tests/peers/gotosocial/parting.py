"""Pins, reports, blocks and leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.blackbox.test_own_domains import say
from tests.kit.xrpc_client import PASSWORD
from tests.peers.gotosocial.app import eventually
from tests.peers.gotosocial.conversation import at_home
from tests.peers.gotosocial.people import ALICE, BOB, related
from tests.peers.gotosocial.stage import Stage


def pins_are_seen(stage: Stage) -> str:
    """what alice pins is pinned there"""
    bob = stage.people["bob"]
    made = stage.alice.post("/api/v1/statuses", {"status": "read me first"})
    at_home(bob, "read me first")
    stage.alice.post(f"/api/v1/statuses/{made['id']}/pin")
    there = bob.find(f"@{ALICE}")["id"]

    def pinned() -> Any:
        shown = bob.get(f"/api/v1/accounts/{there}/statuses", pinned="true")
        assert any("read me first" in one["content"] for one in shown), shown
        return shown

    return f"{len(eventually(pinned))} pinned"


def reports_arrive(stage: Stage) -> str:
    """bob's report of alice is forwarded and reaches the pod's administrator"""
    bob = stage.people["bob"]
    there = bob.find(f"@{ALICE}")["id"]
    given = {"account_id": there, "comment": "too many gardens", "forward": True}
    bob.post("/api/v1/reports", given)
    eventually(lambda: "too many gardens" in stage.reports())
    return ""


def bob_blocks_alice(stage: Stage) -> str:
    """bob blocks alice: neither follows the other any more, and her posts stay away"""
    bob = stage.people["bob"]
    there, here = bob.find(f"@{ALICE}")["id"], stage.alice.find(f"@{BOB}")["id"]
    bob.post(f"/api/v1/accounts/{there}/block")

    def apart() -> bool:
        told = related(stage.alice, here)
        assert (told["following"], told["followed_by"]) == (False, False), told
        return True

    eventually(apart)
    bob.post(f"/api/v1/accounts/{there}/unblock")
    bob.post(f"/api/v1/accounts/{there}/follow")
    eventually(lambda: related(bob, there)["following"])
    return "and follows again after it"


def followed_by_ida(stage: Stage, address: str) -> None:
    """Let ida follow somebody."""
    ida = stage.people["ida"]
    there = ida.find(address)["id"]
    ida.post(f"/api/v1/accounts/{there}/follow")
    if address == "@zoe@gts.test":
        zoe = stage.people["zoe"]
        (asks,) = eventually(lambda: zoe.get("/api/v1/follow_requests"))
        zoe.post(f"/api/v1/follow_requests/{asks['id']}/authorize")
    eventually(lambda: related(ida, there)["following"])


def zoe_moves_here(stage: Stage) -> str:
    """zoe moves to alice, and who followed zoe follows alice"""
    ida, home = stage.people["ida"], stage.home
    followed_by_ida(stage, "@zoe@gts.test")
    names = asyncio.run(home.shown("/me"))["alsoKnownAs"]
    known = {"type": "Person", "id": home.actor}
    old = "https://gts.test/users/zoe"
    say(home, {"type": "Update", "object": {**known, "alsoKnownAs": [*names, old]}})
    given = {"password": PASSWORD, "moved_to_uri": home.actor}
    stage.people["zoe"].post("/api/v1/accounts/move", given)
    here = ida.find(f"@{ALICE}")["id"]
    eventually(lambda: related(ida, here)["following"])
    return ""


def carol_moves_away(stage: Stage) -> str:
    """carol moves to bob, and who followed carol asks to follow bob"""
    bob, carol = stage.people["bob"], stage.carol
    followed_by_ida(stage, f"@{carol.address}")
    bob.post("/api/v1/accounts/alias", {"also_known_as_uris": [carol.actor]})
    say(carol, {"type": "Move", "object": carol.actor, "target": "https://gts.test/users/bob"})
    asks = eventually(lambda: bob.get("/api/v1/follow_requests"))
    assert "ida" in [one["acct"] for one in asks], asks
    return str(stage.people["ida"].find(f"@{carol.address}")["moved"]["acct"])


def alice_leaves(stage: Stage) -> str:
    """alice deletes her account, and GoToSocial forgets her"""
    bob = stage.people["bob"]
    there = bob.find(f"@{ALICE}")["id"]
    stage.member.post("com.atproto.server.requestAccountDelete")
    given = {"did": stage.member.session["did"], "password": PASSWORD, "token": stage.letter()}
    stage.member.post("com.atproto.server.deleteAccount", given)

    def forgotten() -> bool:
        answer = bob.ask("GET", f"/api/v1/accounts/{there}")
        assert answer.status_code == 404 or answer.json().get("suspended"), answer.text
        return True

    eventually(forgotten)
    return ""


SCENES: list[Callable[[Stage], str]] = [
    pins_are_seen,
    reports_arrive,
    bob_blocks_alice,
    zoe_moves_here,
    carol_moves_away,
    alice_leaves,
]
