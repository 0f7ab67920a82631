"""The laws of the lenses over the whole house: every view, its real wire form, one copy behind."""

from __future__ import annotations

import html as markup
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Triple

from adapters.activitypub.lens import html, note
from adapters.activitypub.lens.names import Names
from adapters.activitypub.lens.published import COMPLEMENT, Published
from adapters.solid.rdf.parse import Graph, parse_rdf
from adapters.solid.rdf.vocab import AS, LEX, SCHEMA
from adapters.solid.rdf.write import write_rdf
from pod.errors import PodError
from pod.model.article import Article
from pod.model.blob import BlobRef
from pod.model.ids import Nsid, Rkey
from pod.model.note import Note
from pod.model.profile import Profile
from pod.model.resource import RECORD_TYPE, Annotation, Override
from pod.model.richtext import Segment
from pod.read import noun_of, record_of
from pod.records.cbor import encode
from pod.records.cid import cid_from_text, cid_text, record_cid
from pod.records.data import data_to_json
from pod.records.lens import index as core
from pod.records.lens.relation import COLLECTIONS
from pod.write import PutRecord
from tests.kit import nouns
from tests.kit.house import owner
from tests.kit.records import json_safe, plain_keys
from tests.kit.whole import AS2, JSON_LD, POST, TURTLE, Person, Town

