"""A member with words and names, for tests of the Solid wing that need no store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from adapters.activitypub.lens import html
from pod.model.ids import Cid, Did, Handle, Iri, MemberId, Origin, Tid
from pod.model.member import Member, Standing
from pod.model.resource import EMPTY, RECORD_TYPE, Complement, Resource, ResourcePath
from pod.model.richtext import Segment
from pod.records.cbor import encode
from pod.records.cid import record_cid
from pod.records.data import Data

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def member(name: str, number: int = 1) -> Member:
    """A member whose origin and DID follow from the name."""
    return Member(
        MemberId(number),
        Did(f"did:plc:{name * 10:.24}".lower()),
        Handle(f"{name}.example"),
        Origin(f"https://{name}.example"),
        Standing.ACTIVE,
        NOW,
    )


ALICE = member("alice")
BOB = member("bobby", 2)


def record_resource(
    path: str, record: dict[str, Data], complement: Complement = EMPTY, owner: Member = ALICE
) -> Resource:
    """A stored record."""
    body = encode(record)
    return Resource(
        owner.id,
        ResourcePath(path),
        RECORD_TYPE,
        record_cid(body),
        len(body),
        body,
        Tid("3mtcccccccc2c"),
        NOW,
        NOW,
        complement=complement,
    )


class Shelf:
    """The few reads that the lenses need, over a dictionary."""

    def __init__(self, *resources: Resource) -> None:
        self.members = {m.id: m for m in (ALICE, BOB)}
        self.held = {(r.member, r.path): r for r in resources}

    def member_by_did(self, did: Did) -> Member | None:
        return next((m for m in self.members.values() if m.did == did), None)

    def resource(self, owner: MemberId, path: ResourcePath) -> Resource | None:
        return self.held.get((owner, path))


class TownSpeech:
    """Names by the string rules of this pod; HTML as the fediverse view writes it."""

    def __init__(self, author: Member) -> None:
        self.author = author

    def render(self, text: Sequence[Segment]) -> str:
        return html.render(text, self)

    def read(self, source: str) -> tuple[Segment, ...]:
        return html.read(source, self)

    def profile_url(self, did: str) -> str:
        known = {m.did: m.webid for m in (ALICE, BOB)}
        return known.get(Did(did), Iri(f"https://bsky.app/profile/{did}"))

    def did_at(self, url: str) -> str | None:
        known = {str(m.webid): m.did for m in (ALICE, BOB)}
        return known.get(
            url, url.removeprefix("https://bsky.app/profile/") if "bsky.app" in url else None
        )

    def tag_url(self, tag: str) -> str:
        return f"{self.author.origin}/?tag={tag}"

    def tag_at(self, url: str) -> str | None:
        prefix = f"{self.author.origin}/?tag="
        return url.removeprefix(prefix) if url.startswith(prefix) else None

    def object_url(self, uri: str) -> Iri | None:
        for m in (ALICE, BOB):
            if uri.startswith(f"at://{m.did}/"):
                return m.url("/repo/" + uri.removeprefix(f"at://{m.did}/"))
        return None

    def at_uri(self, url: str) -> str | None:
        for m in (ALICE, BOB):
            path = m.path(url)
            if path is not None and path.startswith("/repo/"):
                return f"at://{m.did}/{path.removeprefix('/repo/')}"
        return None


def cid_of(record: dict[str, Data]) -> Cid:
    """The CID that a record has when it is stored."""
    return record_cid(encode(record))
