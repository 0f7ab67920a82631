"""Repositories and did:plc against the software that the network itself runs on."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from adapters.atproto.did.client import MemberDids, PlcClient
from adapters.atproto.did.document import read_document
from adapters.atproto.did.plc import tombstone, update, verify_audit_log
from adapters.atproto.repo.car import car_bytes, export_repo
from adapters.atproto.repo.mst import Tree
from adapters.http.fetch import Fetch
from pod.errors import Invalid, NotFound
from pod.keys.curves import SigningKey
from pod.model.change import RecordOp
from pod.model.ids import Cid, Did, Handle, MemberId, Origin
from pod.records.cid import cid_text
from pod.settings import Egress
from tests.kit.members import a_member
from tests.kit.node import Peer, PeerRefused, peer
from tests.kit.other_cbor import decode_multi_dag_cbor_in_violation_of_the_spec
from tests.kit.repo_host import KEYS, MEMBERS, RepoHost, some_ops
from tests.kit.xrpc import Person, Pod, in_pod

pytestmark = pytest.mark.peer


def _text(value: Any) -> str | None:
    return None if value is None else value.encode()


def _op(op: dict[str, Any]) -> dict[str, Any]:
    return {k: v if isinstance(v, str) else _text(v) for k, v in op.items()}


def test_the_reference_library_takes_every_commit_export_and_proof() -> None:
    random = Random(7)
    host = RepoHost(1_000_000)
    blocks: dict[Cid, bytes] = {}
    with peer("repo_verify.mjs") as library:
        for _ in range(60):
            member = random.choice(list(MEMBERS))
            did, key = MEMBERS[member].did, KEYS[member].did_key
            ops = some_ops(random, host.records[member], random.choice([1, 1, 3, 20]), space=300)
            blocks.update((op.cid, op.block) for op in ops if op.cid and op.block)
            first = host.heads[member] is None
            _, body = decode_multi_dag_cbor_in_violation_of_the_spec(host.commit(member, ops))
            assert isinstance(body, dict)
            told = [_op(op) for op in body["ops"]]
            prev = None if first else _text(body["prevData"])
            car = b64encode(body["blocks"]).decode()
            seen = library.ask("commit", car=car, did=did, key=key, ops=told, prevData=prev)
            assert seen["commit"] == _text(body["commit"])
        for member, records in host.records.items():
            _check_export(library, host, member, records, blocks)


@pytest.mark.parametrize("touched", [1, 40])
def test_the_reference_library_takes_an_export_since_a_revision(touched: int) -> None:
    async def story(pod: Pod) -> None:
        alice = await pod.join("alice")
        names = [f"post{n:04d}" for n in range(450)]
        await _apply(pod, alice, "create", names[:400])
        old = (await pod.get("com.atproto.sync.getRepo", did=alice.did)).body
        since = (await pod.get("com.atproto.sync.getLatestCommit", did=alice.did)).json["rev"]
        await _apply(pod, alice, "create", names[400 : 400 + touched])
        await _apply(pod, alice, "update", names[10 : 10 + touched])
        await _apply(pod, alice, "delete", names[200 : 200 + touched])
        car = (await pod.get("com.atproto.sync.getRepo", did=alice.did, since=since)).body
        assert len(car) < len(old) / (1 if touched > 1 else 5)
        key = pod.services.keyring.repo_key(alice.member.id).did_key
        with peer("repo_verify.mjs") as library:
            given = {"before": b64encode(old).decode(), "car": b64encode(car).decode()}
            seen = library.ask("diff", did=alice.did, key=key, **given)
        told = {(write["action"], write["rkey"]) for write in seen["writes"]}
        assert told == {
            *(("create", name) for name in names[400 : 400 + touched]),
            *(("update", name) for name in names[10 : 10 + touched]),
            *(("delete", name) for name in names[200 : 200 + touched]),
        }

    in_pod(story)


async def _apply(pod: Pod, person: Person, action: str, names: list[str]) -> None:
    """Write posts of these names, 200 in a commit."""
    post = {"text": action, "createdAt": "2026-01-02T03:04:05.678Z"}
    for at in range(0, len(names), 200):
        writes = [
            {
                "$type": f"com.atproto.repo.applyWrites#{action}",
                "collection": "app.bsky.feed.post",
                "rkey": name,
            }
            | ({} if action == "delete" else {"value": post | {"text": f"{action} {name}"}})
            for name in names[at : at + 200]
        ]
        body = {"repo": person.did, "writes": writes, "validate": False}
        reply = await pod.post("com.atproto.repo.applyWrites", body, person.access)
        assert reply.status == 200, reply.body


def _check_export(
    library: Peer,
    host: RepoHost,
    member: MemberId,
    records: dict[str, Cid],
    blocks: dict[Cid, bytes],
) -> None:
    head = host.heads[member]
    assert head is not None
    who = {"did": MEMBERS[member].did, "key": KEYS[member].did_key}
    tree = Tree.build(host.index(member))
    chunks = export_repo(
        head.commit, head.block, tree, [(cid, blocks[cid]) for _, cid in tree.items()]
    )
    seen = library.ask("repo", car=b64encode(b"".join(chunks)).decode(), **who)
    assert seen["rev"] == head.rev
    assert {f"{w['collection']}/{w['rkey']}" for w in seen["creates"]} == set(records)
    for key in (min(records), "app.bsky.feed.post/absent"):
        proof = {head.commit: head.block} | {n.cid: n.block for n in tree.proof(key)}
        cid = records.get(key)
        if cid is not None:
            proof[cid] = blocks[cid]
        collection, rkey = key.split("/")
        claim = {
            "collection": collection,
            "rkey": rkey,
            "cid": None if cid is None else cid_text(cid),
        }
        car = b64encode(car_bytes(head.commit, proof.items())).decode()
        assert library.ask("proof", car=car, claims=[claim], **who) == {
            "verified": 1,
            "unverified": 0,
        }


def test_the_public_directory_software_takes_our_operations() -> None:
    rotation, recovery = SigningKey.generate_k256(), SigningKey.generate_p256()
    repo, pds = SigningKey.generate_k256(), Origin("https://pods.example")

    async def story(url: str) -> None:
        fetch = Fetch(Egress(may_reach_private=True))
        try:
            client = PlcClient(fetch, url)
            dids = MemberDids(client, rotation, pds)
            did = await dids.create(
                handle=Handle("alice.test"),
                origin=Origin("https://alice.example"),
                signing_key=repo.did_key,
                recovery_key=recovery.did_key,
            )
            identity = read_document(did, await client.document(did))
            assert (identity.handle, identity.pds) == ("alice.test", pds)
            assert identity.signing_key == repo.did_key
            await dids.set_handle(replace(a_member(), did=did), Handle("bob.test"))
            log = await client.audit_log(did)
            assert verify_audit_log(did, log)["alsoKnownAs"][0] == "at://bob.test"
            first = log[0]["operation"]
            with pytest.raises(Invalid):
                await client.submit(did, update(first, rotation, alsoKnownAs=[]))
            await client.submit(did, update(first, recovery, alsoKnownAs=["at://back.test"]))
            log = await client.audit_log(did)
            assert [row["nullified"] for row in log] == [False, True, False]
            assert verify_audit_log(did, log)["alsoKnownAs"] == ["at://back.test"]
            await client.submit(did, tombstone(await client.last_operation(did), rotation))
            for gone in (did, Did("did:plc:" + "a" * 24)):
                with pytest.raises(NotFound):
                    await client.document(gone)
        finally:
            await fetch.close()

    with peer("plc.mjs") as directory:
        asyncio.run(story(directory.ready["url"]))


def test_a_commit_that_lacks_a_record_is_refused_by_the_reference_library() -> None:
    host = RepoHost(1000)
    member = next(iter(MEMBERS))
    ops: list[RecordOp] = some_ops(Random(3), {}, 3, space=50)
    _, body = decode_multi_dag_cbor_in_violation_of_the_spec(host.commit(member, ops))
    assert isinstance(body, dict)
    wrong = [
        {
            "action": "create",
            "path": "app.bsky.feed.post/x",
            "cid": cid_text(ops[0].cid or Cid(b"")),
        }
    ]
    with peer("repo_verify.mjs") as library, pytest.raises(PeerRefused):
        library.ask(
            "commit",
            car=b64encode(body["blocks"]).decode(),
            did=MEMBERS[member].did,
            key=KEYS[member].did_key,
            ops=wrong,
            prevData=None,
        )
