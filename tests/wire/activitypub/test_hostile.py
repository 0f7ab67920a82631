"""Bad input on every route of the wing: the protocol's own error, no fault, nothing changed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pod.model.member import Member
from tests.kit.fediverse import AS2, EVERYBODY, FediPod, Peer, fedi_pod

WORDS = (
    "id", "@id", "type", "@type", "actor", "object", "to", "cc", "tag", "attributedTo", "inReplyTo",
    "href", "content", "contentMap", "@value", "@list", "@graph", "publicKey", "owner", "inbox",
)  # fmt: skip
KINDS = (
    "Follow", "Accept", "Reject", "Undo", "Create", "Update", "Delete", "Like", "Announce", "Note",
    "Person", "Tombstone", "Mention", "as:Like", "Dance",
)  # fmt: skip
PLACES = (
    "http://alice.localhost:2583/me", "http://alice.localhost:2583/repo/app.bsky.feed.post/x",
    "http://alice.localhost:2583/data/social/follow/x", "http://localhost:2583/actor",
    "http://peer.test/users/bob", "http://peer.test/notes/1", "http://nowhere.test/x", "http://[",
    EVERYBODY, "as:Public", "https://peer.test:99999/x", "at://did:plc:x/a/b", "",
)  # fmt: skip

texts = st.sampled_from(PLACES + KINDS) | st.text(max_size=8)
values = st.recursive(
    texts | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=15,
)
activities = st.builds(
    lambda kind, parts: {
        "@context": AS2, "id": "http://peer.test/a", "type": kind,
        "actor": "http://peer.test/users/bob", **parts,
    },
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(WORDS), values, max_size=6),
)  # fmt: skip
PATHS = ("outbox", "followers", "following", "liked", "featured", "outbox/x-0", "me", "actor")


class Town:
    """One pod for many examples; a loop of its own."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.context = fedi_pod(folder)
        self.pod: FediPod = self.run(self.context.__aenter__())
        self.alice: Member = self.run(self.pod.member())
        self.bob = self.pod.network.add(Peer())

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        self.run(self.context.__aexit__(None, None, None))
        self.loop.close()

    def records(self) -> object:
        """All of the member that no activity of a stranger may touch."""
        return [
            self.pod.store.resources(self.alice.id, prefix, after=None, limit=99)
            for prefix in ("/repo/", "/data/", "/profile/")
        ]


def test_no_signed_activity_faults_or_touches_what_is_the_members(tmp_path: Path) -> None:
    town = Town(tmp_path)
    numbers = iter(range(1_000_000))

    @settings(suppress_health_check=list(HealthCheck), deadline=None)
    @given(activities, st.dictionaries(st.sampled_from(["http://peer.test/notes/1"]), values))
    def tries(activity: dict[str, Any], documents: dict[str, Any]) -> None:
        town.bob.documents |= documents
        if activity.get("id") == "http://peer.test/a":
            activity = activity | {"id": f"http://peer.test/a/{next(numbers)}"}
        before = town.records()
        status = town.run(town.pod.post(town.bob, activity))
        assert status in (202, 400, 401)
        assert town.records() == before

    try:
        tries()
    finally:
        town.close()


def test_no_body_faults(tmp_path: Path) -> None:
    town = Town(tmp_path)

    @settings(suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
    def tries(body: bytes) -> None:
        assert town.run(town.pod.post(town.bob, {}, body=body)) in (400, 401)

    try:
        tries()
    finally:
        town.close()


def test_no_actor_document_faults(tmp_path: Path) -> None:
    town = Town(tmp_path)
    follow = town.bob.activity("Follow", "http://alice.localhost:2583/me")
    good = town.bob.actor()

    @settings(suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.dictionaries(st.sampled_from([*WORDS, "publicKeyPem", "endpoints"]), values))
    def tries(parts: dict[str, Any]) -> None:
        town.pod.clock.pass_by(90_000)
        town.bob.documents[town.bob.id] = good | parts
        assert town.run(town.pod.post(town.bob, follow)) in (202, 401)

    try:
        tries()
    finally:
        town.close()


def test_no_address_faults(tmp_path: Path) -> None:
    town = Town(tmp_path)

    @settings(suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.sampled_from(PATHS), st.text(st.characters(codec="ascii"), max_size=20))
    def tries(path: str, page: str) -> None:

        url = f"{town.alice.origin}/{path}?page={quote(page)}&c={quote(page)}"
        assert town.run(town.pod.get(url))[0] in (200, 400, 404)

    try:
        tries()
    finally:
        town.close()
