"""The one write path: all or nothing, one winner per state, no write without a reason."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pod.access.acl import Acl, Mode, Rule
from pod.access.agent import PUBLIC, Agent, Credential
from pod.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PodError,
    QuotaExceeded,
    StaleVersion,
    TooLarge,
    Unauthenticated,
)
from pod.model.ids import Iri, Nsid, Rkey
from pod.model.member import Member
from pod.model.resource import ABSENT, Annotation, Complement, ResourcePath, Version
from pod.records.cid import raw_cid
from pod.records.data import Link
from pod.settings import Limits
from pod.write import Annotate, Delete, PutBinary, PutDocument, PutRecord
from tests.kit.house import Pod, owner

POST = Nsid("app.bsky.feed.post")
LIKE = Nsid("app.bsky.feed.like")


def post(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"text": text, "createdAt": "2026-11-24T12:00:00Z", **more}


def put(text: str = "hello", rkey: str | None = None, **more: Any) -> PutRecord:
    return PutRecord(POST, Rkey(rkey) if rkey else None, post(text), **more)


async def house() -> tuple[Pod, Member]:
    pod = Pod()
    return pod, await pod.member()


def refused(pod: Pod, agent: Agent, member: Member, *ops: Any, **more: Any) -> PodError:
    """Apply ops that must be refused, and hold the pod to having changed nothing."""
    before = pod.store.head_seq(), pod.store.repo(member.id)
    with pytest.raises(PodError) as caught:
        asyncio.run(pod.write.apply(agent, member.id, ops, **more))
    assert (pod.store.head_seq(), pod.store.repo(member.id)) == before
    return caught.value


def test_a_post_is_stored_committed_and_logged_once() -> None:
    async def story() -> None:
        pod, alice = await house()
        before = pod.store.repo(alice.id)
        receipt = await pod.write.apply(owner(alice), alice.id, [put()])
        [result] = receipt.results
        assert result.action == "create"
        assert result.validation == "valid"
        stored = pod.store.resource(alice.id, result.path)
        assert stored is not None
        assert stored.cid == result.cid
        head = pod.store.repo(alice.id)
        assert head == receipt.head
        assert before is not None
        assert head is not None
        assert head.rev > before.rev
        change = pod.store.changes(after=0, limit=99)[-1]
        assert (change.kind, change.rev, len(change.ops)) == ("commit", head.rev, 1)
        assert change.frame is not None

    asyncio.run(story())


def test_writing_the_same_again_makes_no_commit_and_no_event() -> None:
    async def story() -> None:
        pod, alice = await house()
        await pod.write.apply(owner(alice), alice.id, [put(rkey="3mtcccccccc2c")])
        seq = pod.store.head_seq()
        again = await pod.write.apply(owner(alice), alice.id, [put(rkey="3mtcccccccc2c")])
        assert again.head is None
        assert again.results[0].action == "none"
        assert pod.store.head_seq() == seq

    asyncio.run(story())


def test_of_many_writers_on_one_state_one_wins() -> None:
    async def story() -> None:
        pod, alice = await house()
        first = await pod.write.apply(owner(alice), alice.id, [put(rkey="3mtcccccccc2c")])
        cid = first.results[0].cid
        assert cid is not None
        attempts = [
            pod.write.apply(
                owner(alice),
                alice.id,
                [put(f"edit {i}", rkey="3mtcccccccc2c", expect=Version(cid))],
            )
            for i in range(8)
        ]
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        assert sum(isinstance(o, StaleVersion) for o in outcomes) == 7

    asyncio.run(story())


def test_a_batch_with_one_bad_op_changes_nothing() -> None:
    pod, alice = asyncio.run(house())
    bad = PutRecord(POST, None, {"text": 1, "createdAt": "2026-11-24T12:00:00Z"})
    assert isinstance(refused(pod, owner(alice), alice, put(), bad), Invalid)
    missing = PutRecord(POST, Rkey("3mtcccccccc2c"), post(), "update")
    assert isinstance(refused(pod, owner(alice), alice, put(), missing), NotFound)
    twice = put(rkey="3mtcccccccc2c")
    assert isinstance(refused(pod, owner(alice), alice, twice, twice), Invalid)


def test_a_create_over_something_is_a_conflict_with_a_name() -> None:
    pod, alice = asyncio.run(house())
    create = put(rkey="3mtcccccccc2c", action="create")
    asyncio.run(pod.write.apply(owner(alice), alice.id, [create]))
    error = refused(pod, owner(alice), alice, create)
    assert isinstance(error, Conflict)
    assert error.name == "RecordAlreadyExists"


def test_expectations_that_fail_are_invalid_swaps() -> None:
    pod, alice = asyncio.run(house())
    receipt = asyncio.run(pod.write.apply(owner(alice), alice.id, [put(rkey="3mtcccccccc2c")]))
    head = receipt.head
    assert head is not None
    there = put("x", rkey="3mtcccccccc2c", expect=ABSENT)
    other = put("x", rkey="3mtcccccccc2c", expect=Version(head.commit))
    nothing = put("x", rkey="3mtcccccccc3c", expect=Version(head.commit))
    for op in (there, other, nothing):
        assert refused(pod, owner(alice), alice, op).name == "InvalidSwap"
    stale = refused(pod, owner(alice), alice, put("x"), expect_commit=head.data)
    assert stale.name == "InvalidSwap"
    asyncio.run(pod.write.apply(owner(alice), alice.id, [put("x")], expect_commit=head.commit))


def test_only_the_owner_writes_to_their_repository() -> None:
    async def two() -> tuple[Pod, Member, Member]:
        pod = Pod()
        return pod, await pod.member("alice"), await pod.member("bobby")

    pod, alice, bob = asyncio.run(two())
    assert isinstance(refused(pod, PUBLIC, alice, put()), Unauthenticated)
    assert isinstance(refused(pod, owner(bob), alice, put()), Forbidden)


def test_validation_can_be_demanded_or_waived() -> None:
    pod, alice = asyncio.run(house())
    thing = {"anything": ["goes"]}
    unknown = PutRecord(Nsid("com.example.thing"), None, thing)
    receipt = asyncio.run(pod.write.apply(owner(alice), alice.id, [unknown]))
    assert receipt.results[0].validation == "unknown"
    demanded = PutRecord(Nsid("com.example.thing"), None, thing, validate=True)
    assert isinstance(refused(pod, owner(alice), alice, demanded), Invalid)
    waived = PutRecord(POST, None, {"text": 1}, validate=False)
    receipt = asyncio.run(pod.write.apply(owner(alice), alice.id, [waived]))
    assert receipt.results[0].validation is None


def test_a_type_that_contradicts_the_collection_is_refused() -> None:
    pod, alice = asyncio.run(house())
    op = PutRecord(POST, None, post() | {"$type": "app.bsky.feed.like"})
    assert isinstance(refused(pod, owner(alice), alice, op), Invalid)


def test_the_profile_is_always_called_self() -> None:
    pod, alice = asyncio.run(house())
    profile = Nsid("app.bsky.actor.profile")
    receipt = asyncio.run(
        pod.write.apply(owner(alice), alice.id, [PutRecord(profile, None, {"displayName": "A"})])
    )
    assert receipt.results[0].path.endswith("/self")
    assert isinstance(
        refused(pod, owner(alice), alice, PutRecord(profile, Rkey("other"), {})), Invalid
    )


def test_liking_a_post_twice_keeps_one_like() -> None:
    async def story() -> None:
        pod, alice = await house()
        subject = {"uri": f"at://{alice.did}/{POST}/3mtcccccccc2c"}
        subject["cid"] = "bafyreide3zf4tewriludpogrzdj574cdb3p4f56l6ffgzdgmuhl4j55jmm"
        like = {"subject": subject, "createdAt": "2026-11-24T12:00:00Z"}
        for _ in range(2):
            await pod.write.apply(owner(alice), alice.id, [PutRecord(LIKE, None, like)])
        assert pod.store.count_records(alice.id) == 1
        change = pod.store.changes(after=0, limit=99)[-1]
        assert sorted(op.action for op in change.ops) == ["create", "delete"]

    asyncio.run(story())


def test_a_blob_must_be_there_and_be_what_the_record_says() -> None:
    pod, alice = asyncio.run(house())
    picture = b"\x89PNG\r\n\x1a\n" + bytes(20)

    def with_image(cid: bytes, size: int, media_type: str = "image/png") -> PutRecord:
        blob = {"$type": "blob", "ref": Link(cid), "mimeType": media_type, "size": size}
        embed = {"$type": "app.bsky.embed.images", "images": [{"alt": "", "image": blob}]}
        return PutRecord(POST, None, post(embed=embed))

    missing = refused(pod, owner(alice), alice, with_image(raw_cid(picture), 28))
    assert missing.name == "BlobNotFound"
    blob = asyncio.run(pod.media.keep(alice.id, picture, "text/plain"))
    assert blob.media_type == "image/png"
    wrong_size = refused(pod, owner(alice), alice, with_image(blob.cid, 27))
    assert wrong_size.name == "InvalidSize"
    wrong_type = refused(pod, owner(alice), alice, with_image(blob.cid, 28, "image/jpeg"))
    assert wrong_type.name == "InvalidMimeType"
    asyncio.run(pod.write.apply(owner(alice), alice.id, [with_image(blob.cid, 28)]))
    assert pod.store.repo_blobs(alice.id, since=None, after=None, limit=9) == [blob.cid]


def test_temporary_blobs_go_when_their_time_is_over_and_used_ones_stay() -> None:
    async def story() -> None:
        pod, alice = await house()
        used = await pod.media.keep(alice.id, b"used", "text/plain")
        idle = await pod.media.keep(alice.id, b"idle", "text/plain")
        path = ResourcePath("/data/used.txt")
        await pod.write.apply(owner(alice), alice.id, [PutBinary(path, used.cid, "text/plain")])
        assert await pod.media.collect() == 0
        pod.clock.pass_by(4_000)
        assert await pod.media.collect() == 1
        assert set(pod.blobs.kept) == {used.cid}
        assert pod.store.blob(alice.id, idle.cid) is None

    asyncio.run(story())


def test_an_annotation_changes_the_version_but_neither_bytes_nor_commit() -> None:
    async def story() -> None:
        pod, alice = await house()
        receipt = await pod.write.apply(owner(alice), alice.id, [put()])
        path = receipt.results[0].path
        before = pod.store.resource(alice.id, path)
        assert before is not None
        note = Complement(annotations=(Annotation("rdf", b"<> a <> ."),))
        await pod.write.apply(owner(alice), alice.id, [Annotate(path, note, before.version)])
        after = pod.store.resource(alice.id, path)
        assert after is not None
        assert after.cid == before.cid
        assert after.version != before.version
        assert pod.store.repo(alice.id) == receipt.head
        edited = await pod.write.apply(
            owner(alice), alice.id, [put("edited", rkey=path.rpartition("/")[2])]
        )
        kept = pod.store.resource(alice.id, edited.results[0].path)
        assert kept is not None
        assert kept.complement.annotation("rdf") == b"<> a <> ."

    asyncio.run(story())


def test_a_reborn_record_is_a_new_generation() -> None:
    async def story() -> None:
        pod, alice = await house()
        op = put(rkey="3mtcccccccc2c")
        for expected in (1, 2, 3):
            receipt = await pod.write.apply(owner(alice), alice.id, [op])
            stored = pod.store.resource(alice.id, receipt.results[0].path)
            assert stored is not None
            assert stored.generation == expected
            await pod.write.apply(owner(alice), alice.id, [Delete(stored.path)])

    asyncio.run(story())


def test_deleting_nothing_is_an_error_unless_that_is_fine() -> None:
    pod, alice = asyncio.run(house())
    path = ResourcePath(f"/repo/{POST}/3mtcccccccc2c")
    assert isinstance(refused(pod, owner(alice), alice, Delete(path)), NotFound)
    receipt = asyncio.run(pod.write.apply(owner(alice), alice.id, [Delete(path, missing_ok=True)]))
    assert receipt.results[0].action == "none"


def test_a_document_stays_out_of_the_repository() -> None:
    async def story() -> None:
        pod, alice = await house()
        head = pod.store.repo(alice.id)
        path = ResourcePath("/data/notes/a.ttl")
        await pod.write.apply(
            owner(alice), alice.id, [PutDocument(path, "text/turtle", b"<> a <> .")]
        )
        assert pod.store.repo(alice.id) == head
        change = pod.store.changes(after=0, limit=99)[-1]
        assert (change.kind, change.frame) == ("document", None)

    asyncio.run(story())


def test_documents_and_containers_never_share_a_name() -> None:
    pod, alice = asyncio.run(house())

    def doc(path: str) -> PutDocument:
        return PutDocument(ResourcePath(path), "text/turtle", b"")

    asyncio.run(pod.write.apply(owner(alice), alice.id, [doc("/data/a/b")]))
    for path in ("/data/a", "/data/a/b/", "/data/a/b/c", "/repo/x/y"):
        assert isinstance(refused(pod, owner(alice), alice, doc(path)), Conflict)
    assert isinstance(
        refused(pod, owner(alice), alice, Delete(ResourcePath("/data/a/"), missing_ok=True)),
        Conflict,
    )


def test_an_access_list_opens_a_container_to_a_friend_for_adding_only() -> None:
    pod, alice = asyncio.run(house())
    friend = Iri("https://bob.example/me")
    bob = Agent(Credential.SIGNATURE, None, friend)
    box = alice.url("/data/box/")
    rule = Rule(frozenset({Mode.APPEND}), agents=frozenset({friend}), access_to=box, default=box)
    pod.acls.lists[b"acl"] = Acl((rule,))
    acl = PutDocument(ResourcePath("/data/box/.acl"), "text/turtle", b"acl")
    asyncio.run(pod.write.apply(owner(alice), alice.id, [acl]))
    path = ResourcePath("/data/box/new")
    added = PutDocument(path, "text/turtle", b"1", expect=ABSENT)
    asyncio.run(pod.write.apply(bob, alice.id, [added]))
    assert isinstance(refused(pod, bob, alice, Delete(path)), Forbidden)
    assert isinstance(refused(pod, PUBLIC, alice, added), Unauthenticated)


def test_sizes_and_the_quota_are_kept() -> None:
    pod, alice = asyncio.run(house())
    big = PutRecord(Nsid("com.example.big"), None, {"t": "x" * 1_000_001})
    assert isinstance(refused(pod, owner(alice), alice, big), TooLarge)
    small = Pod(limits=Limits(quota_bytes=2_000))
    carol = asyncio.run(small.member("carol"))
    ok = PutRecord(Nsid("com.example.big"), None, {"t": "x" * 1_000})
    asyncio.run(small.write.apply(owner(carol), carol.id, [ok]))
    assert isinstance(refused(small, owner(carol), carol, ok), QuotaExceeded)


def test_a_legacy_blob_is_read_but_never_written() -> None:
    pod, alice = asyncio.run(house())
    legacy = {"cid": "bafkreiet65qyavuihk45lkfsn3mjqwdoobnumlw4j2pvthsbbpgm4nylxu"}
    record = PutRecord(
        Nsid("com.example.thing"), None, {"picture": legacy | {"mimeType": "image/png"}}
    )
    assert isinstance(refused(pod, owner(alice), alice, record), Invalid)
