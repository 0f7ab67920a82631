"""The field matrix: each field of each noun with two values, and what a protocol does not show.

``python -m tests.kit.field_matrix`` prints it as docs/field-matrix.md shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final, get_args, get_type_hints

from pod.model.article import Article
from pod.model.blob import BlobRef, Card, Image, Video
from pod.model.event import Attendance, Event, Venue
from pod.model.gathering import Bookmark, Membership, PeopleList, Publication, StarterPack
from pod.model.ids import AtUri, Cid, Did
from pod.model.note import Note, Reply, StrongRef
from pod.model.noun import Noun
from pod.model.profile import Profile
from pod.model.relation import Relation, RelationKind
from pod.model.richtext import LinkTo, Mention, Segment, Tag
from pod.records.cid import cid_text, raw_cid

PROTOCOLS: Final = ("record", "AS2", "RDF", "HTML")
POSTS, ENTRIES = "app.bsky.feed.post", "com.whtwnd.blog.entry"
DOCUMENTS, PROFILES = "site.standard.document", "app.bsky.actor.profile"
KEY: Final = "3mteeeeeeee2e"
OTHERS: Final = ("3mtcccccccc2c", "3mtdddddddd2d")
"""Keys of two posts of bob's that may be answered, quoted and liked."""

EARLY, LATE = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"
BLOB_CID = cid_text(raw_cid(b"a version"))


@dataclass(frozen=True)
class Case:
    """A noun in two values that differ in one field only, and the collection that keeps it."""

    collection: str
    before: Noun
    after: Noun


def blob(body: bytes = b"1", media_type: str = "image/png", size: int = 1) -> BlobRef:
    """A reference to some bytes."""
    return BlobRef(Cid(raw_cid(body)), media_type, size)


def _note(**more: Any) -> Note:
    return Note(**{"text": (Segment("hi"),), "created_at": EARLY, **more})


def _notes(before: dict[str, Any], after: dict[str, Any]) -> Case:
    return Case(POSTS, _note(**before), _note(**after))


def _words(*features: Any) -> dict[str, Any]:
    return {"text": (Segment("words", features),)}


def _image(**more: Any) -> dict[str, Any]:
    return {"images": (Image(**{"blob": blob(), "alt": "a", "width": 4, "height": 3, **more}),)}


def _video(**more: Any) -> dict[str, Any]:
    film = {"blob": blob(b"2", "video/mp4"), "alt": "a", "width": 4, "height": 3, **more}
    return {"video": Video(**film)}


def _card(**more: Any) -> dict[str, Any]:
    whole = {"uri": "https://a.example/", "title": "A", "description": "B", "thumb": blob()}
    return {"card": Card(**{**whole, **more})}


def _entry(**more: Any) -> Article:
    return Article(**{"title": "A", "content": "# B", "format": "markdown", **more})


def _document(**more: Any) -> Article:
    return Article(**{"title": "A", "content": "B", "format": "plain", **more})


def _relation(
    kind: RelationKind, one: Any, other: Any, via: StrongRef | None
) -> dict[tuple[str, str], Case]:
    collections = {"follow": "graph.follow", "block": "graph.block", "repost": "feed.repost"}
    collection = f"app.bsky.{collections.get(kind, 'feed.like')}"
    base = Relation(kind, one, EARLY)
    found = {
        "subject": Case(collection, base, Relation(kind, other, EARLY)),
        "created_at": Case(collection, base, Relation(kind, one, LATE)),
    }
    if via is not None:
        found["via"] = Case(collection, base, Relation(kind, one, EARLY, via))
    return {(f"Relation ({kind})", field): case for field, case in found.items()}


EVENTS, RSVPS = "community.lexicon.calendar.event", "community.lexicon.calendar.rsvp"
LISTS, PACKS = "app.bsky.graph.list", "app.bsky.graph.starterpack"
PUBLICATIONS = "site.standard.publication"
BOOKMARKS = "community.lexicon.bookmarks.bookmark"
_TOWN = Venue(
    name="Hall", street="1 Way", locality="Town", region="R", postal_code="1", country="AT"
)
_POINT = Venue(name="Tree", latitude="1.5", longitude="2.5")


def _event(**more: Any) -> Event:
    return Event(**{"name": "A", "created_at": EARLY, **more})


def _events(**more: Any) -> Case:
    return Case(EVENTS, _event(), _event(**more))


def _venues(venue: Venue, **more: Any) -> Case:
    return Case(EVENTS, _event(venues=(venue,)), _event(venues=(replace(venue, **more),)))