KEY = "3kaaaaaaaaa22"
PATH = f"/repo/{POST}/{KEY}"
PROFILE = "app.bsky.actor.profile"
BESIDE = Triple(NamedNode("http://x.example/s"), NamedNode("http://x.example/p"), Literal("kept"))
LIVELY = settings(
    suppress_health_check=list(HealthCheck),
    deadline=None,
    max_examples=max(15, settings.default.max_examples // 4 if settings.default else 15),
)
plain = st.text(st.sampled_from("abc XYZ äöü 日本 🌻 <&>\"' \n"), min_size=1, max_size=20).map(
    lambda text: f"w{' '.join(text.split())}w"
)


class Study:
    """One house; alice writes, and every protocol's view is read and written back."""

    def __init__(self, town: Town) -> None:
        self.town, self.whole, self.store = town, town.whole, town.whole.store
        self.alice: Person = town.run(self.whole.join("alice"))
        town.run(self.whole.make_keys(self.alice))
        self.picture = self._blob(b"\x89PNG\r\n\x1a\n pixels", "image/png")
        self.film = self._blob(b"\x00\x00\x00\x18ftypmp42 film", "video/mp4")

    def _blob(self, body: bytes, media_type: str) -> BlobRef:
        data = self.town.run(self.whole.upload(self.alice, body, media_type))
        return BlobRef(cid_from_text(data["ref"]["$link"]), data["mimeType"], data["size"])

    def settled(self, noun: Any) -> Any:
        """A noun whose blobs are here."""
        if isinstance(noun, Note):
            images = {image.alt: replace(image, blob=self.picture) for image in noun.images}
            film = replace(noun.video, blob=self.film) if noun.video else None
            card = noun.card and replace(noun.card, thumb=noun.card.thumb and self.picture)
            return replace(noun, images=tuple(images.values())[:1], video=film, card=card)
        avatar, banner = noun.avatar and self.picture, noun.banner and self.picture
        return replace(noun, avatar=avatar, banner=banner)

    def write(self, collection: str, key: str, noun: Any, unknown: dict[str, Any]) -> str:
        """putRecord; the CID. Data that the lexicon does not take is no example."""
        record = core.put(collection, self.settled(noun)) | unknown
        reply = self.town.run(
            self.whole.put_record(self.alice, key, data_to_json(record), collection)
        )
        assume(reply.status == 200)
        return reply.json["cid"]

    def get(self, url: str, accept: str, **headers: str) -> Any:
        reply = self.town.run(self.whole.ask("GET", url, accept=accept, **headers))
        assert reply.status == 200, reply
        return reply

    def put(self, url: str, body: bytes, media: str, **headers: str) -> int:
        sent = {"content_type": media, **headers}
        return self.town.run(self.whole.ask("PUT", url, body, as_=self.alice, **sent)).status

    def rows(self) -> Any:
        return self.town.run(self.whole.rows())

    def record(self, collection: str = POST, key: str = KEY) -> Any:
        told = {"repo": self.alice.member.did, "collection": collection, "rkey": key}
        return self.town.run(self.whole.query("com.atproto.repo.getRecord", **told)).json

    def graph(self, url: str) -> Graph:
        return parse_rdf(self.get(url, TURTLE).body, TURTLE, url)

    def as2(self) -> dict[str, Any]:
        return orjson.loads(self.get(self.alice.member.url(PATH), AS2).body)

    async def put_as2(self, view: dict[str, Any]) -> None:
        """Write an AS2 view back by its lens, as a client-to-server room would."""
        member = self.alice.member
        resource = self.whole.stored(self.alice, PATH)
        assert resource is not None
        place = Published(member, resource, Names(self.store, member))
        noun = noun_of(resource)
        assert isinstance(noun, Note)
        put = note.put(view, noun, place, "2026-01-01T00:00:00Z")
        record = core.put(POST, put.noun, record_of(resource))
        held, told = resource.complement, {}
        if put.annotation != place.annotation:
            told["annotations"] = tuple(a for a in held.annotations if a.view != COMPLEMENT)
            told["annotations"] += (Annotation(COMPLEMENT, orjson.dumps(put.annotation)),)
        if put.override != place.override:
            made = Override(COMPLEMENT, orjson.dumps(put.override), record_cid(encode(record)))
            told["overrides"] = (made,) if put.override else ()
        complement = replace(held, **told) if told else None
        op = PutRecord(
            Nsid(POST), Rkey(KEY), record, expect=resource.version, complement=complement
        )
        await self.whole.house.write.apply(owner(member), member.id, [op])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    town = Town(tmp_path_factory.mktemp("house"))
    yield Study(town)
    town.close()


def test_what_is_read_from_a_post_and_written_back_changes_nothing(study: Study) -> None:
    url = study.alice.member.url(PATH)

    @LIVELY
    @given(nouns.notes, nouns.unknown_keys)
    def law(noun: Any, unknown: dict[str, Any]) -> None:
        cid = study.write(POST, KEY, noun, unknown)
        block = study.get(url, RECORD_TYPE).body
        assert cid_text(record_cid(block)) == cid
        before = study.rows()
        value = study.record()["value"]
        reply = study.town.run(study.whole.put_record(study.alice, KEY, value, swapRecord=cid))
        assert (reply.status, reply.json["cid"]) == (200, cid)
        for media in (TURTLE, JSON_LD, "application/json", RECORD_TYPE):
            for query in ("", "?view=lex"):
                shown = study.get(url + query, media)
                tag = shown.headers["etag"]
                assert study.put(url + query, shown.body, media, if_match=tag) == 204, shown
        study.town.run(study.put_as2(study.as2()))
        assert study.rows() == before

    law()


def test_what_is_read_from_a_profile_and_written_back_changes_nothing(study: Study) -> None:
    @LIVELY
    @given(nouns.profiles, nouns.unknown_keys)
    def law(noun: Profile, unknown: dict[str, Any]) -> None:
        study.write(PROFILE, "self", noun, unknown)
        before = study.rows()
        for path in ("/me", f"/repo/{PROFILE}/self", f"/repo/{PROFILE}/self?view=lex"):
            url = study.alice.member.origin + path
            for media in (TURTLE, JSON_LD):
                shown = study.get(url, media)
                tag = shown.headers["etag"]
                assert study.put(url, shown.body, media, if_match=tag) == 204, shown
        assert study.rows() == before

    law()


articles = st.one_of(
    st.builds(
        Article, nouns.words, nouns.words, st.just("markdown"), nouns.times, st.none() | nouns.words
    ).map(lambda article: ("com.whtwnd.blog.entry", core.put("com.whtwnd.blog.entry", article))),
    st.builds(
        Article,
        nouns.words,
        st.text(max_size=9),
        st.just("plain"),
        nouns.times,
        st.none() | nouns.words,
        st.lists(nouns.words, max_size=2).map(tuple),
    ).map(lambda article: ("site.standard.document", core.put("site.standard.document", article))),
)
others = st.one_of(
    articles,
    nouns.relations.map(
        lambda relation: (
            COLLECTIONS[relation.kind],
            core.put(COLLECTIONS[relation.kind], relation),
        )
    ),
    st.dictionaries(plain_keys, json_safe, max_size=4).map(
        lambda data: ("com.example.thing", {"$type": "com.example.thing", **data})
    ),
)


def test_what_is_read_of_any_other_record_and_written_back_changes_nothing(study: Study) -> None:
    @LIVELY
    @given(others, nouns.unknown_keys)
    def law(kind: tuple[str, Any], unknown: dict[str, Any]) -> None:
        collection, record = kind
        written = study.town.run(
            study.whole.put_record(study.alice, KEY, data_to_json(record | unknown), collection)
        )
        assume(written.status == 200)
        before = study.rows()
        url = study.alice.member.url(f"/repo/{collection}/{KEY}")
        for media in (TURTLE, JSON_LD, "application/json", RECORD_TYPE):
            for query in ("", "?view=lex"):
                shown = study.get(url + query, media)
                tag = shown.headers["etag"]
                assert study.put(url + query, shown.body, media, if_match=tag) == 204, shown
        assert study.rows() == before

    law()


def test_an_edit_by_one_protocol_is_seen_by_all_and_keeps_what_only_others_know(
    study: Study,
) -> None:
    member, url = study.alice.member, study.alice.member.url(PATH)

    @LIVELY
    @given(nouns.notes, nouns.unknown_keys, plain, st.sampled_from(["XRPC", "AS2", "RDF"]))
    def law(noun: Any, unknown: dict[str, Any], text: str, editor: str) -> None:
        assume(noun.plain_text != text)
        study.write(POST, KEY, noun, unknown)
        study.town.run(study.put_as2(study.as2() | {"x:mood": "calm"}))
        noted = [*study.graph(url), BESIDE]
        assert study.put(url, write_rdf(noted, TURTLE), TURTLE) == 204
        seq = study.store.head_seq()
        _edit(study, url, editor, text)
        assert [change.kind for change in study.store.changes(after=seq, limit=9)] == ["commit"]
        found = study.record()
        assert found["value"]["text"] == text
        assert data_to_json(unknown).items() <= found["value"].items()
        said = set(study.graph(url))
        assert BESIDE in said
        topic = NamedNode(url)
        bodies = {t.object.value for t in said if t.predicate == SCHEMA.articleBody}
        assert bodies == {text}
        versions = {t.object.value for t in said if t.predicate == LEX.recordCid}
        assert versions == {found["cid"]}
        assert any(t.subject == topic and t.predicate == AS.content for t in said)
        view = study.as2()
        assert view["x:mood"] == "calm"
        names = Names(study.store, member)
        assert view["content"].startswith(html.render((Segment(text),), names))
        page = study.get(url, "text/html").body.decode()
        assert markup.escape(text, quote=False) in _unquoted(page)

    law()


def _unquoted(page: str) -> str:
    """A page whose quotes are spelled as the standard library spells them."""
    return page.replace("&#34;", '"').replace("&#39;", "'")


def _edit(study: Study, url: str, editor: str, text: str) -> None:
    """Give the post a text without marks, in one protocol's own way."""
    if editor == "XRPC":
        value = {k: v for k, v in study.record()["value"].items() if k != "facets"}
        reply = study.town.run(study.whole.put_record(study.alice, KEY, value | {"text": text}))
        assert reply.status == 200
    elif editor == "AS2":
        content = html.render((Segment(text),), Names(study.store, study.alice.member))
        view = study.as2()
        mapped = {"contentMap": dict.fromkeys(view.get("contentMap", {}), content)}
        study.town.run(study.put_as2(view | {"content": content} | (mapped or {})))
    else:
        shown = study.graph(url)
        old = [t for t in shown if t.predicate == SCHEMA.articleBody]
        language = old[0].object.language
        body = Literal(text, language=language) if language else Literal(text)
        wanted = [t for t in shown if t not in old] + [
            Triple(NamedNode(url), old[0].predicate, body)
        ]
        assert study.put(url, write_rdf(wanted, TURTLE), TURTLE) == 204


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove"]),
        st.sampled_from(
            [
                (SCHEMA.articleBody, Literal("new words")),
                (AS.content, Literal("<p>new words</p>")),
                (AS.content, Literal("<p><b>bold</b></p>")),
                (AS.published, Literal("2026-01-01")),
                (SCHEMA.inLanguage, Literal("fr")),
                (SCHEMA.inLanguage, Literal("not a language")),
                (SCHEMA.keywords, Literal("seed")),
                (AS.attributedTo, NamedNode("http://x.example/")),
                (AS.to, NamedNode("http://x.example/")),
                (LEX.recordCid, Literal("bafy")),
                (NamedNode("http://x.example/p"), Literal("x")),
                (NamedNode("lex:text"), Literal("by key")),
            ]
        ),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=3,
)


