"""PutGet or refuse: an edit of a view that is accepted reads back as it was written."""

from __future__ import annotations

from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from adapters.solid.lens.index import LENSES, RecordViews
from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import AS, FOAF, LEX, RDF, SCHEMA, VCARD, XSD
from pod.errors import PodError
from pod.model.article import Article
from pod.model.ids import Iri
from pod.model.note import StrongRef
from pod.model.noun import Noun
from pod.model.resource import EMPTY, Resource, ResourcePath
from pod.records.cbor import encode
from pod.records.cid import cid_text
from pod.records.data import Data
from pod.records.lens import index as core
from pod.records.lens.relation import COLLECTIONS
from tests.kit import nouns
from tests.kit.solid import ALICE, BOB, Shelf, TownSpeech, record_resource

POST = "/repo/app.bsky.feed.post/3mtcccccccc2c"
SELF = "/repo/app.bsky.actor.profile/self"
OTHER = record_resource(
    "/repo/app.bsky.feed.post/3mtdddddddd2d",
    {"$type": "app.bsky.feed.post", "text": "other", "createdAt": "2026-01-01T00:00:00Z"},
    owner=BOB,
)
VIEWS = RecordViews(Shelf(OTHER), TownSpeech, Iri("https://pods.example"))  # type: ignore[arg-type]
URL, ME = NamedNode(ALICE.url(POST)), NamedNode(ALICE.webid)
DERIVED_TEXT = {AS.content, SCHEMA.articleBody}
MIRRORS = (
    {FOAF.name, AS.name, VCARD.fn, SCHEMA.name},
    {VCARD.note, SCHEMA.description},
    {FOAF.homepage, SCHEMA.url},
    DERIVED_TEXT,
)

values = st.sampled_from(
    [
        Literal("new"),
        Literal("new", language="en"),
        Literal("neu", language="de"),
        Literal("<p>new</p>", language="en"),
        Literal("<p>new <b>bold</b></p>"),
        Literal("en"),
        Literal("de"),
        Literal("2025-05-05T05:05:05Z", datatype=XSD.dateTime),
        Literal("1", datatype=XSD.integer),
        Literal(""),
        NamedNode(BOB.url(OTHER.path)),
        NamedNode(BOB.webid),
        AS.Note,
        AS.Public,
        BlankNode("z"),
    ]
)
note_predicates = st.sampled_from(
    [AS.content, SCHEMA.articleBody, SCHEMA.inLanguage, SCHEMA.keywords, AS.published,
     AS.inReplyTo, AS.to, AS.attachment, RDF.type, AS.name, LEX.uri,
     NamedNode("lex:app.bsky.feed.post#extra"), NamedNode("http://e.example/p")]
)  # fmt: skip
profile_predicates = st.sampled_from(
    [FOAF.name, AS.name, VCARD.fn, SCHEMA.name, VCARD.note, SCHEMA.description, FOAF.homepage,
     SCHEMA.url, SCHEMA.pronouns, AS.icon, RDF.type, NamedNode("http://e.example/p")]
)  # fmt: skip

POSTS: list[dict[str, Data]] = [
    {"$type": "app.bsky.feed.post", "text": "old", "createdAt": "2026-01-01T00:00:00Z"},
    {
        "$type": "app.bsky.feed.post",
        "text": "old @bob",
        "createdAt": "2026-01-01T00:00:00Z",
        "langs": ["en", "de"],
        "tags": ["new", "t"],
        "facets": [
            {
                "index": {"byteStart": 4, "byteEnd": 8},
                "features": [{"$type": "app.bsky.richtext.facet#mention", "did": BOB.did}],
            }
        ],
    },
]
PROFILES: list[dict[str, Data]] = [
    {"$type": "app.bsky.actor.profile"},
    {
        "$type": "app.bsky.actor.profile",
        "displayName": "old",
        "description": "words",
        "website": "https://old.example/",
        "pronouns": "they",
    },
]


