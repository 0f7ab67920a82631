"""What is derived can be lost, and what is a member's can be carried away, without a difference."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.atproto.repo.car import car_bytes, read_car
from adapters.atproto.repo.commit import read_commit, sign_commit
from pod.keys.keyring import KeyRing
from pod.model.ids import Cid, Tid
from pod.records.cid import record_cid
from server.check import check
from tests.kit.whole import (
    AS2,
    JSON_LD,
    PASSWORD,
    POST,
    TURTLE,
    Person,
    Reply,
    Whole,
    open_whole,
)

HANDLE, DID = "alice.example", "did:web:alice.example"
CAR = "application/vnd.ipld.car"
KEYS = [f"3kaaaaaaaaa{a}{b}" for a in "234567" for b in "234567"]
LIKES = "app.bsky.feed.like"
UNKNOWN = "com.example.thing"

records = st.one_of(
    st.builds(lambda text: (POST, {"text": text}), st.text(max_size=9)),
    st.builds(
        lambda key: (
            LIKES,
            {"subject": {"uri": f"at://{DID}/{POST}/{key}", "cid": "bafyreigh2akiscaild" * 3}},
        ),
        st.sampled_from(KEYS),
    ),
    st.builds(
        lambda data: (UNKNOWN, {"data": data}),
        st.dictionaries(st.text(max_size=3), st.integers(0, 2**53)),
    ),
)
lives = st.lists(
    st.tuples(st.sampled_from(KEYS), st.none() | st.sampled_from(["x", "y"]) | records),
    max_size=25,
)


async def _join(whole: Whole) -> Person:
    """Alice, with a domain and a DID of her own."""
    given_ = {"handle": HANDLE, "did": DID, "email": "a@mail.example", "password": PASSWORD}
    reply = await whole.call("com.atproto.server.createAccount", given_)
    assert reply.status == 200, reply
    member = whole.store.member_by_did(DID)
    assert member is not None
    return Person(member, reply.json["accessJwt"])


async def _live(whole: Whole, alice: Person, steps: Any) -> None:
    for key, step in steps:
        if step is None:
            assert (await whole.delete_record(alice, key)).status == 200
            continue
        collection, record = (POST, {"text": step}) if isinstance(step, str) else step
        record = {"createdAt": "2026-01-01T00:00:00Z", **record}
        reply = await whole.put_record(alice, key, record, collection, validate=False)
        assert reply.status == 200, reply


async def _exported(whole: Whole) -> tuple[bytes, Cid, dict[Cid, bytes]]:
    """The CAR file of alice's repository, the root of its tree, and its blocks but the commit."""
    car = (await whole.query("com.atproto.sync.getRepo", did=DID)).body
    root, blocks = read_car(car)
    commit = read_commit(blocks.pop(root))
    return car, commit.data, blocks


async def _import(whole: Whole, alice: Person, car: bytes) -> Reply:
    headers = {"content-type": CAR}
    path = "/xrpc/com.atproto.repo.importRepo"
    return await whole.send("POST", path, car, token=alice.access, headers=headers)


def _signed_here(whole: Whole, alice: Person, tree: Cid, blocks: dict[Cid, bytes]) -> bytes:
    """The same repository under a commit by the key that the account has here.

    A did:web has one key at a time: after the move its document names the new host's.
    """
    key = KeyRing(whole.store).repo_key(alice.member.id)
    commit = sign_commit(alice.member.did, Tid("3kaaaaaaaaa22"), tree, key)
    root = record_cid(commit)
    return car_bytes(root, [(root, commit), *blocks.items()])


LIVELY = settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=5)


@LIVELY
@given(lives)
def test_a_repository_carried_to_an_empty_pod_is_there_block_for_block(steps: Any) -> None:
    async def story(folder: Path) -> None:
        async with open_whole(folder / "old") as old:
            alice = await _join(old)
            await _live(old, alice, steps)
            car, tree, blocks = await _exported(old)
            for key in KEYS:
                await old.delete_record(alice, key)
            assert (await _import(old, alice, car)).status == 200
            assert (await _exported(old))[1:] == (tree, blocks)
        async with open_whole(folder / "new") as new:
            alice = await _join(new)
            assert (await _import(new, alice, car)).status == 400
            reply = await _import(new, alice, _signed_here(new, alice, tree, blocks))
            assert reply.status == 200, reply
            assert (await _exported(new))[1:] == (tree, blocks)
        assert list(check(folder / "old")) == []
        assert list(check(folder / "new")) == []

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(story(Path(folder)))


@LIVELY
@given(lives)
def test_a_house_that_was_closed_answers_as_before(steps: Any) -> None:
    async def story(folder: Path) -> None:
        async with open_whole(folder) as whole:
            alice = await whole.join("alice")
            await _live(whole, alice, steps)
            document = "<#a> <#b> 'kept'."
            url = alice.member.url("/data/kept")
            sent = await whole.ask("PUT", url, document, as_=alice, content_type=TURTLE)
            assert sent.status == 201
            before = await _answers(whole, alice)
        async with open_whole(folder) as whole:
            assert await _answers(whole, alice) == before

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(story(Path(folder)))


async def _answers(whole: Whole, alice: Person) -> list[Reply]:
    """What every protocol says of everything."""
    member = alice.member
    urls = [(member.url(f"/repo/{POST}/{key}"), media) for key in KEYS for media in (TURTLE, AS2)]
    urls += [
        (member.origin + path, media)
        for path in ("/me", "/", "/outbox?page=", "/featured", "/data/", "/data/kept", "/repo/")
        for media in (TURTLE, AS2, JSON_LD, "text/html", "*/*")
    ]
    replies = [await whole.ask("GET", url, as_=alice, accept=media) for url, media in urls]
    for nsid in ("getRepo", "getLatestCommit", "listBlobs"):
        replies.append(await whole.query(f"com.atproto.sync.{nsid}", did=member.did))
    for collection in (POST, LIKES, UNKNOWN):
        told = {"repo": member.did, "collection": collection}
        replies.append(await whole.query("com.atproto.repo.listRecords", **told))
    return replies
