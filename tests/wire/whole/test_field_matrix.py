"""The field matrix, field by field, over the whole house: what changes in which protocol's view."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from adapters.solid.rdf.parse import parse_rdf
from adapters.solid.rdf.vocab import LEX
from pod.model.ids import Nsid, Rkey, Tid
from pod.model.note import StrongRef
from pod.model.resource import RECORD_TYPE, Resource, record_path
from pod.records.cbor import encode
from pod.records.cid import cid_text, record_cid
from pod.records.lens import index as records
from tests.kit.field_matrix import (
    IS_THE_COLLECTION,
    KEY,
    LOSSY,
    OTHERS,
    POSTS,
    PROFILES,
    PROTOCOLS,
    Case,
    cases,
    every_field,
    page,
)
from tests.kit.whole import AS2, TURTLE, Person, Town

DOC = Path(__file__).resolve().parents[3] / "docs" / "field-matrix.md"


class Seen:
    """What every protocol shows of a noun that alice keeps."""

    def __init__(self, town: Town) -> None:
        self.town, self.whole = town, town.whole
        self.alice, self.bob = town.run(self.whole.join("alice")), town.run(self.whole.join("bob"))
        first, second = (self._post(self.bob, key) for key in OTHERS)
        own = self._post(self.alice, OTHERS[0])
        self.cases = cases(self.bob.member.did, (first, second), own)

    def _post(self, person: Person, key: str) -> StrongRef:
        record = {"$type": POSTS, "text": key, "createdAt": "2026-01-01T00:00:00Z"}
        self.keep(person, POSTS, key, record)
        path = record_path(Nsid(POSTS), Rkey(key))
        return StrongRef(person.member.at_uri(path), cid_text(record_cid(encode(record))))

    def keep(self, person: Person, collection: str, key: str, record: Any) -> None:
        """Store a record as it is: fields that always change together can then change alone."""
        body, now = encode(record), person.member.created_at
        cid, path = record_cid(body), record_path(Nsid(collection), Rkey(key))
        made = Resource(
            person.member.id,
            path,
            RECORD_TYPE,
            cid,
            len(body),
            body,
            Tid("3mtcccccccc2c"),
            now,
            now,
        )
        self.town.run(self.whole.store.write(lambda tx: tx.put_resource(made)))

    def views(self, case: Case, noun: Any) -> dict[str, Any]:
        """All views of a noun."""
        key = "self" if case.collection == PROFILES else KEY
        self.keep(self.alice, case.collection, key, records.put(case.collection, noun))
        return self.town.run(self._views(case.collection, key))

    async def _views(self, collection: str, key: str) -> dict[str, Any]:
        whole, member = self.whole, self.alice.member
        path = f"/repo/{collection}/{key}"
        is_profile = collection == PROFILES
        shown = member.webid if is_profile else member.url(path)
        told = {"repo": member.did, "collection": collection, "rkey": key}
        record = (await whole.query("com.atproto.repo.getRecord", **told)).json["value"]
        actor = await whole.ask("GET", shown, accept=AS2)
        pinned = await whole.ask("GET", f"{member.origin}/featured", accept=AS2)
        turtle = await whole.ask("GET", shown, accept=TURTLE)
        generic = await whole.ask("GET", f"{member.url(path)}?view=lex", accept=TURTLE)
        html = await whole.ask(
            "GET", f"{member.origin}/" if is_profile else shown, accept="text/html"
        )
        assert html.status == turtle.status == generic.status == 200
        return {
            "record": record,
            "AS2": (actor.status, actor.body, pinned.body),
            "RDF": _triples(turtle.body, shown),
            "lex": _triples(generic.body, shown),
            "HTML": html.body.replace(quote(key).encode(), b""),
        }


def _triples(turtle: bytes, base: str) -> set[tuple[str, ...]]:
    """What Turtle says, but for the names of blank nodes and of the version."""
    said = [t for t in parse_rdf(turtle, TURTLE, base) if t.predicate != LEX.recordCid]
    plain = ((str(t.subject), str(t.predicate), str(t.object)) for t in said)
    return {tuple("_" if part.startswith("_:") else part for part in t) for t in plain}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    town = Town(tmp_path_factory.mktemp("house"))
    yield Seen(town)
    town.close()


def test_each_field_shows_in_each_protocol_or_is_lossy_with_a_reason(seen: Seen) -> None:
    wrong = []
    for (noun, field), case in seen.cases.items():
        before, after = seen.views(case, case.before), seen.views(case, case.after)
        assert before["lex"] != after["lex"], (noun, field)
        wrong += [
            (noun, field, protocol)
            for protocol in PROTOCOLS
            if (before[protocol] == after[protocol]) != ((noun, field, protocol) in LOSSY)
        ]
    assert wrong == []


def test_a_new_field_needs_its_line_in_the_matrix(seen: Seen) -> None:
    assert set(seen.cases) | set(IS_THE_COLLECTION) == every_field()
    assert {(noun, field) for noun, field, _ in LOSSY} <= set(seen.cases)


def test_the_page_shows_the_matrix() -> None:
    assert DOC.read_text() == page()