def _gathered(
    bob: Did, posts: tuple[StrongRef, StrongRef]
) -> list[tuple[str, Noun, dict[str, Any]]]:
    """Collection, noun, and a second value of each of its fields."""
    first, second = posts
    named = {"name": "B", "description": "C"}
    return [
        (RSVPS, Attendance(first, f"{RSVPS}#going"),
         {"subject": second, "status": f"{RSVPS}#notgoing"}),
        (LISTS, PeopleList("A", "app.bsky.graph.defs#curatelist", EARLY),
         {**named, "purpose": "app.bsky.graph.defs#modlist", "created_at": LATE, "avatar": blob()}),
        ("app.bsky.graph.listitem", Membership(bob, first.uri, EARLY),
         {"subject": Did("did:web:b.example"), "group": second.uri, "created_at": LATE}),
        (PACKS, StarterPack("A", first.uri, EARLY),
         {**named, "group": second.uri, "created_at": LATE}),
        (PUBLICATIONS, Publication("A", "https://a.example"),
         {**named, "url": "https://b.example", "icon": blob()}),
        (BOOKMARKS, Bookmark("https://a.example/", EARLY),
         {"url": "https://b.example/", "created_at": LATE, "tags": ("sun",)}),
    ]  # fmt: skip


def cases(
    bob: Did, posts: tuple[StrongRef, StrongRef], own: StrongRef
) -> dict[tuple[str, str], Case]:
    """Every field of every noun and of what nouns are made of.

    ``posts`` are two of bob's, ``own`` one of the author's.
    """
    first, second = posts
    reply = Reply(first, first)
    shown: dict[str, Any] = {
        "name": "Al", "description": "Gardener", "website": "https://al.example/",
        "pronouns": "she/her", "avatar": blob(), "banner": blob(b"2"), "pinned": own,
        "labels": ("bot",), "created_at": LATE,
    }  # fmt: skip
    of_notes = {
        ("Note", "text"): _notes({}, {"text": (Segment("ho"),)}),
        ("Note", "created_at"): _notes({}, {"created_at": LATE}),
        ("Note", "langs"): _notes({}, {"langs": ("en",)}),
        ("Note", "reply"): _notes({}, {"reply": reply}),
        ("Note", "images"): _notes({}, _image()),
        ("Note", "video"): _notes({}, _video()),
        ("Note", "card"): _notes({}, _card()),
        ("Note", "quote"): _notes({}, {"quote": first}),
        ("Note", "tags"): _notes({}, {"tags": ("sun",)}),
        ("Note", "labels"): _notes({}, {"labels": ("graphic-media",)}),
        ("Segment", "text"): _notes({}, {"text": (Segment("ho"),)}),
        ("Segment", "features"): _notes(_words(), _words(LinkTo("https://a.example/"))),
        ("Mention", "did"): _notes(_words(Mention(bob)), _words(Mention("did:web:b.example"))),
        ("LinkTo", "uri"): _notes(
            _words(LinkTo("https://a.example/")), _words(LinkTo("https://b.example/"))
        ),
        ("Tag", "tag"): _notes(_words(Tag("sun")), _words(Tag("moon"))),
        ("Reply", "root"): _notes({"reply": reply}, {"reply": Reply(second, first)}),
        ("Reply", "parent"): _notes({"reply": reply}, {"reply": Reply(first, second)}),
        ("StrongRef", "uri"): _notes({"quote": first}, {"quote": StrongRef(second.uri, first.cid)}),
        ("StrongRef", "cid"): _notes({"quote": first}, {"quote": StrongRef(first.uri, BLOB_CID)}),
        ("Image", "blob"): _notes(_image(), _image(blob=blob(b"9"))),
        ("Image", "alt"): _notes(_image(), _image(alt="b")),
        ("Image", "width"): _notes(_image(), _image(width=8)),
        ("Image", "height"): _notes(_image(), _image(height=8)),
        ("Video", "blob"): _notes(_video(), _video(blob=blob(b"9", "video/mp4"))),
        ("Video", "alt"): _notes(_video(), _video(alt="b")),
        ("Video", "width"): _notes(_video(), _video(width=8)),
        ("Video", "height"): _notes(_video(), _video(height=8)),
        ("Card", "uri"): _notes(_card(), _card(uri="https://b.example/")),
        ("Card", "title"): _notes(_card(), _card(title="C")),
        ("Card", "description"): _notes(_card(), _card(description="C")),
        ("Card", "thumb"): _notes(_card(), _card(thumb=blob(b"9"))),
        ("BlobRef", "cid"): _notes(_image(), _image(blob=blob(b"9"))),
        ("BlobRef", "media_type"): _notes(_image(), _image(blob=blob(media_type="image/jpeg"))),
        ("BlobRef", "size"): _notes(_image(), _image(blob=blob(size=2))),
    }
    of_articles = {
        ("Article", "title"): Case(ENTRIES, _entry(), _entry(title="C")),
        ("Article", "content"): Case(ENTRIES, _entry(), _entry(content="# C")),
        ("Article", "created_at"): Case(ENTRIES, _entry(created_at=EARLY), _entry(created_at=LATE)),
        ("Article", "summary"): Case(ENTRIES, _entry(), _entry(summary="C")),
        ("Article", "tags"): Case(DOCUMENTS, _document(), _document(tags=("sun",))),
        ("Article", "cover"): Case(DOCUMENTS, _document(), _document(cover=blob())),
    }
    of_events = {
        ("Event", "name"): _events(name="B"),
        ("Event", "created_at"): _events(created_at=LATE),
        ("Event", "description"): _events(description="C"),
        ("Event", "starts_at"): _events(starts_at=EARLY),
        ("Event", "ends_at"): _events(ends_at=LATE),
        ("Event", "mode"): _events(mode=f"{EVENTS}#virtual"),
        ("Event", "status"): _events(status=f"{EVENTS}#cancelled"),
        ("Event", "venues"): _events(venues=(_TOWN,)),
        ("Venue", "name"): _venues(_TOWN, name="House"),
        ("Venue", "street"): _venues(_TOWN, street="2 Way"),
        ("Venue", "locality"): _venues(_TOWN, locality="City"),
        ("Venue", "region"): _venues(_TOWN, region="S"),
        ("Venue", "postal_code"): _venues(_TOWN, postal_code="2"),
        ("Venue", "country"): _venues(_TOWN, country="DE"),
        ("Venue", "latitude"): _venues(_POINT, latitude="3.5"),
        ("Venue", "longitude"): _venues(_POINT, longitude="3.5"),
        ("Venue", "url"): _venues(Venue(url="https://a.example/"), url="https://b.example/"),
    }
    gathered = {
        (type(noun).__name__, field): Case(collection, noun, replace(noun, **{field: value}))  # type: ignore[type-var]
        for collection, noun, others in _gathered(bob, posts)
        for field, value in others.items()
    }
    return {
        **of_notes,
        **of_articles,
        **of_events,
        **gathered,
        **{
            ("Profile", name): Case(PROFILES, Profile(), Profile(**{name: value}))
            for name, value in shown.items()
        },
        **_relation(RelationKind.FOLLOW, bob, Did("did:web:b.example"), None),
        **_relation(RelationKind.LIKE, first, second, second),
        **_relation(RelationKind.REPOST, first, second, second),
        **_relation(RelationKind.BLOCK, bob, Did("did:web:b.example"), None),
    }


