"""Hypothesis strategies for nouns and for records as clients write them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pod.model.blob import BlobRef, Card, Image, Video
from pod.model.event import Attendance, Event, Venue
from pod.model.gathering import Bookmark, Membership, PeopleList, Publication, StarterPack
from pod.model.ids import AtUri, Cid, Did
from pod.model.note import Note, Reply, StrongRef
from pod.model.profile import Profile
from pod.model.relation import Relation, RelationKind
from pod.model.richtext import LinkTo, Mention, Segment, Tag
from pod.records.cid import raw_cid

words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12
)
dids = st.sampled_from(["did:plc:z72i7hdynmk6r22z27h6tvur", "did:web:bob.example"]).map(Did)
uris = st.sampled_from(["https://a.example/", "https://b.example/x?y=1#z", "gemini://c.example"])
times = st.sampled_from(["2026-11-24T10:00:00.000Z", "2020-01-01T00:00:00Z"])
features = st.one_of(dids.map(Mention), uris.map(LinkTo), words.map(Tag))


def _joined(parts: list[Segment]) -> tuple[Segment, ...]:
    """Neighbouring plain segments are one segment: the form that `segments` gives."""
    out: list[Segment] = []
    for part in parts:
        if out and not out[-1].features and not part.features:
            out[-1] = Segment(out[-1].text + part.text)
        else:
            out.append(part)
    return tuple(out)


segment_lists = st.lists(
    st.builds(Segment, words, st.lists(features, max_size=2).map(tuple)), max_size=5
).map(_joined)
refs = st.builds(
    StrongRef,
    st.sampled_from(["at://did:web:bob.example/app.bsky.feed.post/3mtcccccccc2c"]).map(AtUri),
    st.just("bafyreide3zf4tewriludpogrzdj574cdb3p4f56l6ffgzdgmuhl4j55jmm"),
)
blobs = st.builds(
    BlobRef,
    st.binary(min_size=1, max_size=8).map(raw_cid).map(Cid),
    st.sampled_from(["image/png", "image/jpeg"]),
    st.integers(1, 1_000_000),
)
sides = st.one_of(st.tuples(st.none(), st.none()), st.tuples(st.integers(1, 9), st.integers(1, 9)))
images = st.builds(lambda b, a, s: Image(b, a, *s), blobs, st.text(max_size=9), sides)
videos = st.builds(lambda b, a, s: Video(b, a, *s), blobs, st.text(max_size=9), sides)
cards = st.builds(Card, uris, words, words, st.none() | blobs)
media = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"images": st.lists(images, min_size=1, max_size=4).map(tuple)}),
    st.fixed_dictionaries({"video": videos}),
    st.fixed_dictionaries({"card": cards}),
)
notes = st.builds(
    lambda parts, more: Note(**parts, **more),
    st.fixed_dictionaries(
        {
            "text": segment_lists,
            "created_at": times,
            "langs": st.lists(st.sampled_from(["en", "de", "pt-BR"]), max_size=2).map(tuple),
            "reply": st.none() | st.builds(Reply, refs, refs),
            "quote": st.none() | refs,
            "tags": st.lists(words, max_size=2).map(tuple),
            "labels": st.lists(st.sampled_from(["porn", "x"]), max_size=2).map(tuple),
        }
    ),
    media,
)
profiles = st.builds(
    Profile,
    name=st.none() | words,
    description=st.none() | words,
    website=st.none() | uris,
    pronouns=st.none() | words,
    avatar=st.none() | blobs,
    banner=st.none() | blobs,
    pinned=st.none() | refs,
    labels=st.lists(st.just("bot"), max_size=1).map(tuple),
    created_at=st.none() | times,
)
relations = st.one_of(
    st.builds(
        Relation, st.sampled_from([RelationKind.FOLLOW, RelationKind.BLOCK]), dids, times, st.none()
    ),
    st.builds(
        Relation,
        st.sampled_from([RelationKind.LIKE, RelationKind.REPOST]),
        refs,
        times,
        st.none() | refs,
    ),
)

texts = st.none() | words
events = st.builds(
    Event,
    name=words,
    created_at=times,
    description=texts,
    starts_at=st.none() | times,
    ends_at=st.none() | times,
    mode=st.none()
    | st.sampled_from([f"community.lexicon.calendar.event#{w}" for w in ("virtual", "odd")]),
    status=st.none()
    | st.sampled_from([f"community.lexicon.calendar.event#{w}" for w in ("planned", "odd")]),
    venues=st.lists(
        st.one_of(
            st.builds(Venue, name=texts, country=words, street=texts, postal_code=texts),
            st.builds(Venue, name=texts, latitude=words, longitude=words),
            st.builds(Venue, name=texts, url=uris),
        ),
        max_size=2,
    ).map(tuple),
)
at_uris = refs.map(lambda ref: ref.uri)
by_collection: dict[str, st.SearchStrategy[Any]] = {
    "community.lexicon.calendar.event": events,
    "community.lexicon.calendar.rsvp": st.builds(
        Attendance,
        refs,
        st.sampled_from([f"community.lexicon.calendar.rsvp#{w}" for w in ("going", "odd")]),
    ),
    "app.bsky.graph.list": st.builds(
        PeopleList,
        words,
        st.sampled_from(["app.bsky.graph.defs#curatelist", "odd"]),
        times,
        texts,
        st.none() | blobs,
    ),
    "app.bsky.graph.listitem": st.builds(Membership, dids, at_uris, times),
    "app.bsky.graph.starterpack": st.builds(StarterPack, words, at_uris, times, texts),
    "site.standard.publication": st.builds(Publication, words, uris, texts, st.none() | blobs),
    "community.lexicon.bookmarks.bookmark": st.builds(
        Bookmark, uris, times, st.lists(words, max_size=2).map(tuple)
    ),
}
kinds = st.sampled_from(sorted(by_collection)).flatmap(
    lambda collection: st.tuples(st.just(collection), by_collection[collection])
)
"""A collection and a noun that it keeps."""

unknown_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
unknown_keys: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    words.map(lambda w: "x-" + w), unknown_values, max_size=3
)
