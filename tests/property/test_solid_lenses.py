"""The laws of the lenses, for the RDF views of posts and profiles."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from adapters.solid.lens.generic import from_rdf, to_rdf
from adapters.solid.lens.index import Edited, RecordViews
from adapters.solid.lens.parts import noted_beside
from adapters.solid.rdf.parse import JSONLD, TURTLE, Graph, parse_rdf
from adapters.solid.rdf.vocab import AS, FOAF, LEX, RDF, SCHEMA, SIOC, VCARD
from adapters.solid.rdf.write import write_rdf
from pod.errors import Conflict, TooLarge, Unprocessable
from pod.model.article import Article
from pod.model.ids import Iri
from pod.model.note import Note
from pod.model.noun import Noun
from pod.model.relation import Relation
from pod.model.resource import EMPTY, Annotation, Complement, Resource, ResourcePath
from pod.records.cbor import encode
from pod.records.data import Data
from pod.records.lens import index as core
from pod.records.lens.relation import COLLECTIONS
from tests.kit import nouns
from tests.kit.solid import ALICE, BOB, NOW, Shelf, TownSpeech, record_resource

POST = "/repo/app.bsky.feed.post/3mtcccccccc2c"
SELF = "/repo/app.bsky.actor.profile/self"
URL = NamedNode(ALICE.url(POST))
ME = NamedNode(ALICE.webid)
VIEWS = RecordViews(Shelf(), TownSpeech, Iri("https://pods.example"))  # type: ignore[arg-type]
NOTED = Triple(URL, NamedNode("http://purl.org/dc/terms/rights"), Literal("CC0"))

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
marks = st.sampled_from(
    [
        {"$type": "app.bsky.richtext.facet#mention", "did": BOB.did},
        {"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:elsewhere"},
        {"$type": "app.bsky.richtext.facet#link", "uri": "https://coop.example/harvest"},
        {"$type": "app.bsky.richtext.facet#tag", "tag": "coop"},
        {"$type": "com.example.unknown", "x": 1},
    ]
)


@st.composite
def posts(draw: st.DrawFn) -> dict[str, Data]:
    """A post with marks, languages, tags and keys that nobody here knows."""
    parts = draw(st.lists(st.tuples(words, st.none() | marks), min_size=1, max_size=4))
    text, facets = "", []
    for part, mark in parts:
        start = len(text.encode())
        text += part
        if mark is not None:
            index = {"byteStart": start, "byteEnd": len(text.encode())}
            facets.append({"index": index, "features": [mark]})
    record: dict[str, Data] = {
        "$type": "app.bsky.feed.post",
        "text": text,
        "createdAt": draw(
            st.sampled_from(["2026-08-20T10:15:30.000Z", "2024-01-01T00:00:00+02:00"])
        ),
    }
    if facets:
        record["facets"] = facets  # type: ignore[assignment]
    if langs := draw(st.lists(st.sampled_from(["en", "de-AT", "x y"]), max_size=2)):
        record["langs"] = langs  # type: ignore[assignment]
    if tags := draw(st.lists(words, max_size=2)):
        record["tags"] = tags  # type: ignore[assignment]
    record.update(draw(st.dictionaries(st.sampled_from(["fullText", "x#y"]), st.integers(0, 9))))
    return record


profiles = st.fixed_dictionaries(
    {"$type": st.just("app.bsky.actor.profile")},
    optional={
        "displayName": words,
        "description": words,
        "website": st.sampled_from(["https://alice.example/", "not an iri <>"]),
        "pronouns": words,
        "unknownKey": st.integers(0, 9),
    },
)
blank = BlankNode("n")
notes_beside = st.lists(
    st.sampled_from(
        [
            NOTED,
            Triple(URL, RDF.type, NamedNode("http://e.example/Recipe")),
            Triple(URL, NamedNode("http://e.example/has"), blank),
            Triple(blank, NamedNode("http://e.example/n"), Literal("1")),
            Triple(BlankNode("m"), NamedNode("http://e.example/of"), blank),
        ]
    ),
    unique=True,
)


def noted(resource: Resource, beside: Graph) -> Resource:
    """The resource with annotations that were written through the view."""
    edited = VIEWS.put(ALICE, resource, [*VIEWS.default(ALICE, resource), *beside])
    assert encode(edited.record) == resource.body
    return replace(resource, complement=edited.complement or EMPTY)


def same(resource: Resource, edited: Edited) -> bool:
    return encode(edited.record) == resource.body and edited.complement is None


@given(posts(), notes_beside, st.sampled_from([TURTLE, JSONLD]))
def test_writing_back_what_was_read_changes_nothing(
    post: dict[str, Data], beside: Graph, syntax: str
) -> None:
    resource = noted(record_resource(POST, post), beside)
    body = write_rdf(VIEWS.default(ALICE, resource), syntax)
    assert same(resource, VIEWS.put(ALICE, resource, parse_rdf(body, syntax, URL.value)))
    generic = write_rdf(VIEWS.generic(ALICE, resource), syntax)
    read = parse_rdf(generic, syntax, URL.value)
    assert same(resource, VIEWS.put_generic(ALICE, resource.path, read))


@given(profiles, st.sampled_from([TURTLE, JSONLD]))
def test_writing_back_a_profile_changes_nothing(profile: dict[str, Data], syntax: str) -> None:
    resource = record_resource(SELF, profile)
    body = write_rdf(VIEWS.default(ALICE, resource), syntax)
    assert same(resource, VIEWS.put(ALICE, resource, parse_rdf(body, syntax, URL.value)))
    body = write_rdf(VIEWS.webid(ALICE, resource), syntax)
    read = parse_rdf(body, syntax, ALICE.webid)
    assert same(resource, VIEWS.put_webid(ALICE, resource, read))


@given(nouns.notes, nouns.unknown_keys, st.sampled_from([TURTLE, JSONLD]))
def test_writing_back_a_post_with_everything_in_it_changes_nothing(
    note: Note, unknown: dict[str, Data], syntax: str
) -> None:
    resource = record_resource(POST, {**unknown, **core.put("app.bsky.feed.post", note)})
    body = write_rdf(VIEWS.default(ALICE, resource), syntax)
    assert same(resource, VIEWS.put(ALICE, resource, parse_rdf(body, syntax, URL.value)))


@given(nouns.relations, st.sampled_from([TURTLE, JSONLD]))
def test_writing_back_a_relation_changes_nothing(relation: Relation, syntax: str) -> None:
    collection = COLLECTIONS[relation.kind]
    path = f"/repo/{collection}/3mtcccccccc2c"
    resource = record_resource(path, core.put(collection, relation))
    body = write_rdf(VIEWS.default(ALICE, resource), syntax)
    assert same(resource, VIEWS.put(ALICE, resource, parse_rdf(body, syntax, URL.value)))


@given(nouns.kinds, nouns.unknown_keys, st.sampled_from([TURTLE, JSONLD]))
def test_writing_back_an_event_a_list_or_the_like_changes_nothing(
    case: tuple[str, Noun], unknown: dict[str, Data], syntax: str
) -> None:
    collection, noun = case
    path = f"/repo/{collection}/3mtcccccccc2c"
    resource = record_resource(path, {**core.put(collection, noun), **unknown})
    body = write_rdf(VIEWS.default(ALICE, resource), syntax)
    assert same(resource, VIEWS.put(ALICE, resource, parse_rdf(body, syntax, URL.value)))


@given(nouns.notes, words, words)
def test_an_article_keeps_what_an_edit_of_its_title_does_not_say(
    note: Note, title: str, other: str
) -> None:
    path = "/repo/com.whtwnd.blog.entry/3mtcccccccc2c"
    article = Article(title, note.plain_text, "markdown", note.created_at)
    resource = record_resource(path, core.put("com.whtwnd.blog.entry", article))
    view = VIEWS.default(ALICE, resource)
    assert same(resource, VIEWS.put(ALICE, resource, view))
    kept = [t for t in view if t.predicate != SCHEMA.headline]
    new = Triple(NamedNode(ALICE.url(path)), SCHEMA.headline, Literal(other))
    edited = VIEWS.put(ALICE, resource, [*kept, new])
    assert edited.record == {**core.put("com.whtwnd.blog.entry", article), "title": other}


@given(posts(), words, notes_beside)
def test_a_new_text_is_read_back_and_touches_nothing_else(
    post: dict[str, Data], text: str, beside: Graph
) -> None:
    resource = noted(record_resource(POST, post), beside)
    view = VIEWS.default(ALICE, resource)
    [old] = [t for t in view if t.predicate == SCHEMA.articleBody]
    language = old.object.language  # type: ignore[union-attr]
    new = Triple(URL, SCHEMA.articleBody, Literal(text, language=language))
    edited = VIEWS.put(ALICE, resource, [new if t == old else t for t in view])
    again = record_resource(POST, edited.record, resource.complement)
    assert new in VIEWS.default(ALICE, again)
    assert edited.complement is None
    untouched = post.keys() - {"text", "facets"}
    assert {k: edited.record[k] for k in untouched} == {k: post[k] for k in untouched}


@given(posts(), words)
def test_the_last_of_two_edits_counts(post: dict[str, Data], text: str) -> None:
    def reworded(resource: Resource, to: str) -> Resource:
        view = [t for t in VIEWS.default(ALICE, resource) if t.predicate != SCHEMA.articleBody]
        edited = VIEWS.put(ALICE, resource, [*view, Triple(URL, SCHEMA.articleBody, Literal(to))])
        return record_resource(POST, edited.record)

    plain = record_resource(POST, {k: v for k, v in post.items() if k != "facets"})
    assert reworded(reworded(plain, "between"), text).cid == reworded(plain, text).cid


@given(posts(), notes_beside)
def test_every_accepted_triple_is_shown_again(post: dict[str, Data], beside: Graph) -> None:
    resource = noted(record_resource(POST, post), beside)
    shown = write_rdf(VIEWS.default(ALICE, resource), TURTLE)
    assert len(parse_rdf(shown, TURTLE, URL.value)) == len(
        VIEWS.default(ALICE, record_resource(POST, post))
    ) + len(beside)
    assert len(noted_beside(resource.complement)) == len(beside)


@given(posts())
def test_a_view_is_made_of_the_record_alone(post: dict[str, Data]) -> None:
    resource = record_resource(POST, post)
    again = RecordViews(Shelf(), TownSpeech, Iri("https://pods.example"))  # type: ignore[arg-type]
    assert VIEWS.default(ALICE, resource) == again.default(ALICE, resource)


def test_annotations_of_other_views_survive_an_edit_of_this_one() -> None:
    other = Annotation("as2", b"{}")
    post: dict[str, Data] = {
        "$type": "app.bsky.feed.post",
        "text": "a",
        "createdAt": "2026-01-01T00:00:00Z",
    }
    resource = record_resource(POST, post, Complement((other,), (), 3))
    edited = VIEWS.put(ALICE, resource, [*VIEWS.default(ALICE, resource), NOTED])
    assert edited.complement is not None
    assert other in edited.complement.annotations
    assert len(edited.complement.annotations) == 2


PLAIN: dict[str, Data] = {
    "$type": "app.bsky.feed.post",
    "text": "Hello @bob",
    "createdAt": "2026-01-01T00:00:00Z",
    "langs": ["en"],
    "facets": [
        {
            "index": {"byteStart": 6, "byteEnd": 10},
            "features": [{"$type": "app.bsky.richtext.facet#mention", "did": BOB.did}],
        }
    ],
}


def edited_post(
    *, out: Graph | None = None, into: Graph | None = None, post: dict[str, Data] = PLAIN
) -> Edited:
    resource = record_resource(POST, post)
    view = [t for t in VIEWS.default(ALICE, resource) if t not in (out or [])]
    return VIEWS.put(ALICE, resource, [*view, *(into or [])])


def shown(predicate: NamedNode) -> Graph:
    return [
        t for t in VIEWS.default(ALICE, record_resource(POST, PLAIN)) if t.predicate == predicate
    ]


def test_a_mention_moves_along_when_the_words_before_it_change() -> None:
    new = Triple(URL, SCHEMA.articleBody, Literal("Good morning @bob", language="en"))
    record = edited_post(out=shown(SCHEMA.articleBody), into=[new]).record
    assert record["text"] == "Good morning @bob"
    assert record["facets"] == [
        {
            "index": {"byteStart": 13, "byteEnd": 17},
            "features": [{"$type": "app.bsky.richtext.facet#mention", "did": BOB.did}],
        }
    ]


def test_html_content_becomes_text_and_marks() -> None:
    html = '<p>See <a href="https://coop.example/">this</a></p>'
    new = Triple(URL, AS.content, Literal(html, language="en"))
    record = edited_post(out=shown(AS.content), into=[new]).record
    assert record["text"] == "See this"
    assert record["facets"][0]["features"][0]["uri"] == "https://coop.example/"  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    "into",
    [
        Triple(URL, AS.attributedTo, NamedNode(BOB.webid)),
        Triple(URL, AS.to, NamedNode(BOB.webid)),
        Triple(URL, LEX.recordCid, Literal("x")),
        Triple(URL, RDF.type, NamedNode("lex:app.bsky.feed.like")),
        Triple(URL, AS.content, Literal("<p><b>bold</b></p>")),
        Triple(URL, SCHEMA.articleBody, Literal("neu", language="de")),
    ],
)
def test_what_follows_from_the_rest_or_cannot_be_held_conflicts(into: Triple) -> None:
    with pytest.raises(Conflict):
        edited_post(into=[into])


def test_what_follows_from_the_rest_cannot_be_removed() -> None:
    for predicate in (AS.attributedTo, AS.cc, LEX.uri, AS.to, RDF.type):
        with pytest.raises(Conflict, match="cannot be removed"):
            edited_post(out=shown(predicate))
    with pytest.raises(Conflict):
        edited_post(out=[*shown(SCHEMA.articleBody), *shown(AS.content)])


def test_two_new_texts_that_disagree_conflict() -> None:
    with pytest.raises(Conflict):
        edited_post(
            into=[
                Triple(URL, SCHEMA.articleBody, Literal("one", language="en")),
                Triple(URL, AS.content, Literal("<p>two</p>", language="en")),
            ]
        )


def test_record_keys_and_meaning_can_be_edited_at_once_unless_they_disagree() -> None:
    resource = record_resource(POST, PLAIN)
    keys = to_rdf({**PLAIN, "extra": 1}, URL)
    text = Triple(URL, SCHEMA.articleBody, Literal("Hi", language="en"))
    view = [t for t in VIEWS.default(ALICE, resource) if t.predicate != SCHEMA.articleBody]
    record = VIEWS.put(ALICE, resource, [*view, text, *keys]).record
    assert record == {
        "$type": PLAIN["$type"],
        "text": "Hi",
        "createdAt": PLAIN["createdAt"],
        "langs": ["en"],
        "extra": 1,
    }
    other = to_rdf({**PLAIN, "text": "Other @bob"}, URL)
    with pytest.raises(Conflict, match="text"):
        VIEWS.put(ALICE, resource, [*view, text, *other])


def test_a_key_that_a_put_leaves_out_is_not_taken_as_removed() -> None:
    resource = record_resource(POST, PLAIN)
    extra = Triple(URL, NamedNode("lex:app.bsky.feed.post#extra"), Literal("x"))
    with pytest.raises(Conflict, match="createdAt"):
        VIEWS.put(ALICE, resource, [*VIEWS.default(ALICE, resource), extra])
    shown = [*VIEWS.default(ALICE, resource), *VIEWS.generic(ALICE, resource)]
    edited = VIEWS.put(ALICE, resource, [*dict.fromkeys(shown), extra], with_keys=True)
    assert edited.record == {**PLAIN, "extra": "x"}


def test_annotations_are_bounded() -> None:
    blanks = [Triple(BlankNode(), NamedNode("a:p"), Literal("x")) for _ in range(201)]
    with pytest.raises(TooLarge):
        edited_post(into=blanks)
    with pytest.raises(TooLarge):
        edited_post(into=[Triple(URL, NamedNode("a:p"), Literal("x" * 300_000))])


def test_an_unknown_lexicon_shows_its_keys_and_keeps_annotations() -> None:
    path = "/repo/com.example.thing/1"
    record: dict[str, Data] = {"$type": "com.example.thing", "a": [1, {"b": None}]}
    resource = record_resource(path, record)
    subject = NamedNode(ALICE.url(path))
    view = VIEWS.default(ALICE, resource)
    assert same(resource, VIEWS.put(ALICE, resource, view))
    remark = Triple(subject, NamedNode("http://e.example/remark"), Literal("x"))
    edited = VIEWS.put(ALICE, resource, [*view, remark])
    assert encode(edited.record) == resource.body
    assert edited.complement is not None
    again = record_resource(path, record, edited.complement)
    assert remark in VIEWS.default(ALICE, again)
    body = write_rdf(VIEWS.default(ALICE, again), TURTLE)
    assert same(again, VIEWS.put(ALICE, again, parse_rdf(body, TURTLE, subject.value)))


def test_a_record_without_keys_can_be_written_back() -> None:
    resource = record_resource("/repo/com.example.thing/1", {"$type": "com.example.thing"})
    view = VIEWS.default(ALICE, resource)
    assert len(set(view)) == len(view)
    assert same(resource, VIEWS.put(ALICE, resource, view))


CREATED = "2026-02-03T04:05:06Z"


def created(turtle: str, path: str = POST, views: RecordViews = VIEWS) -> Edited:
    head = (
        "@prefix as: <https://www.w3.org/ns/activitystreams#> ."
        "@prefix schema: <https://schema.org/> . @prefix dct: <http://purl.org/dc/terms/> . "
    )
    graph = parse_rdf((head + turtle).encode(), TURTLE, ALICE.url(path))
    return views.create(ALICE, ResourcePath(path), graph, CREATED)


def test_a_turtle_note_becomes_a_post() -> None:
    edited = created('<> a as:Note ; as:content "<p>Hello</p>"@en ; dct:rights "CC0" .')
    assert edited.record == {
        "$type": "app.bsky.feed.post",
        "text": "Hello",
        "createdAt": CREATED,
        "langs": ["en"],
    }
    assert edited.complement is not None
    assert NOTED in noted_beside(edited.complement)


def test_a_note_may_be_a_blank_node_and_say_when_it_was_written() -> None:
    edited = created(
        '[] a schema:SocialMediaPosting ; schema:articleBody "Hi" ; schema:inLanguage "de", "en" ;'
        ' as:published "2020-01-01T00:00:00.000Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> ;'
        " as:to as:Public ; as:attributedTo <https://alice.example/me> ."
    )
    assert edited == Edited(
        {
            "$type": "app.bsky.feed.post",
            "text": "Hi",
            "createdAt": "2020-01-01T00:00:00.000Z",
            "langs": ["de", "en"],
        },
        None,
    )


def test_an_answer_names_the_post_it_answers_and_its_thread() -> None:
    root = record_resource(POST, PLAIN)
    views = RecordViews(Shelf(root), TownSpeech, Iri("https://pods.example"))  # type: ignore[arg-type]
    path = "/repo/app.bsky.feed.post/3mtdddddddd2d"
    edited = created(f'<> a as:Note ; as:content "Yes" ; as:inReplyTo <{URL.value}> .', path, views)
    reply = edited.record["reply"]
    assert isinstance(reply, dict)
    assert reply["root"] == reply["parent"]
    with pytest.raises(Unprocessable):
        created('<> as:content "Yes" ; as:inReplyTo <https://elsewhere.example/1> .')


@pytest.mark.parametrize(
    ("turtle", "error"),
    [
        ("", Unprocessable),
        ("<> a as:Note .", Unprocessable),
        ('<#it> a as:Note ; as:content "x" .', Unprocessable),
        ('<> as:content "x" ; as:attributedTo <https://bobby.example/me> .', Conflict),
        ('<> as:content "x" ; as:to <https://bobby.example/me> .', Conflict),
        ('<> as:content "x" ; as:published "yesterday" .', Unprocessable),
        ('<> as:content "x", "y" .', Conflict),
    ],
)
def test_what_is_no_public_note_is_refused(turtle: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        created(turtle)


@given(profiles, words)
def test_one_name_under_any_vocabulary_renames_the_person_in_all(
    profile: dict[str, Data], name: str
) -> None:
    assume(profile.get("displayName") != name)
    resource = record_resource(SELF, profile)
    for predicate in (FOAF.name, VCARD.fn, AS.name, SCHEMA.name):
        view = [
            t
            for t in VIEWS.webid(ALICE, resource)
            if not (t.subject == ME and t.predicate == predicate)
        ]
        edited = VIEWS.put_webid(ALICE, resource, [*view, Triple(ME, predicate, Literal(name))])
        assert edited.record == {**profile, "displayName": name}


def test_a_follow_cannot_be_turned_to_somebody_else() -> None:
    path = "/repo/app.bsky.graph.follow/3mtcccccccc2c"
    follow: dict[str, Data] = {
        "$type": "app.bsky.graph.follow",
        "subject": BOB.did,
        "createdAt": "2026-01-01T00:00:00Z",
    }
    resource = record_resource(path, follow)
    view = VIEWS.default(ALICE, resource)
    assert Triple(ME, SIOC.follows, NamedNode(BOB.webid)) in view
    with pytest.raises(Conflict):
        VIEWS.put(ALICE, resource, [t for t in view if t.predicate != AS.object])
    assert from_rdf(VIEWS.generic(ALICE, resource), NamedNode(ALICE.url(path))) == follow
    assert resource.created_at == NOW