IS_THE_COLLECTION: Final = {
    ("Article", "format"): "says which lexicon keeps the article",
    ("Relation (follow)", "kind"): "says which lexicon keeps the relation",
    ("Relation (follow)", "via"): "is said of likes and reposts only",
    ("Relation (like)", "kind"): "says which lexicon keeps the relation",
    ("Relation (repost)", "kind"): "says which lexicon keeps the relation",
    ("Relation (block)", "kind"): "says which lexicon keeps the relation",
    ("Relation (block)", "via"): "is said of likes and reposts only",
}
"""What no edit of a record changes."""

_LOCAL = "not shown: the fediverse is not told of it"
_UNFEDERATED = (
    Event,
    Venue,
    Attendance,
    PeopleList,
    Membership,
    StarterPack,
    Publication,
    Bookmark,
)
_PREVIEW = "not shown: a preview is no fact"
LOSSY: Final = {
    ("Note", "card", "RDF"): _PREVIEW,
    ("Card", "uri", "RDF"): _PREVIEW,
    ("Card", "title", "RDF"): _PREVIEW,
    ("Card", "description", "RDF"): _PREVIEW,
    ("Card", "thumb", "RDF"): _PREVIEW,
    ("Card", "description", "AS2"): "not shown: peers make the preview of a link themselves",
    ("Card", "thumb", "AS2"): "not shown: peers make the preview of a link themselves",
    ("Reply", "root", "RDF"): "not shown: a thread is followed from answer to answer",
    ("Reply", "root", "HTML"): "not shown: a thread is followed from answer to answer",
    ("StrongRef", "cid", "AS2"): "not shown: ids name things, not versions",
    ("StrongRef", "cid", "RDF"): "not shown: links lead to what is there now",
    ("StrongRef", "cid", "HTML"): "not shown: links lead to what is there now",
    ("BlobRef", "media_type", "HTML"): "not shown: the bytes come with their type",
    ("BlobRef", "size", "AS2"): "not shown: the bytes come with their length",
    ("BlobRef", "size", "RDF"): "not shown: the bytes come with their length",
    ("BlobRef", "size", "HTML"): "not shown: the bytes come with their length",
    ("Profile", "created_at", "AS2"): "not shown: an actor's `published` is the day of joining",
    ("Profile", "created_at", "RDF"): "not shown: it speaks of the record, not of the person",
    ("Profile", "created_at", "HTML"): "not shown: it speaks of the record, not of the person",
    ("Relation (like)", "via", "AS2"): "not shown: AS2 has no word for it",
    ("Relation (like)", "via", "RDF"): "not shown: no vocabulary has a word for it",
    ("Relation (repost)", "via", "AS2"): "not shown: AS2 has no word for it",
    ("Relation (repost)", "via", "RDF"): "not shown: no vocabulary has a word for it",
    **{
        (kind.__name__, field.name, "AS2"): _LOCAL
        for kind in _UNFEDERATED
        for field in fields(kind)
    },
}
"""What a protocol does not show of a field, and why."""


