"""A member and a Fedify server federate: both signatures, both directions, and no forgery."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.kit.node import Peer, peer
from tests.kit.process import Server, running

pytestmark = pytest.mark.peer
WITHIN_S = 20.0
NOW = "2026-11-24T12:00:00.000Z"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@dataclass
class Alice:
    """A member, driven over XRPC."""

    server: Server
    did: str
    token: str

    @property
    def actor(self) -> str:
        return f"{self.server.origin('alice')}/me"

    def xrpc(self, method: str, body: Any, media_type: str = "application/json") -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": media_type}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(
            f"{self.server.address}/xrpc/{method}", data=data, headers=headers
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            raw = response.read()
        return json.loads(raw) if raw else None

    def write(self, collection: str, record: dict[str, Any]) -> str:
        """Create a record; the URL of its object."""
        body = {"repo": self.did, "collection": collection, "record": record}
        return self.url(self.xrpc("com.atproto.repo.createRecord", body)["uri"])

    def post(self, text: str, **more: Any) -> str:
        return self.write("app.bsky.feed.post", {"text": text, "createdAt": NOW} | more)

    def url(self, uri: str) -> str:
        collection, rkey = uri.split("/")[-2:]
        return f"{self.server.origin('alice')}/repo/{collection}/{rkey}"

    def edit(self, url: str, text: str) -> None:
        collection, rkey = url.split("/")[-2:]
        record = {"$type": collection, "text": text, "createdAt": NOW}
        body = {"repo": self.did, "collection": collection, "rkey": rkey, "record": record}
        self.xrpc("com.atproto.repo.putRecord", body)

    def delete(self, url: str) -> None:
        collection, rkey = url.split("/")[-2:]
        body = {"repo": self.did, "collection": collection, "rkey": rkey}
        self.xrpc("com.atproto.repo.deleteRecord", body)

    def get(self, url: str) -> tuple[int, Any]:
        """An AS2 document, fetched as the wire has it."""
        origin = self.server.origin("alice")
        host = origin.removeprefix("http://")
        request = urllib.request.Request(
            url.replace(origin, self.server.address),
            headers={"Accept": "application/activity+json", "Host": host},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def say(self, activity: dict[str, Any]) -> str:
        """Post an activity to the member's own outbox; the URL of what was made."""
        request = urllib.request.Request(
            f"{self.server.address}/outbox",
            data=json.dumps(activity).encode(),
            headers={
                "Content-Type": "application/activity+json",
                "Authorization": f"Bearer {self.token}",
                "Host": self.server.origin("alice").removeprefix("http://"),
            },
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            location: str = response.headers["Location"]
        return location

    def total(self, url: str) -> int:
        found: int = self.get(url)[1]["totalItems"]
        return found


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alice]:
    """A running pod with the member alice."""
    with running(tmp_path_factory.mktemp("fedify") / "data") as server:
        stranger = Alice(server, "", "")
        made = stranger.xrpc(
            "com.atproto.server.createAccount",
            {"handle": "alice.test", "email": "a@a.test", "password": "correct horse"},
        )
        yield Alice(server, made["did"], made["accessJwt"])


def heard(listener: Peer, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The entry of a peer's log that was waited for."""

    def found() -> dict[str, Any] | None:
        return next((entry for entry in listener.ask("log") if wanted(entry)), None)

    return eventually(found, lambda: listener.ask("log"))


def eventually(found: Callable[[], Any], told: Callable[[], Any] = lambda: None) -> Any:
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError(told())


def about(url: str, kind: str) -> Callable[[dict[str, Any]], bool]:
    return lambda entry: entry["type"] == kind and entry["object"] == url


def facet(text: str, words: str, feature: dict[str, Any]) -> dict[str, Any]:
    start = text.encode().index(words.encode())
    end = start + len(words.encode())
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}


@pytest.mark.parametrize("scheme", ["rfc9421", "cavage"])
def test_a_fedify_follower_sees_a_post_whole_and_its_edit_and_its_end(
    alice: Alice, scheme: str
) -> None:
    with peer("fedify.mjs", "bob", scheme) as bob:
        follow = bob.ask("follow", actor=alice.actor)
        accept = heard(bob, lambda entry: entry["type"] == "Accept")
        assert (accept["actor"], accept["object"]) == (alice.actor, follow)

        blob = alice.xrpc("com.atproto.repo.uploadBlob", PNG, "image/png")["blob"]
        text = "Thanks @bob! See coop.example 🌻 #harvest"
        link = "app.bsky.richtext.facet#link"
        post = alice.post(
            text,
            langs=["en"],
            facets=[
                facet(text, "@bob", {"$type": link, "uri": bob.ready["actor"]}),
                facet(text, "coop.example", {"$type": link, "uri": "https://coop.example/a?b=c&d"}),
                facet(text, "#harvest", {"$type": "app.bsky.richtext.facet#tag", "tag": "harvest"}),
            ],
            embed={
                "$type": "app.bsky.embed.images",
                "images": [
                    {
                        "alt": "Sunflowers",
                        "image": blob,
                        "aspectRatio": {"width": 4, "height": 3},
                    }
                ],
            },
        )
        shows = heard(bob, about(post, "Create"))["shows"]
        assert shows["type"] == "Note"
        assert "🌻" in shows["content"]
        assert f'<a href="{bob.ready["actor"]}" class="u-url mention">@bob</a>' in shows["content"]
        assert '<a href="https://coop.example/a?b=c&amp;d"' in shows["content"]
        assert {"text": shows["content"], "language": "en"} in shows["contents"]
        assert {tag["type"]: tag["name"] for tag in shows["tags"]} == {
            "Mention": "@bob",
            "Hashtag": "#harvest",
        }
        (picture,) = shows["attachments"]
        assert (picture["alt"], picture["mediaType"]) == ("Sunflowers", "image/png")
        assert (picture["width"], picture["height"]) == (4, 3)
        with urllib.request.urlopen(
            urllib.request.Request(
                picture["url"].replace(alice.server.origin("alice"), alice.server.address),
                headers={"Host": f"alice.localhost:{alice.server.port}"},
            ),
            timeout=10,
        ) as response:
            assert response.read() == PNG

        alice.edit(post, "Better words")
        edited = heard(bob, about(post, "Update"))
        assert edited["shows"]["content"] == "<p>Better words</p>"
        alice.delete(post)
        heard(bob, about(post, "Delete"))
        assert alice.get(post)[0] == 410
        assert [entry for entry in bob.ask("log") if entry["type"] == "Error"] == []


