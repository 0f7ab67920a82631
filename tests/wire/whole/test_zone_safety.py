"""Zone safety: what lies outside /repo/ is reached by no public way, and looks like nothing."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from pod.records.cid import cid_text, raw_cid
from server.check import check
from tests.kit.whole import AS2, JSON_LD, POST, TURTLE, Person, Reply, Town

KEYS = [f"3kaaaaaaaaa2{letter}" for letter in "23"]
PIXELS = [f"pixels {number}".encode() for number in range(3)]
PROFILE = "app.bsky.actor.profile"
STRANGERS = ("nobody", "bob")
PUBLIC_ACL = """@prefix acl: <http://www.w3.org/ns/auth/acl#>.
<#o> a acl:Authorization; acl:agent <%(owner)s>; acl:accessTo <%(url)s>;
    acl:mode acl:Read, acl:Write, acl:Control.
<#p> a acl:Authorization; acl:agentClass <http://xmlns.com/foaf/0.1/Agent>; acl:accessTo <%(url)s>;
    acl:mode acl:Read."""
PAGES = (
    ("/", "text/html"),
    ("/me", "text/html"),
    ("/me", AS2),
    ("/me", TURTLE),
    ("/me", JSON_LD),
    ("/outbox", AS2),
    ("/outbox?page=", AS2),
    ("/featured", AS2),
    ("/liked", AS2),
    ("/following", AS2),
    ("/followers", AS2),
    ("/feed.atom", "*/*"),
    ("/feed.rss", "*/*"),
    ("/feed.json", "*/*"),
    ("/identity.json", "*/*"),
    ("/repo/", TURTLE),
    (f"/repo/{POST}/", TURTLE),
    ("/profile/card", TURTLE),
    ("/.well-known/solid", TURTLE),
    ("/.well-known/did.json", "*/*"),
    ("/profile/publicTypeIndex", TURTLE),
    ("/sparql?query=SELECT%20*%20%7B%20GRAPH%20?g%20%7B%20?s%20?p%20?o%20%7D%20%7D", "text/csv"),
    ("/sparql?query=CONSTRUCT%20WHERE%20%7B%20?s%20?p%20?o%20%7D", TURTLE),
)
numbers = itertools.count()
_town: list[Town] = []
_bobs: list[Person] = []


@pytest.fixture(autouse=True, scope="module")
def town() -> Iterator[None]:
    """One house for all examples; each has a member of its own."""
    with tempfile.TemporaryDirectory() as folder:
        made = Town(Path(folder))
        _town.append(made)
        _bobs.append(made.run(made.whole.join("bob")))
        yield
        made.run(_all_is_sound(Path(folder)))
        made.close()


async def _all_is_sound(folder: Path) -> None:
    assert list(check(folder)) == []


class Zones(RuleBasedStateMachine):
    """A member writes into every zone; strangers look everywhere."""

    private = Bundle("private")

    @initialize()
    def begin(self) -> None:
        self.town, self.whole = _town[0], _town[0].whole
        self.since = self.whole.store.head_seq()
        self.alice: Person = self.town.run(self.whole.join(f"alice{next(numbers)}"))
        self.secrets: set[str] = set()
        self.hidden: dict[str, bytes | None] = {}
        self.shown: set[str] = set()
        self.told: dict[str, set[str]] = {}
        self.posts: dict[str, bytes | None] = {}

    def send(self, method: str, path: str, body: bytes | str = b"", **headers: str) -> Reply:
        """A request of the member's own."""
        url = self.alice.member.origin + path
        return self.town.run(self.whole.ask(method, url, body, as_=self.alice, **headers))

    def secret(self) -> str:
        made = f"secret{next(numbers):08d}x"
        self.secrets.add(made)
        return made

    @rule(key=st.sampled_from(KEYS), pixels=st.none() | st.sampled_from(PIXELS))
    def write_post(self, key: str, pixels: bytes | None) -> None:
        post: dict[str, Any] = {"text": f"hi {next(numbers)}", "createdAt": "2026-01-01T00:00:00Z"}
        if pixels is not None:
            blob = self.town.run(self.whole.upload(self.alice, pixels))
            image = {"alt": "", "image": blob}
            post["embed"] = {"$type": "app.bsky.embed.images", "images": [image]}
        assert self.town.run(self.whole.put_record(self.alice, key, post)).status == 200
        self.posts[key] = pixels

    @rule(pixels=st.sampled_from(PIXELS))
    def upload_only(self, pixels: bytes) -> None:
        self.town.run(self.whole.upload(self.alice, pixels))

    @rule(key=st.sampled_from(KEYS))
    def delete_post(self, key: str) -> None:
        assert self.town.run(self.whole.delete_record(self.alice, key)).status == 200
        self.posts.pop(key, None)

    @rule(
        target=private, folder=st.sampled_from(["/data/", "/data/deep/er/", "/data/social/like/"])
    )
    def write_document(self, folder: str) -> str:
        name, words = self.secret(), self.secret()
        path = f"{folder}{name}"
        body = f'<#a> <http://x.example/b> "{words}", <{self.alice.member.webid}>.'
        assert self.send("PUT", path, body, content_type=TURTLE).status == 201
        self.hidden[path], self.told[path] = None, {name, words}
        return path

    @rule(target=private, pixels=st.sampled_from(PIXELS), kind=st.sampled_from(["image/png", AS2]))
    def write_binary(self, pixels: bytes, kind: str) -> str:
        name = self.secret()
        path = f"/data/{name}"
        assert self.send("PUT", path, pixels, content_type=kind).status == 201
        self.hidden[path], self.told[path] = pixels, {name}
        return path

    @rule(target=private)
    def post_document(self) -> str:
        slug = self.secret()
        reply = self.send("POST", "/data/", f"<> <#b> '{slug}'.", content_type=TURTLE, slug=slug)
        assert reply.status == 201
        path = reply.headers["location"].removeprefix(self.alice.member.origin)
        self.hidden[path], self.told[path] = None, {slug}
        return path

    @rule(path=private)
    def make_public(self, path: str) -> None:
        if path in self.hidden:
            me, url = self.alice.member.webid, self.alice.member.url(path)
            body = PUBLIC_ACL % {"owner": me, "url": url}
            assert self.send("PUT", f"{path}.acl", body, content_type=TURTLE).status in (201, 204)
            self.shown.add(path)

    @rule(path=private)
    def make_private_again(self, path: str) -> None:
        if path in self.shown:
            assert self.send("DELETE", f"{path}.acl").status == 205
            self.shown.discard(path)

    @rule(path=consumes(private))
    def delete(self, path: str) -> None:
        if path in self.hidden:
            assert self.send("DELETE", path).status == 205
            self.hidden.pop(path)
            self.shown.discard(path)

    @invariant()
    def no_public_way_shows_a_secret(self) -> None:
        for where, body in self.town.run(self._public()):
            # What is public for now can be queried, though no page leads to it.
            found = self.secrets - self.published() if "/sparql" in where else self.secrets
            for secret in found:
                assert secret.encode() not in body, (where, secret)

    def published(self) -> set[str]:
        """The secrets of what everybody may read now."""
        return {secret for path in self.shown for secret in self.told[path]}

    async def _public(self) -> list[tuple[str, bytes]]:
        whole, member = self.whole, self.alice.member
        found: list[tuple[str, bytes]] = []
        for path, accept in PAGES:
            reply = await whole.ask("GET", member.origin + path, accept=accept)
            is_empty = path.startswith("/repo/") and not self.posts
            assert reply.status == (404 if is_empty else 200), (path, accept, reply)
            found.append((f"{path} {accept}", repr(reply.headers).encode() + reply.body))
        for nsid in ("sync.getRepo", "sync.listBlobs", "sync.getLatestCommit"):
            reply = await whole.query(f"com.atproto.{nsid}", did=member.did)
            assert reply.status == 200
            found.append((nsid, reply.body))
        described = await whole.query("com.atproto.repo.describeRepo", repo=member.did)
        assert set(described.json["collections"]) <= {POST, PROFILE}
        for collection in (POST, "data", "social"):
            params = {"repo": member.did, "collection": collection}
            reply = await whole.query("com.atproto.repo.listRecords", **params)
            found.append((f"listRecords {collection}", reply.body))
        frames = whole.store.frames(after=self.since, limit=1_000)
        return found + [(f"frame {seq}", frame) for seq, frame in frames]

    @invariant()
    def a_blob_is_found_where_a_public_record_shows_it(self) -> None:
        never = self.town.run(self._fetched(cid_text(raw_cid(b"never"))))
        public = {pixels for pixels in self.posts.values() if pixels is not None}
        listed = self.town.run(
            self.whole.query("com.atproto.sync.listBlobs", did=self.alice.member.did)
        )
        assert set(listed.json["cids"]) == {cid_text(raw_cid(pixels)) for pixels in public}
        for pixels in PIXELS:
            found = self.town.run(self._fetched(cid_text(raw_cid(pixels))))
            if pixels in public:
                assert [(reply.status, reply.body) for reply in found] == [(200, pixels)] * 2
            else:
                assert found == never

    async def _fetched(self, cid: str) -> list[Reply]:
        member = self.alice.member
        found = await asyncio.gather(
            self.whole.query("com.atproto.sync.getBlob", did=member.did, cid=cid),
            self.whole.ask("GET", f"{member.origin}/blobs/{cid}"),
        )
        return [_without(reply, cid) for reply in found]

    @invariant()
    def to_strangers_the_private_looks_like_nothing(self) -> None:
        for path in self.hidden.keys() - self.shown:
            for who in STRANGERS:
                assert self.town.run(self._looks(path, who)) == self.town.run(
                    self._looks(path.rpartition("/")[0] + "/never", who)
                ), (path, who)

    async def _looks(self, path: str, who: str) -> list[tuple[str, Reply]]:
        caller = _bobs[0] if who == "bob" else None
        resource = self.whole.stored(self.alice, path)
        tag = f'"{cid_text(resource.cid)}.0;ttl"' if resource is not None else '"x.0;ttl"'
        patch = (
            "@prefix s: <http://www.w3.org/ns/solid/terms#>. <> a s:InsertDeletePatch; "
            "s:where { ?a ?b ?c }; s:inserts { <a> <b> <c> }."
        )
        seen = []
        for method, end, headers in (
            ("GET", "", {}),
            ("HEAD", "", {}),
            ("OPTIONS", "", {}),
            ("DELETE", "", {}),
            ("GET", "", {"accept": AS2}),
            ("GET", "", {"if_none_match": tag}),
            ("GET", "", {"range": "bytes=0-"}),
            ("PUT", "", {"content_type": TURTLE}),
            ("PUT", "", {"content_type": TURTLE, "if_none_match": "*"}),
            ("PUT", "", {"content_type": TURTLE, "if_match": tag}),
            ("PUT", "/x", {"content_type": TURTLE}),
            ("PATCH", "", {"content_type": "text/n3"}),
            ("PATCH", "", {"content_type": TURTLE}),
            ("POST", "", {"content_type": TURTLE}),
            ("POST", "/", {"content_type": TURTLE}),
            ("GET", ".acl", {}),
            ("OPTIONS", ".acl", {}),
            ("GET", "/", {}),
            ("OPTIONS", "/", {}),
            ("DELETE", ".acl", {}),
            ("PUT", ".acl", {"content_type": TURTLE}),
            ("PROPFIND", "", {}),
        ):
            body = patch if headers.get("content_type") == "text/n3" else "<a> <b> <c>."
            url = f"{self.alice.member.origin}{path}{end}"
            body = body if method in ("PUT", "POST", "PATCH") else ""
            reply = await self.whole.ask(method, url, body, as_=caller, **headers)
            what = f"{method} {end} {sorted(headers)}"
            seen.append((what, _without(reply, path.rpartition("/")[2])))
        return seen


def _without(reply: Reply, name: str) -> Reply:
    """A reply as it would be for any other name."""
    headers = {key: value.replace(name, "*") for key, value in reply.headers.items()}
    headers.pop("content-length", None)
    return Reply(reply.status, headers, reply.body.replace(name.encode(), b"*"))


TestZones = Zones.TestCase
TestZones.settings = settings(
    max_examples=max(8, settings.default.max_examples // 8 if settings.default else 8),
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
