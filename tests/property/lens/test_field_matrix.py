"""The field matrix: every field of every noun shows in every protocol, or a reason why not."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from adapters.activitypub.lens import index as as2
from adapters.activitypub.lens import profile as actor
from adapters.activitypub.lens.names import Names
from adapters.activitypub.lens.profile import ActorKeys, Presented
from adapters.activitypub.lens.published import Published
from adapters.solid.lens.index import RecordViews
from adapters.solid.rdf.vocab import LEX
from pod.model.article import Article
from pod.model.blob import BlobRef, Card, Image, Video
from pod.model.ids import Cid, Iri, Origin
from pod.model.note import Note, Reply, StrongRef
from pod.model.profile import Profile
from pod.model.relation import Relation, RelationKind
from pod.model.resource import Resource
from pod.model.richtext import Segment
from pod.records.cid import cid_text, raw_cid
from pod.records.lens import index as records
from tests.kit.solid import ALICE, BOB, Shelf, TownSpeech, record_resource

POSTS = "app.bsky.feed.post"
FIRST = record_resource(
    f"/repo/{POSTS}/3mtcccccccc2c", {"$type": POSTS, "text": "a", "createdAt": "x"}, owner=BOB
)
SECOND = record_resource(
    f"/repo/{POSTS}/3mtdddddddd2d", {"$type": POSTS, "text": "b", "createdAt": "x"}, owner=BOB
)
SHELF = Shelf(FIRST, SECOND)
VIEWS = RecordViews(SHELF, TownSpeech, Iri("https://pods.example"))  # type: ignore[arg-type]
NAMES = Names(SHELF, ALICE)  # type: ignore[arg-type]
EARLY, LATE = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"


def ref(resource: Resource) -> StrongRef:
    return StrongRef(BOB.at_uri(resource.path), cid_text(resource.cid))


def blob(body: bytes) -> BlobRef:
    return BlobRef(Cid(raw_cid(body)), "image/png", len(body))


@dataclass(frozen=True)
class Kind:
    """A noun with every field set, another value for each of them, and where it is kept."""

    path: str
    whole: Any
    others: dict[str, Any]


KINDS = {
    "note": Kind(
        f"/repo/{POSTS}/3mteeeeeeee2e",
        Note((Segment("hi"),), EARLY),
        {
            "text": (Segment("ho"),),
            "created_at": LATE,
            "langs": ("en",),
            "reply": Reply(ref(FIRST), ref(SECOND)),
            "images": (Image(blob(b"1"), "alt", 4, 3),),
            "video": Video(BlobRef(Cid(raw_cid(b"2")), "video/mp4", 1), "alt"),
            "card": Card("https://x.example/", "Title", "About", blob(b"3")),
            "quote": ref(FIRST),
            "tags": ("sun",),
            "labels": ("graphic-media",),
        },
    ),
    "article": Kind(
        "/repo/com.whtwnd.blog.entry/3mteeeeeeee2e",
        Article("Title", "# Words", "markdown", EARLY),
        {"title": "Other", "content": "# Other", "created_at": LATE, "summary": "Short"},
    ),
    "profile": Kind(
        "/repo/app.bsky.actor.profile/self",
        Profile(),
        {
            "name": "Al",
            "description": "Gardener",
            "website": "https://al.example/",
            "pronouns": "she/her",
            "avatar": blob(b"4"),
            "banner": blob(b"5"),
            "pinned": ref(FIRST),
            "labels": ("bot",),
            "created_at": LATE,
        },
    ),
    "like": Kind(
        "/repo/app.bsky.feed.like/3mteeeeeeee2e",
        Relation(RelationKind.LIKE, ref(FIRST), EARLY),
        {"subject": ref(SECOND), "created_at": LATE, "via": ref(SECOND)},
    ),
    "follow": Kind(
        "/repo/app.bsky.graph.follow/3mteeeeeeee2e",
        Relation(RelationKind.FOLLOW, BOB.did, EARLY),
        {"subject": ALICE.did, "created_at": LATE},
    ),
    "block": Kind(
        "/repo/app.bsky.graph.block/3mteeeeeeee2e",
        Relation(RelationKind.BLOCK, BOB.did, EARLY),
        {"subject": ALICE.did, "created_at": LATE},
    ),
}

NOT_A_FIELD = {
    ("article", "format"): "follows from the collection",
    ("article", "tags"): "com.whtwnd.blog.entry has none",
    ("article", "cover"): "com.whtwnd.blog.entry has none",
    ("like", "kind"): "is the collection",
    ("follow", "kind"): "is the collection",
    ("follow", "via"): "is said of likes and reposts",
    ("block", "kind"): "is the collection",
    ("block", "via"): "is said of likes and reposts",
}

LOSSY = {
    ("activitypub", "profile", "pinned"): "stands in the collection `featured`",
    ("activitypub", "profile", "created_at"): "an actor's `published` is when they joined",
    ("activitypub", "like", "via"): "AS2 has no word for the repost that led to a like",
    ("activitypub", "block", "subject"): "a block is never told to anybody",
    ("activitypub", "block", "created_at"): "a block is never told to anybody",
    ("solid", "note", "card"): "a preview is no fact; the generic view has it",
    ("solid", "profile", "created_at"): "says when the record was made; the generic view has it",
    ("solid", "like", "via"): "no vocabulary has the word; the generic view has it",
}
"""What a protocol cannot show, and why."""


def shown(protocol: str, kind: Kind, noun: Any) -> Any:
    """All that a protocol shows of a noun, without the name of its bytes."""
    record = records.put(kind.path.split("/")[2], noun)
    resource = record_resource(kind.path, record)
    if protocol == "atproto":
        return record
    if protocol == "solid":
        triples = VIEWS.default(ALICE, resource)
        return {_plain(triple) for triple in triples if triple.predicate != LEX.recordCid}
    if isinstance(noun, Profile):
        keys = ActorKeys("pem", "z6Mk")
        return actor.get(noun, Presented(ALICE, resource, NAMES, Origin("https://p.example")), keys)
    return as2.get(Published(ALICE, resource, NAMES))


def _plain(triple: Any) -> tuple[str, ...]:
    """A triple without the names of blank nodes."""
    parts = (str(triple.subject), str(triple.predicate), str(triple.object))
    return tuple("_" if part.startswith("_:") else part for part in parts)


CELLS = [
    (protocol, name, field)
    for protocol in ("atproto", "activitypub", "solid")
    for name, kind in KINDS.items()
    for field in kind.others
]


@pytest.mark.parametrize(("protocol", "name", "field"), CELLS)
def test_a_field_shows_or_is_lossy_with_a_reason(protocol: str, name: str, field: str) -> None:
    kind = KINDS[name]
    changed = replace(kind.whole, **{field: kind.others[field]})
    differs = shown(protocol, kind, kind.whole) != shown(protocol, kind, changed)
    assert differs != ((protocol, name, field) in LOSSY), LOSSY.get((protocol, name, field))


def test_the_matrix_has_every_field() -> None:
    for name, kind in KINDS.items():
        known = set(kind.others) | {field for noun, field in NOT_A_FIELD if noun == name}
        assert known == {field.name for field in fields(kind.whole)}


def test_no_reason_outlives_its_field() -> None:
    assert set(LOSSY) <= set(CELLS)
