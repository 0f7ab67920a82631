"""The peers by themselves: that what the other tests rely on does what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.node import Peer, peer

pytestmark = pytest.mark.peer


def creation(author: str, number: int) -> dict[str, Any]:
    """A Create of a public note by `author`, as JSON."""
    public = "https://www.w3.org/ns/activitystreams#Public"
    note = {"type": "Note", "content": "hi", "attributedTo": author, "to": public}
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{author}/creates/{number}",
        "type": "Create",
        "actor": author,
        "to": public,
        "object": note | {"id": f"{author}/notes/{number}"},
    }


def heard(listener: Peer, matches: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first entry of a Fedify log that matches; waits up to ten seconds for it."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for entry in listener.ask("log"):
            if matches(entry):
                return dict(entry)
        time.sleep(0.05)
    raise AssertionError(listener.ask("log"))


def test_two_fedify_servers_follow_reply_like_boost_and_undo() -> None:
    with peer("fedify.mjs", "ann") as ann, peer("fedify.mjs", "ben", "cavage") as ben:
        ben.ask("follow", actor=ann.ready["actor"])
        heard(ben, lambda entry: entry["type"] == "Accept")
        assert ann.ask("followers") == [ben.ready["actor"]]

        note = ann.ask("post", text="<p>hello</p>")
        created = heard(ben, lambda entry: entry["type"] == "Create")
        assert created["shows"]["content"] == "<p>hello</p>"
        assert created["shows"]["id"] == note

        ben.ask("reply", object=note, text="<p>hi</p>")
        like = ben.ask("like", object=note)
        ben.ask("announce", object=note)
        ben.ask("undo", id=like)
        heard(ann, lambda entry: entry["type"] == "Undo")
        assert [entry["type"] for entry in ann.ask("log")] == [
            "Follow",
            "Create",
            "Like",
            "Announce",
            "Undo",
        ]
        assert ann.ask("log", since=1)[0]["shows"]["inReplyTo"] == note

        ann.ask("edit", id=note, text="<p>hello again</p>")
        ann.ask("delete", id=note)
        heard(ben, lambda entry: entry["type"] == "Delete")


@pytest.mark.parametrize("sign", ["none", "stranger", "own"])
def test_a_forged_activity_never_reaches_the_log(sign: str) -> None:
    with peer("fedify.mjs", "ann") as ann, peer("fedify.mjs", "eve") as eve:
        inbox, author = ann.ready["inbox"], eve.ready["actor"]
        forged = {"activity": creation(author, 1), "sign": sign}
        if sign == "own":
            forged["tamper"] = creation(author, 2)
        assert eve.ask("forge", inbox=inbox, **forged) >= 400
        assert eve.ask("forge", inbox=inbox, activity=creation(author, 3), sign="own") < 300
        entry = heard(ann, lambda entry: entry["type"] == "Create")
        assert entry["id"] == f"{author}/creates/3"
        assert len(ann.ask("log")) == 1


def test_the_plc_directory_answers_on_loopback() -> None:
    with peer("plc.mjs") as directory:
        assert directory.ready["url"].startswith("http://127.0.0.1:")


def test_peers_find_names_under_localhost_on_this_machine() -> None:
    with peer("plc.mjs") as directory, peer("solid_client.mjs") as app:
        url = directory.ready["url"].replace("127.0.0.1", "alice.localhost") + "/_health"
        assert app.ask("send", url=url, method="GET")["status"] == 200