@pytest.mark.parametrize("scheme", ["rfc9421", "cavage"])
def test_replies_likes_and_boosts_arrive_and_go(alice: Alice, scheme: str) -> None:
    post = alice.post("What do you think?")
    with peer("fedify.mjs", "eve", scheme) as eve:
        assert eve.ask("show", url=post)["content"] == "<p>What do you think?</p>"
        reply = eve.ask("reply", object=post, text="<p>Nice</p>")
        like = eve.ask("like", object=post)
        boost = eve.ask("announce", object=post)
        for part in ("replies", "likes", "shares"):
            eventually(lambda part=part: alice.total(f"{post}?c={part}") == 1)
        assert alice.get(f"{post}?c=replies")[1]["first"]["items"] == [reply]
        eve.ask("undo", id=like)
        eve.ask("undo", id=boost)
        eve.ask("delete", id=reply)
        for part in ("replies", "likes", "shares"):
            eventually(lambda part=part: alice.total(f"{post}?c={part}") == 0)


def test_an_unfollow_is_heard(alice: Alice) -> None:
    followers = f"{alice.server.origin('alice')}/followers"
    before = alice.total(followers)
    with peer("fedify.mjs", "zoe") as zoe:
        follow = zoe.ask("follow", actor=alice.actor)
        eventually(lambda: alice.total(followers) == before + 1)
        zoe.ask("undo", id=follow)
        eventually(lambda: alice.total(followers) == before)


@pytest.mark.parametrize("scheme", ["rfc9421", "cavage"])
@pytest.mark.parametrize("sign", ["none", "stranger", "own"])
def test_forged_and_unsigned_activities_do_not_arrive(alice: Alice, scheme: str, sign: str) -> None:
    post = alice.post("Do not touch")
    inbox = f"http://localhost:{alice.server.port}/inbox"
    with peer("fedify.mjs", "mallory", scheme) as mallory:
        actor = mallory.ready["actor"]

        def like(number: int) -> dict[str, Any]:
            return {
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": f"{actor}/likes/{number}",
                "type": "Like",
                "actor": actor,
                "object": post,
            }

        forged = {"inbox": inbox, "activity": like(1), "sign": sign}
        if sign == "own":
            forged["tamper"] = like(2)
        assert mallory.ask("forge", **forged) == 401
        assert alice.total(f"{post}?c=likes") == 0
        assert mallory.ask("forge", inbox=inbox, activity=like(3), sign="own") == 202
        assert alice.total(f"{post}?c=likes") == 1


def test_the_actor_is_found_by_its_address_and_reads_whole(alice: Alice) -> None:
    with peer("fedify.mjs", "ida") as ida:
        person = ida.ask("lookup", url=alice.actor)
        assert person["id"] == alice.actor
        assert person["preferredUsername"] == "alice"
        assert alice.did in person["alsoKnownAs"]


def test_a_member_follows_likes_boosts_and_answers_a_fedify_actor(alice: Alice) -> None:
    following = f"{alice.server.origin('alice')}/following"
    with peer("fedify.mjs", "max") as max_:
        actor = max_.ready["actor"]
        follow = alice.say({"type": "Follow", "object": actor})
        heard(max_, lambda entry: entry["type"] == "Follow" and entry["id"] == follow)
        eventually(lambda: max_.ask("followers") == [alice.actor])
        eventually(lambda: actor in alice.get(following)[1]["orderedItems"])
        note = max_.ask("post", text="<p>Hello Alice</p>")
        like = alice.say({"type": "Like", "object": note})
        boost = alice.say({"type": "Announce", "object": note})
        text = f'<p><a href="{actor}" class="u-url mention">@max</a> hello!</p>'
        alice.say({"type": "Note", "content": text, "inReplyTo": note})
        heard(max_, lambda entry: entry["type"] == "Like" and entry["id"] == like)
        heard(max_, lambda entry: entry["type"] == "Announce" and entry["id"] == boost)
        answer = heard(max_, lambda entry: entry["type"] == "Create")
        assert answer["shows"]["inReplyTo"] == note
        alice.say({"type": "Undo", "object": like})
        heard(max_, lambda entry: entry["type"] == "Undo" and entry["object"] == like)
        alice.say({"type": "Undo", "object": follow})
        heard(max_, lambda entry: entry["type"] == "Undo" and entry["object"] == follow)
        assert actor not in alice.get(following)[1]["orderedItems"]
