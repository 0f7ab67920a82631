"""Requests, blocks, moves, reports and farewells between a member and Fedify servers."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.blackbox.test_fedify import Alice, eventually, heard
from tests.kit.node import peer
from tests.kit.process import running

pytestmark = pytest.mark.peer
SECRET = "swordfish"


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alice]:
    """A running pod with the member alice."""
    secret = {"COMMONPOD_ADMIN_PASSWORD": SECRET}
    folder = tmp_path_factory.mktemp("relations") / "data"
    with running(folder, environment=secret) as server:
        yield join(server, "alice")


def join(server: Any, name: str) -> Alice:
    account = {"handle": f"{name}.test", "email": f"{name}@pod.test", "password": "correct horse"}
    made = Alice(server, "", "").xrpc("com.atproto.server.createAccount", account)
    return Alice(server, made["did"], made["accessJwt"])


def admin(alice: Alice, path: str, body: Any = None) -> Any:
    """Ask as the administrator."""
    secret = base64.b64encode(f"admin:{SECRET}".encode()).decode()
    headers = {
        "Authorization": f"Basic {secret}",
        "Accept": "application/json",
        "Content-Type": "application/json",
    }
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(alice.server.address + path, data=data, headers=headers)
    request.add_header("Host", f"localhost:{alice.server.port}")
    with urllib.request.urlopen(request, timeout=10) as response:
        raw = response.read()
    return json.loads(raw) if raw else None


def lock(alice: Alice, *, wanted: bool) -> None:
    view = {"type": "Person", "id": alice.actor, "manuallyApprovesFollowers": wanted}
    alice.say({"type": "Update", "object": view})


@pytest.mark.parametrize("scheme", ["rfc9421", "cavage"])
def test_a_request_is_held_and_accepted(alice: Alice, scheme: str) -> None:
    followers = f"{alice.server.origin('alice')}/followers"
    before = alice.total(followers)
    lock(alice, wanted=True)
    with peer("fedify.mjs", "rita", scheme) as rita:
        follow = rita.ask("follow", actor=alice.actor)
        actor = rita.ready["actor"]
        assert alice.total(followers) == before
        told = {"type": "Follow", "id": follow, "actor": actor, "object": alice.actor}
        alice.say({"type": "Accept", "object": told})
        accepted = heard(rita, lambda entry: entry["type"] == "Accept")
        assert accepted["object"] == follow
        assert alice.total(followers) == before + 1
        alice.say({"type": "Reject", "object": told})
        heard(rita, lambda entry: entry["type"] == "Reject" and entry["object"] == follow)
        assert alice.total(followers) == before
    lock(alice, wanted=False)


def test_blocks_are_heard_in_both_directions(alice: Alice) -> None:
    origin = alice.server.origin("alice")
    followers, following = f"{origin}/followers", f"{origin}/following"
    with peer("fedify.mjs", "olaf") as olaf:
        actor, before = olaf.ready["actor"], alice.total(followers)
        olaf.ask("follow", actor=alice.actor)
        eventually(lambda: alice.total(followers) == before + 1)
        alice.say({"type": "Follow", "object": actor})
        eventually(lambda: actor in alice.get(following)[1]["orderedItems"])

        block = olaf.ask("block", actor=alice.actor)
        eventually(lambda: alice.total(followers) == before)
        assert actor not in alice.get(following)[1]["orderedItems"]
        olaf.ask("undo", id=block)
        olaf.ask("follow", actor=alice.actor)
        eventually(lambda: alice.total(followers) == before + 1)

        made = alice.say({"type": "Block", "object": actor})
        heard(olaf, lambda entry: entry["type"] == "Block" and entry["id"] == made)
        assert alice.total(followers) == before
        olaf.ask("follow", actor=alice.actor)
        heard(olaf, lambda entry: entry["type"] == "Reject")
        assert alice.total(followers) == before
        alice.say({"type": "Undo", "object": made})
        heard(olaf, lambda entry: entry["type"] == "Undo" and entry["object"] == made)
        assert [entry for entry in olaf.ask("log") if entry["type"] == "Error"] == []


def test_a_report_goes_out_without_a_name_and_comes_in(alice: Alice) -> None:
    post = alice.post("Terrible words")
    with peer("fedify.mjs", "nina") as nina:
        nina.ask("flag", actor=alice.actor, objects=[alice.actor, post], text="mean")
        eventually(lambda: len(admin(alice, "/admin/federation")["reports"]) == 1)
        (report,) = admin(alice, "/admin/federation")["reports"]
        assert (report["subjects"], report["comment"]) == ([alice.actor, post], "mean")
        alice.say({"type": "Flag", "object": [nina.ready["actor"]], "content": "spam"})
        flag = heard(nina, lambda entry: entry["type"] == "Flag")
        assert flag["actor"] == f"{alice.server.url}/actor"
        assert alice.actor not in json.dumps(flag["document"])


def test_a_member_follows_along_when_somebody_moves(alice: Alice) -> None:
    following = f"{alice.server.origin('alice')}/following"
    with peer("fedify.mjs", "old") as old, peer("fedify.mjs", "new") as new:
        actor, target = old.ready["actor"], new.ready["actor"]
        alice.say({"type": "Follow", "object": actor})
        eventually(lambda: actor in alice.get(following)[1]["orderedItems"])
        new.ask("alias", actor=actor)
        old.ask("move", target=target)
        eventually(lambda: new.ask("followers") == [alice.actor])
        eventually(lambda: target in alice.get(following)[1]["orderedItems"])


def test_a_member_moves_away_to_a_fedify_server(alice: Alice) -> None:
    mover = join(alice.server, "mona")
    actor = f"{alice.server.origin('mona')}/me"
    say = speaks(mover, "mona")
    with peer("fedify.mjs", "fan") as fan, peer("fedify.mjs", "home") as home:
        fan.ask("follow", actor=actor)
        heard(fan, lambda entry: entry["type"] == "Accept")
        home.ask("alias", actor=actor)
        say({"type": "Move", "object": actor, "target": home.ready["actor"]})
        move = heard(fan, lambda entry: entry["type"] == "Move")
        assert (move["object"], move["document"]["target"]) == (actor, home.ready["actor"])
        shown = fan.ask("lookup", url=actor)
        assert shown["movedTo"] == home.ready["actor"]


def speaks(member: Alice, name: str) -> Any:
    """What posts to the outbox of another member."""

    def say(activity: dict[str, Any]) -> str:
        request = urllib.request.Request(
            f"{member.server.address}/outbox",
            data=json.dumps(activity).encode(),
            headers={
                "Content-Type": "application/activity+json",
                "Authorization": f"Bearer {member.token}",
                "Host": member.server.origin(name).removeprefix("http://"),
            },
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return str(response.headers["Location"])

    return say


def test_a_deleted_member_is_told_and_gone(alice: Alice) -> None:
    gone = join(alice.server, "gwen")
    origin = alice.server.origin("gwen")
    with peer("fedify.mjs", "ida") as ida:
        ida.ask("follow", actor=f"{origin}/me")
        heard(ida, lambda entry: entry["type"] == "Accept")
        admin(alice, "/xrpc/com.atproto.admin.deleteAccount", {"did": gone.did})
        farewell = heard(ida, lambda entry: entry["type"] == "Delete")
        assert farewell["object"] == f"{origin}/me"
        request = urllib.request.Request(
            f"{alice.server.address}/me",
            headers={
                "Accept": "application/activity+json",
                "Host": origin.removeprefix("http://"),
            },
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert refused.value.code == 410
        assert json.load(refused.value)["type"] == "Tombstone"


def test_a_deleted_peer_is_forgotten(alice: Alice) -> None:
    followers = f"{alice.server.origin('alice')}/followers"
    before = alice.total(followers)
    with peer("fedify.mjs", "otto") as otto:
        otto.ask("follow", actor=alice.actor)
        eventually(lambda: alice.total(followers) == before + 1)
        otto.ask("leave")
        eventually(lambda: alice.total(followers) == before)