def test_a_graph_that_is_put_is_read_back_or_refused(study: Study) -> None:
    url = study.alice.member.url(PATH)
    topic = NamedNode(url)

    @LIVELY
    @given(nouns.notes, EDITS)
    def law(noun: Any, edits: Any) -> None:
        study.write(POST, KEY, noun, {})
        wanted = study.graph(url)
        gone: set[Triple] = set()
        for action, (predicate, value), at in edits:
            if action == "add":
                wanted.append(Triple(topic, predicate, value))
            elif wanted:
                gone.add(wanted.pop(at % len(wanted)))
        before = study.rows()
        status = study.put(url, write_rdf(wanted, TURTLE), TURTLE)
        assert status in (204, 400, 409, 422)
        if status != 204:
            assert study.rows() == before
            return
        shown = set(study.graph(url))
        asked = {t for t in wanted if t.subject == topic and t not in gone}
        added = {
            t for t in asked if t.predicate in (SCHEMA.keywords, NamedNode("http://x.example/p"))
        }
        assert added <= shown
        new = [t for t in asked if t.object.value == "new words"]
        if new:
            assert study.record()["value"]["text"] == "new words"
        assert not {t for t in gone - set(wanted) if t.predicate == SCHEMA.keywords} & shown

    law()


def test_a_refused_as2_edit_changes_nothing(study: Study) -> None:
    @LIVELY
    @given(nouns.notes, st.sampled_from(["type", "id", "attributedTo", "to", "cc", "tag", "url"]))
    def law(noun: Any, key: str) -> None:
        study.write(POST, KEY, noun, {})
        before = study.rows()
        with pytest.raises(PodError):
            study.town.run(study.put_as2(study.as2() | {key: "x"}))
        assert study.rows() == before

    law()