def mirrors_of(collection: str) -> tuple[set[NamedNode], ...]:
    """The names of each field."""
    editable = LENSES[collection].editable
    fields = {field: set() for field in editable.values()}
    for name, field in editable.items():
        fields[field].add(name)
    return (*fields.values(), {VCARD.hasMember, AS.items})


def means(triple: Triple, mirrored: tuple[set[NamedNode], ...] = MIRRORS) -> tuple[object, ...]:
    """A triple without what is declared not to matter: the language of a text follows the post's,
    and the names and texts that mirror each other are one.
    """
    field = next((mirrors for mirrors in mirrored if triple.predicate in mirrors), None)
    value = triple.object
    if isinstance(value, BlankNode):
        value = "blank"  # type: ignore[assignment]
    elif isinstance(value, Literal) and field == DERIVED_TEXT:
        text = TownSpeech(ALICE).read(value.value) if triple.predicate == AS.content else None
        value = "".join(s.text for s in text) if text is not None else value.value  # type: ignore[assignment]
    return triple.subject, frozenset(field) if field else triple.predicate, value


def check(
    resource: Resource,
    out: list[NamedNode],
    into: Graph,
    *,
    with_keys: bool = False,
    mirrored: tuple[set[NamedNode], ...] = MIRRORS,
) -> None:
    topic = NamedNode(ALICE.url(resource.path))
    shown = VIEWS.default(ALICE, resource)
    if with_keys:
        shown += [t for t in VIEWS.generic(ALICE, resource) if t not in shown]
    wanted = [
        t for t in shown if t.predicate not in out or t.subject not in (URL, ME, topic)
    ] + into
    try:
        edited = VIEWS.put(ALICE, resource, wanted, with_keys=with_keys)
    except PodError:
        return
    complement = edited.complement or resource.complement or EMPTY
    again = record_resource(resource.path, edited.record, complement)
    read = VIEWS.default(ALICE, again)
    read += VIEWS.generic(ALICE, again)
    added = {means(t, mirrored) for t in into if t not in shown}
    assert added <= {means(t, mirrored) for t in read}
    before = {means(t, mirrored) for t in shown}
    gone = before - {means(t, mirrored) for t in wanted}
    assert not gone & {means(t, mirrored) for t in read}, "removed triples must not come back"
    settled = VIEWS.put(ALICE, again, VIEWS.default(ALICE, again))
    assert encode(settled.record) == again.body
    assert settled.complement is None


@given(
    st.sampled_from(POSTS),
    st.lists(note_predicates, max_size=3),
    st.lists(st.builds(Triple, st.just(URL), note_predicates, values), max_size=3, unique=True),
    st.booleans(),
)
def test_an_accepted_edit_of_a_post_reads_back(
    post: dict[str, Data], out: list[NamedNode], into: Graph, with_keys: bool
) -> None:
    check(record_resource(POST, post), out, into, with_keys=with_keys)


@given(
    st.sampled_from(PROFILES),
    st.lists(profile_predicates, max_size=4),
    st.lists(st.builds(Triple, st.just(ME), profile_predicates, values), max_size=3, unique=True),
)
def test_an_accepted_edit_of_a_profile_reads_back(
    profile: dict[str, Data], out: list[NamedNode], into: Graph
) -> None:
    check(record_resource(SELF, profile), out, into)


KEY = "3mteeeeeeee2e"
names = st.sampled_from(sorted({n for lens in LENSES.values() for n in lens.editable}, key=str))
more_values = values | st.sampled_from(
    [
        SCHEMA.EventCancelled,
        SCHEMA.OnlineEventAttendanceMode,
        SCHEMA.RsvpResponseNo,
        NamedNode("https://other.example/"),
        NamedNode("lex:app.bsky.graph.defs#modlist"),
        Literal("community.lexicon.calendar.event#odd"),
        Literal("https://other.example/"),
    ]
)


