"""Editors of any dialect at once: one wins per state, and every log tells the same order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.strict_relay import StrictRelay
from tests.kit.whole import AS2, JSON_LD, POST, TURTLE, Person, Town, Whole

KEY = "3kaaaaaaaaa22"
PATH = f"/repo/{POST}/{KEY}"
POSTED = {"text": "hi", "createdAt": "2026-01-01T00:00:00Z"}
DIALECTS = ("swapRecord", "swapCommit", "PUT json", "PUT turtle", "PATCH", "PATCH key")
HEAD = """@prefix solid: <http://www.w3.org/ns/solid/terms#>.
@prefix schema: <https://schema.org/>.
<> a solid:InsertDeletePatch;"""
REWORD = "solid:where {{ <> {0} ?old }}; solid:deletes {{ <> {0} ?old }};"
LIVELY = settings(
    suppress_health_check=list(HealthCheck),
    deadline=None,
    max_examples=max(10, settings.default.max_examples // 3 if settings.default else 10),
)


class Pen:
    """An editor of alice's post, in any dialect."""

    def __init__(self, whole: Whole, alice: Person) -> None:
        self.whole, self.alice = whole, alice
        self.url = alice.member.url(PATH)

    async def value(self) -> dict[str, object]:
        told = {"repo": self.alice.member.did, "collection": POST, "rkey": KEY}
        found: dict[str, object] = (
            await self.whole.query("com.atproto.repo.getRecord", **told)
        ).json
        return found

    async def state(self) -> dict[str, str]:
        """The present state as each dialect names it, and its Turtle."""
        did = self.alice.member.did
        head = await self.whole.query("com.atproto.sync.getLatestCommit", did=did)
        shown = await self.whole.ask("GET", self.url, accept=TURTLE)
        return {
            "swapRecord": str((await self.value())["cid"]),
            "swapCommit": head.json["cid"],
            "if_match": shown.headers["etag"],
            "turtle": shown.body.decode(),
        }

    async def write(self, dialect: str, state: dict[str, str], text: str) -> bool:
        """Give the post a text on top of a state; whether that was taken."""
        record = POSTED | {"text": text}
        if dialect in state:
            swap = {dialect: state[dialect]}
            reply = await self.whole.put_record(self.alice, KEY, record, **swap)
            assert reply.status == 200 or reply.json["error"] == "InvalidSwap", reply
            return reply.status == 200
        body, media = json.dumps({"$type": POST, **record}), "application/json"
        if dialect == "PUT turtle":
            lines = state["turtle"].splitlines()
            body = "\n".join(line for line in lines if "articleBody" not in line)
            body += f'<{self.url}> schema:articleBody "{text}" .'
            media = TURTLE
        elif dialect.startswith("PATCH"):
            key = "schema:articleBody" if dialect == "PATCH" else f"<lex:{POST}#text>"
            body = f'{HEAD}{REWORD.format(key)} solid:inserts {{ <> {key} "{text}" }}.'
            media = "text/n3"
        method, tag = dialect.partition(" ")[0], state["if_match"]
        reply = await self.whole.ask(
            method, self.url, body, as_=self.alice, content_type=media, if_match=tag
        )
        assert reply.status in (204, 412), reply
        return reply.status == 204

    async def add_tag(self, dialect: str, tag: str) -> None:
        """Add a tag to whatever is there, until it is taken."""
        while dialect == "swapRecord":
            found = await self.value()
            record = dict(found["value"])  # type: ignore[call-overload]
            record["tags"] = [*record.get("tags", []), tag]
            reply = await self.whole.put_record(self.alice, KEY, record, swapRecord=found["cid"])
            if reply.status == 200:
                return
            assert reply.json["error"] == "InvalidSwap", reply
        body = f'{HEAD} solid:inserts {{ <> schema:keywords "{tag}" }}.'
        reply = await self.whole.ask(
            "PATCH", self.url, body, as_=self.alice, content_type="text/n3"
        )
        assert reply.status == 204, reply


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("house"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def pen(town: Town) -> Pen:
    return Pen(town.whole, town.run(town.whole.join("alice")))


def test_of_editors_in_any_mix_of_dialects_one_wins_per_state(town: Town, pen: Pen) -> None:
    async def race(dialects: list[str]) -> None:
        texts = [f"text {number}" for number in range(len(dialects))]
        assert (await pen.whole.put_record(pen.alice, KEY, POSTED)).status == 200
        state, seq = await pen.state(), pen.whole.store.head_seq()
        taken = await asyncio.gather(
            *(pen.write(d, state, text) for d, text in zip(dialects, texts, strict=True))
        )
        assert taken.count(True) == 1
        assert pen.whole.store.head_seq() == seq + 1
        value = (await pen.value())["value"]
        assert value == {"$type": POST, **POSTED, "text": texts[taken.index(True)]}

    @LIVELY
    @given(st.lists(st.sampled_from(DIALECTS), min_size=2, max_size=8))
    def law(dialects: list[str]) -> None:
        town.run(race(dialects))

    law()


def test_what_many_editors_add_at_once_is_all_there(town: Town, pen: Pen) -> None:
    async def race(dialects: list[str]) -> None:
        await pen.whole.put_record(pen.alice, KEY, POSTED)
        tags = [f"tag{number}" for number in range(len(dialects))]
        await asyncio.gather(*(pen.add_tag(d, tag) for d, tag in zip(dialects, tags, strict=True)))
        value: dict[str, list[str]] = (await pen.value())["value"]  # type: ignore[assignment]
        assert sorted(value["tags"]) == tags

    @LIVELY
    @given(st.lists(st.sampled_from(["swapRecord", "PATCH"]), min_size=2, max_size=6))
    def law(dialects: list[str]) -> None:
        town.run(race(dialects))

    law()


async def _create(whole: Whole, person: Person, dialect: str, text: str) -> None:
    """A new post, in one protocol's own way."""
    post = {"$type": POST, **POSTED, "text": text}
    if dialect == "XRPC":
        given = {"repo": person.member.did, "collection": POST, "record": post}
        reply = await whole.call("com.atproto.repo.createRecord", given, as_=person)
    else:
        graph = {"@id": "", "https://schema.org/articleBody": text}
        body, media = (
            (json.dumps(graph), JSON_LD)
            if dialect == "JSON-LD"
            else (f'<> <https://schema.org/articleBody> "{text}".', TURTLE)
        )
        url = person.member.url(f"/repo/{POST}/")
        reply = await whole.ask("POST", url, body, as_=person, content_type=media)
    assert reply.status in (200, 201), reply


def test_the_outbox_the_commits_and_the_firehose_tell_one_order(town: Town) -> None:
    names = iter(range(1_000))

    async def race(dialects: list[str]) -> None:
        whole = town.whole
        before = whole.store.head_seq()
        person = await whole.join(f"mary{next(names)}")
        texts = [f"post {number}" for number in range(len(dialects))]
        await asyncio.gather(
            *(_create(whole, person, d, t) for d, t in zip(dialects, texts, strict=True))
        )
        changes = whole.store.changes(after=before, limit=99, member=person.member.id)
        commits = [change for change in changes if change.ops]
        seqs = [change.seq for change in changes]
        assert seqs == list(range(before + 1, whole.store.head_seq() + 1))
        document = (await whole.send("GET", f"/plc/{person.member.did}")).json
        key = f"did:key:{document['verificationMethod'][0]['publicKeyMultibase']}"
        relay = StrictRelay(lambda _: key)
        events = [relay.take(frame) for _, frame in whole.store.frames(after=before, limit=99)]
        told = [(event["rev"], op["path"]) for event in events for op in event.get("ops", [])]
        page = await whole.ask("GET", f"{person.member.origin}/outbox?page=", accept=AS2)
        outbox = [item["id"].rpartition("/")[2] for item in page.json["orderedItems"]][::-1]
        said = [item["object"]["content"] for item in page.json["orderedItems"]][::-1]
        assert [f"{rev}-0" for rev, _ in told] == outbox
        assert [change.rev for change in commits] == [rev for rev, _ in told]
        assert sorted(said) == sorted(f"<p>{text}</p>" for text in texts)

    @settings(LIVELY, max_examples=8)
    @given(st.lists(st.sampled_from(["XRPC", "Turtle", "JSON-LD"]), min_size=1, max_size=8))
    def law(dialects: list[str]) -> None:
        town.run(race(dialects))

    law()


def test_things_posted_at_once_under_one_name_are_all_kept(town: Town, pen: Pen) -> None:
    async def story() -> None:
        whole, alice = pen.whole, pen.alice
        for container, is_new in (("/data/", False), ("/data/shelf/", True)):
            if is_new:
                url = alice.member.url(f"{container}first")
                await whole.ask("PUT", url, "<a> <b> <c>.", as_=alice, content_type=TURTLE)
            sent = {"content_type": TURTLE, "slug": "note"}
            replies = await asyncio.gather(
                *(
                    whole.ask(
                        "POST", alice.member.url(container), f"<> <b> {n}.", as_=alice, **sent
                    )
                    for n in range(6)
                )
            )
            assert [reply.status for reply in replies] == [201] * 6
            assert len({reply.headers["location"] for reply in replies}) == 6

    town.run(story())


def test_containers_made_at_once_are_there_once(town: Town, pen: Pen) -> None:
    async def story() -> None:
        whole, alice = pen.whole, pen.alice
        sent = {"content_type": TURTLE}
        asks = [
            whole.ask("PUT", alice.member.url(f"/data/deep/er/{n}"), "<> <b> 1.", as_=alice, **sent)
            for n in range(4)
        ]
        asks += [
            whole.ask("PUT", alice.member.url("/data/deep/er/"), as_=alice, **sent)
            for _ in range(3)
        ]
        replies = await asyncio.gather(*asks)
        assert {reply.status for reply in replies} <= {201, 204}, replies
        shown = await whole.ask("GET", alice.member.url("/data/deep/er/"), as_=alice, accept=TURTLE)
        assert all(f"/data/deep/er/{n}>" in shown.body.decode() for n in range(4))

    town.run(story())