BESIDE: Final = {
    "`content` that is rich or long": "the words alone; past 300 characters ` […]` with a link",
    "`summary` (content warning)": "`[warning]` before the words; a new one is labelled too",
    "`oneOf`, `anyOf`, `endTime`, `closed`, `votersCount`": "the choices as lines after the words",
    "`blurhash`, `focalPoint`": "nothing",
    "`inReplyTo` of another server": "a post of its own",
    "`quote` of another server, `quoteAuthorization`": "a post without quote",
    "`to` followers, `cc` everybody (unlisted)": "a public record like any other",
    "`tag` Mentions that no word makes": "nothing",
    "`context`, `conversation` of another server": "nothing",
    "reactions, votes, and acts towards other servers": "nothing: documents, no records",
    "a fifth picture, pictures with a film, sound": "`📎` and its alternative text after the words",
    "custom emoji": "the word between colons",
    "properties that nobody knows": "nothing",
}
"""What AS2 says that no record holds, and what is seen of it elsewhere."""


def every_field() -> set[tuple[str, str]]:
    """Every field of every noun and of every type that a noun is made of."""
    found: set[tuple[str, str]] = set()
    waiting: list[Any] = list(get_args(Noun))
    seen: set[Any] = set()
    while waiting:
        kind = waiting.pop()
        if kind in seen:
            continue
        seen.add(kind)
        waiting += get_args(kind)
        if is_dataclass(kind) and isinstance(kind, type):
            waiting += get_type_hints(kind).values()
            names = [kind.__name__]
            if kind is Relation:
                names = [f"Relation ({word})" for word in RelationKind]
            found |= {(name, field.name) for name in names for field in fields(kind)}
    return found


def page() -> str:
    """The matrix as Markdown."""
    refs = tuple(StrongRef(AtUri(f"at://did:web:b.example/{POSTS}/{key}"), "") for key in OTHERS)
    table = cases(Did("did:web:b.example"), (refs[0], refs[1]), refs[0])
    lines = [
        "# The field matrix",
        "",
        "Every field of every noun in every protocol: shown, or not, with the reason. A test",
        "changes each field and looks at each view; it fails where this page is not what it saw.",
        "The RDF view `?view=lex` shows every record key for key: there nothing is ever lost.",
        "",
        "| field | " + " | ".join(PROTOCOLS) + " |",
        "|---|" + "---|" * len(PROTOCOLS),
    ]
    for noun, field in sorted(every_field()):
        name = f"| {noun}.{field} |"
        if (noun, field) in table:
            cells = [LOSSY.get((noun, field, protocol), "shown") for protocol in PROTOCOLS]
        else:
            cells = [IS_THE_COLLECTION[noun, field]] + ["the same"] * (len(PROTOCOLS) - 1)
        lines.append(f"{name} " + " | ".join(cells) + " |")
    lines += [
        "",
        "What only the fediverse knows stands beside the record, survives edits from the other",
        "networks, and comes back as it was said:",
        "",
        "| AS2 | what other networks see |",
        "|---|---|",
        *(f"| {name} | {seen} |" for name, seen in BESIDE.items()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
