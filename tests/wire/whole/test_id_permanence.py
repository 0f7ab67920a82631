"""Ids are for ever: each life of a path has one, and an ended one never means something else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.whole import AS2, JSON_LD, POST, TURTLE, Person, Town, Whole

KEYS = ("3kaaaaaaaaa22", "3kaaaaaaaaa23")
WRITERS = ("XRPC", "PUT json", "PUT turtle")
numbers = itertools.count()

steps = st.lists(
    st.tuples(st.sampled_from(KEYS), st.sampled_from([*WRITERS, "delete", "DELETE", "edit"])),
    min_size=1,
    max_size=10,
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("house"))
    yield made
    made.close()


class Life:
    """What one key lived through: how often it was born, and what it says now."""

    def __init__(self, whole: Whole, person: Person, key: str) -> None:
        self.whole, self.person, self.key = whole, person, key
        self.url = person.member.url(person.path(key))
        self.births = 0
        self.text: str | None = None
        self.ids: list[str] = []

    async def step(self, how: str) -> None:
        """Create, change or delete."""
        text = f"text {next(numbers)}"
        record = {"text": text, "createdAt": "2026-01-01T00:00:00Z"}
        if how in ("delete", "DELETE"):
            if how == "delete":
                assert (await self.whole.delete_record(self.person, self.key)).status == 200
            else:
                reply = await self.whole.ask("DELETE", self.url, as_=self.person)
                assert reply.status == (404 if self.text is None else 205)
            self.text = None
            return
        if how == "PUT turtle":
            body = f'<> <https://schema.org/articleBody> "{text}".'
            headers = {"content_type": TURTLE} | ({"if_none_match": "*"} if self.text else {})
            reply = await self.whole.ask("PUT", self.url, body, as_=self.person, **headers)
            assert reply.status == (201 if self.text is None else 412), reply
            text = text if self.text is None else self.text
        else:
            assert (await self.whole.put_record(self.person, self.key, record)).status == 200
        if self.text is None:
            self.births += 1
            self.ids.append(self.url if self.births == 1 else f"{self.url};g{self.births}")
        self.text = text

    async def check(self) -> None:
        """Every id of the past and present answers as it should."""
        for number, object_id in enumerate(self.ids, 1):
            lives = number == self.births and self.text is not None
            reply = await self.whole.ask("GET", object_id, accept=AS2)
            assert reply.status == (200 if lives else 410), (object_id, reply)
            if lives:
                assert reply.json["id"] == object_id
                assert reply.json["content"] == f"<p>{self.text}</p>"
            elif reply.headers["content-type"] == AS2:
                assert reply.json["type"] == "Tombstone"
                assert reply.json["id"] == object_id
        never = await self.whole.ask("GET", f"{self.url};g{self.births + 2}", accept=AS2)
        assert never.status in (404, 410)
        await self._check_the_other_names()

    async def _check_the_other_names(self) -> None:
        member = self.person.member
        told = {"repo": member.did, "collection": POST, "rkey": self.key}
        record = await self.whole.query("com.atproto.repo.getRecord", **told)
        absent = 404 if not self.births else 410
        for accept in (TURTLE, JSON_LD, "application/json", "text/html"):
            reply = await self.whole.ask("GET", self.url, accept=accept)
            assert reply.status == (absent if self.text is None else 200), (accept, reply)
        if self.text is None:
            assert (record.status, record.json["error"]) == (400, "RecordNotFound")
            return
        assert record.json["value"]["text"] == self.text
        uri = f"at://{member.did}/{POST}/{self.key}"
        assert record.json["uri"] == uri
        turtle = await self.whole.ask("GET", self.url, accept=TURTLE)
        assert f'lex:uri "{uri}"' in turtle.body.decode()


def test_an_id_means_one_life_of_one_thing_or_says_that_it_is_gone(town: Town) -> None:
    @settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=SCALE)
    @given(steps)
    def law(taken: list[tuple[str, str]]) -> None:
        town.run(story(taken))

    async def story(taken: list[tuple[str, str]]) -> None:
        person = await town.whole.join(f"alice{next(numbers)}")
        lives = {key: Life(town.whole, person, key) for key in KEYS}
        for key, how in taken:
            await lives[key].step(how)
            await lives[key].check()
        for life in lives.values():
            await life.check()
        known = [object_id for life in lives.values() for object_id in life.ids]
        assert len(set(known)) == len(known)

    law()


SCALE = max(10, settings.default.max_examples // 3) if settings.default else 10


def test_a_person_is_the_same_under_every_name(town: Town) -> None:
    async def story() -> None:
        whole = town.whole
        person = await whole.join(f"bob{next(numbers)}")
        member = person.member
        actor = (await whole.ask("GET", member.webid, accept=AS2)).json
        assert actor["id"] == member.webid == f"{member.origin}/me"
        assert member.did in actor["alsoKnownAs"]
        found = await whole.ask(
            "GET", f"{member.origin}/.well-known/webfinger?resource=acct:{member.acct}"
        )
        links = {link["rel"]: link.get("href") for link in found.json["links"]}
        assert links["self"] == member.webid
        resolved = await whole.query("com.atproto.identity.resolveHandle", handle=member.handle)
        assert resolved.json["did"] == member.did
        told = await whole.ask("GET", f"{member.origin}/.well-known/atproto-did")
        assert told.body.decode().strip() == member.did
        document = (await whole.send("GET", f"/plc/{member.did}")).json
        assert f"at://{member.handle}" in document["alsoKnownAs"]
        webid = await whole.ask("GET", member.webid, accept=TURTLE)
        assert member.did in webid.body.decode()

    town.run(story())