articles = st.builds(Article, nouns.words, nouns.words, st.just("markdown"), nouns.times)
documents = st.builds(
    lambda article, summary, tags: replace(article, format="plain", summary=summary, tags=tags),
    articles,
    nouns.texts,
    st.lists(nouns.words, max_size=2).map(tuple),
)
editable = st.one_of(
    nouns.kinds,
    articles.map(lambda article: ("com.whtwnd.blog.entry", article)),
    documents.map(lambda article: ("site.standard.document", article)),
)


@given(editable, st.data())
def test_an_accepted_edit_of_an_event_a_list_or_the_like_reads_back(
    case: tuple[str, Noun], data: st.DataObject
) -> None:
    collection, noun = case
    resource = record_resource(f"/repo/{collection}/{KEY}", core.put(collection, noun))
    topic = NamedNode(ALICE.url(resource.path))
    own = st.sampled_from(sorted(LENSES[collection].editable, key=str))
    into = st.builds(Triple, st.just(topic), own | names, more_values)
    check(
        resource,
        data.draw(st.lists(own, max_size=4)),
        data.draw(st.lists(into, max_size=3, unique=True)),
        mirrored=mirrors_of(collection),
    )


def of_this_pod(noun: Noun) -> Noun:
    """The noun with what it points at on this pod, and without pictures."""
    uri = BOB.at_uri(OTHER.path)
    known = {
        "subject": StrongRef(uri, cid_text(OTHER.cid))
        if isinstance(getattr(noun, "subject", None), StrongRef)
        else BOB.did,
        "group": uri,
        "avatar": None,
        "icon": None,
        "venues": (),
        "via": None,
        "format": "markdown",
        "tags": (),
        "cover": None,
    }
    return replace(noun, **{f.name: known[f.name] for f in fields(noun) if f.name in known})


makeable = st.one_of(
    nouns.kinds,
    articles.map(lambda article: ("com.whtwnd.blog.entry", article)),
    nouns.relations.map(lambda relation: (COLLECTIONS[relation.kind], relation)),
)


@given(makeable, st.data())
def test_what_is_made_from_its_meaning_reads_back(
    case: tuple[str, Noun], data: st.DataObject
) -> None:
    collection, noun = case
    resource = record_resource(f"/repo/{collection}/{KEY}", core.put(collection, of_this_pod(noun)))
    topic, lens = NamedNode(ALICE.url(resource.path)), LENSES[collection]
    said = [
        triple
        for triple in VIEWS.default(ALICE, resource)
        if triple.subject == topic and triple.predicate in lens.editable
    ]
    extra = data.draw(st.sampled_from([[], [Triple(topic, NamedNode("a:b"), Literal("c"))]]))
    made = VIEWS.create(ALICE, resource.path, [*said, *extra], "2027-01-01T00:00:00Z")
    again = record_resource(resource.path, made.record, made.complement or EMPTY)
    assert made.record == {**core.put(collection, of_this_pod(noun)), **made.record}
    assert set(said) | set(extra) <= set(VIEWS.default(ALICE, again))


@given(st.sampled_from(sorted(LENSES)), st.data())
def test_what_is_made_of_anything_reads_back_or_is_refused(
    collection: str, data: st.DataObject
) -> None:
    path = ResourcePath(f"/repo/{collection}/{'self' if 'profile' in collection else KEY}")
    topic = NamedNode(ALICE.webid if "profile" in collection else ALICE.url(path))
    own = st.sampled_from(sorted(LENSES[collection].editable, key=str))
    built = st.builds(Triple, st.just(topic), own | names, more_values)
    wanted = data.draw(st.lists(built, min_size=1, max_size=4, unique=True))
    try:
        made = VIEWS.create(ALICE, path, wanted, "2026-01-01T00:00:00Z")
    except PodError:
        return
    again = record_resource(path, made.record, made.complement or EMPTY)
    mirrored = MIRRORS if collection == POST.split("/")[2] else mirrors_of(collection)
    read = {means(t, mirrored) for t in VIEWS.default(ALICE, again)}
    assert {means(t, mirrored) for t in wanted} <= read
