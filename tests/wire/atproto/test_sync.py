"""com.atproto.sync: exports, proofs and standings, read back by independent libraries."""

from __future__ import annotations

import libipld
import pytest
from atproto import CAR

from adapters.atproto.did.document import build_document
from adapters.atproto.project import LARGE
from adapters.atproto.repo.car import car_bytes, read_car
from adapters.atproto.repo.commit import read_commit, sign_commit
from adapters.atproto.repo.foreign import load_tree
from adapters.atproto.repo.mst import Tree
from pod.access.agent import SYSTEM
from pod.keys.curves import SigningKey
from pod.model.ids import MemberId
from pod.model.member import Standing
from pod.records.cid import cid_from_text, cid_text, record_cid
from pod.records.tid import tid_from_us
from tests.kit.xrpc import Pod, in_pod

POST = "app.bsky.feed.post"
SYNC = "com.atproto.sync."
IMPORT = "/xrpc/com.atproto.repo.importRepo"
CAR_TYPE = {"content-type": "application/vnd.ipld.car"}


async def write_many(pod: Pod, person, count: int, start: int = 0) -> None:
    kind = "com.atproto.repo.applyWrites#create"
    when = "2026-01-02T03:04:05.678Z"
    for first in range(start, start + count, 200):
        writes = [
            {
                "$type": kind,
                "collection": POST,
                "rkey": f"post{i}",
                "value": {"$type": POST, "text": f"{i}", "createdAt": when},
            }
            for i in range(first, min(first + 200, start + count))
        ]
        body = {"repo": person.did, "writes": writes, "validate": False}
        reply = await pod.post("com.atproto.repo.applyWrites", body, person.access)
        assert reply.status == 200, reply.body


def records_of(car: bytes) -> dict[str, bytes]:
    """All records of a CAR file by key, its hashes and its tree checked."""
    root, blocks = read_car(car)
    tree = load_tree(read_commit(blocks[root]).data, blocks.get)
    return {key: blocks[cid] for key, cid in tree.items()}


@pytest.mark.parametrize("count", [0, 1, 5, 1234])
def test_an_export_is_the_whole_repo_and_other_libraries_read_it(count):
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, count)
        reply = await pod.get(SYNC + "getRepo", did=alice.did)
        assert reply.headers["content-type"] == "application/vnd.ipld.car"
        assert len(records_of(reply.body)) == count
        root, blocks = CAR.from_bytes(reply.body).root, CAR.from_bytes(reply.body).blocks
        head = pod.store.repo(alice.member.id)
        assert str(root) == cid_text(head.commit)
        assert blocks[root]["rev"] == head.rev

    in_pod(story)


def test_an_export_streams_the_commit_first_and_each_node_before_what_is_below():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, 300)
        car = (await pod.get(SYNC + "getRepo", did=alice.did)).body
        root, blocks = read_car(car)
        order = list(blocks)
        assert order[0] == root
        announced = {root, read_commit(blocks[root]).data}
        for cid in order:
            assert cid in announced
            announced |= set(links_in(libipld.decode_dag_cbor(blocks[cid])))

    in_pod(story)


def links_in(data) -> list[bytes]:
    if isinstance(data, bytes):
        return [data]
    if isinstance(data, dict):
        return [link for value in data.values() for link in links_in(value)]
    return [link for value in data for link in links_in(value)] if isinstance(data, list) else []


def test_an_export_since_a_rev_holds_what_was_written_later():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, 250)
        before = (await pod.get(SYNC + "getRepo", did=alice.did)).body
        rev = (await pod.get(SYNC + "getLatestCommit", did=alice.did)).json["rev"]
        await write_many(pod, alice, 40, start=250)
        later = (await pod.get(SYNC + "getRepo", did=alice.did, since=rev)).body
        assert len(later) < len(before)
        root, fresh = read_car(later)
        _, old = read_car(before)
        tree = load_tree(read_commit(fresh[root]).data, (old | fresh).get)
        assert len([cid for _, cid in tree.items() if cid in fresh]) == 40
        assert all(cid in fresh or cid in old for _, cid in tree.items())
        now = (await pod.get(SYNC + "getLatestCommit", did=alice.did)).json["rev"]
        nothing = (await pod.get(SYNC + "getRepo", did=alice.did, since=now)).body
        assert len(read_car(nothing)[1]) == 1

    in_pod(story)


def test_an_export_since_a_rev_sends_no_node_or_record_that_was_there_before():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, 400)
        _, old = read_car((await pod.get(SYNC + "getRepo", did=alice.did)).body)
        rev = pod.store.repo(alice.member.id).rev
        await write_many(pod, alice, 3, start=400)
        for rkey in ("post7", "post300"):
            given = {"repo": alice.did, "collection": POST, "rkey": rkey}
            await pod.post("com.atproto.repo.deleteRecord", given, alice.access)
        _, fresh = read_car((await pod.get(SYNC + "getRepo", did=alice.did, since=rev)).body)
        _, new = read_car((await pod.get(SYNC + "getRepo", did=alice.did)).body)
        assert fresh.items() == {cid: new[cid] for cid in new if cid not in old}.items()

    in_pod(story)


def test_an_export_of_one_collection_has_no_records_of_others():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, 300)
        for rkey in ("a", "b"):
            given = {"repo": alice.did, "collection": "com.example.note", "rkey": rkey}
            given["record"] = {"$type": "com.example.note", "n": rkey}
            await pod.post("com.atproto.repo.putRecord", given, alice.access)
        at = {"did": alice.did, "collection": "com.example.note"}
        root, blocks = read_car((await pod.get(SYNC + "getRepo", **at)).body)
        tree = load_tree(read_commit(blocks[root]).data, blocks.get, partial=True)
        assert [tree.get(f"com.example.note/{k}") in blocks for k in "ab"] == [True, True]
        assert tree.get("com.example.note/c") is None
        assert len(blocks) < 20
        assert (await pod.get(SYNC + "getRepo", did=alice.did, collection="x")).status == 400

    in_pod(story)


def test_a_large_repository_is_exported_the_same_whether_or_not_its_tree_is_in_memory(tmp_path):
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, LARGE + 10)
        hot = (await pod.get(SYNC + "getRepo", did=alice.did)).body
        pod.services.repos.forget(alice.member.id)
        cold = (await pod.get(SYNC + "getRepo", did=alice.did)).body
        assert cold == hot
        assert pod.services.repos.hot(pod.store.repo(alice.member.id)) is None
        rev = pod.store.repo(alice.member.id).rev
        nothing = (await pod.get(SYNC + "getRepo", did=alice.did, since=rev)).body
        assert len(read_car(nothing)[1]) == 1
        pod.services.repos.forget(alice.member.id)
        await pod.write_post(alice, "the tree comes back for a write")
        assert pod.services.repos.hot(pod.store.repo(alice.member.id)) is not None

    in_pod(story)
    in_pod(story, path=tmp_path / "pod.db")


def test_an_export_since_before_all_that_is_kept_is_the_whole_repository():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, 30)
        whole = (await pod.get(SYNC + "getRepo", did=alice.did)).body
        part = (await pod.get(SYNC + "getRepo", did=alice.did, since="2222222222222")).body
        assert read_car(part) == read_car(whole)

    in_pod(story)


def test_a_proof_shows_a_record_or_its_absence():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, 300)
        for rkey, is_there in (("post7", True), ("nothing", False)):
            reply = await pod.get(SYNC + "getRecord", did=alice.did, collection=POST, rkey=rkey)
            root, blocks = read_car(reply.body)
            tree = load_tree(read_commit(blocks[root]).data, blocks.get, partial=True)
            cid = tree.get(f"{POST}/{rkey}")
            assert (cid is not None) == is_there
            assert not is_there or cid in blocks

    in_pod(story)


def test_blocks_are_given_all_or_not_at_all():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, 300)
        car = (await pod.get(SYNC + "getRepo", did=alice.did)).body
        _, blocks = read_car(car)
        wanted = [cid_text(cid) for cid in blocks][::9]
        reply = await pod.get(SYNC + "getBlocks", did=alice.did, cids=wanted)
        given = dict(read_car_blocks(reply.body))
        assert given == {cid: blocks[cid] for cid in map(cid_from_text, wanted)}
        unknown = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"
        refused = await pod.get(SYNC + "getBlocks", did=alice.did, cids=[*wanted, unknown])
        assert (refused.status, refused.error) == (400, "BlockNotFound")
        assert unknown in refused.json["message"]

    in_pod(story)


def read_car_blocks(car: bytes) -> dict[bytes, bytes]:
    return read_car(car)[1]


def test_the_head_is_told_in_both_ways():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        head = pod.store.repo(alice.member.id)
        latest = await pod.get(SYNC + "getLatestCommit", did=alice.did)
        assert latest.json == {"cid": cid_text(head.commit), "rev": head.rev}
        assert (await pod.get(SYNC + "getHead", did=alice.did)).json == {
            "root": cid_text(head.commit)
        }
        checkout = await pod.get(SYNC + "getCheckout", did=alice.did)
        assert read_car(checkout.body)[0] == head.commit

    in_pod(story)


@pytest.mark.parametrize(
    ("standing", "name"),
    [
        (Standing.DEACTIVATED, "RepoDeactivated"),
        (Standing.TAKENDOWN, "RepoTakendown"),
        (Standing.SUSPENDED, "RepoSuspended"),
    ],
)
def test_a_repo_that_is_not_served_says_why_and_its_status_tells(standing, name):
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await pod.services.accounts.set_standing(SYSTEM, alice.member.id, standing)
        at = {"did": alice.did}
        for method, params in (
            ("getRepo", at),
            ("getLatestCommit", at),
            ("getHead", at),
            ("listBlobs", at),
            ("getRecord", at | {"collection": POST, "rkey": "x"}),
            ("getBlocks", at | {"cids": [cid_text(pod.store.repo(alice.member.id).commit)]}),
        ):
            reply = await pod.get(SYNC + method, **params)
            assert (reply.status, reply.error) == (400, name), method
        status = await pod.get(SYNC + "getRepoStatus", **at)
        assert status.json == {"did": alice.did, "active": False, "status": standing.value}
        admin = {"authorization": "Basic YWRtaW46c3dvcmRmaXNo"}
        query = f"did={alice.did}"
        path = f"/xrpc/{SYNC}getLatestCommit"
        assert (await pod.ask("GET", path, query, headers=admin)).status == 200
        wrong = {"authorization": "Basic YWRtaW46c3dvcmRmaXNp"}
        assert (await pod.ask("GET", path, query, headers=wrong)).status == 401

    in_pod(story)


def test_a_resting_member_still_exports_their_own_repo():
    async def story(pod: Pod):
        alice, bob = await pod.join("alice"), await pod.join("bob")
        await pod.services.accounts.set_standing(SYSTEM, alice.member.id, Standing.DEACTIVATED)
        assert (await pod.get(SYNC + "getRepo", alice.access, did=alice.did)).status == 200
        assert (await pod.get(SYNC + "getRepo", bob.access, did=alice.did)).error == (
            "RepoDeactivated"
        )

    in_pod(story)


def test_all_repos_are_listed_in_pages():
    async def story(pod: Pod):
        people = [await pod.join(name) for name in ("alice", "bobby", "carol")]
        await pod.services.accounts.set_standing(SYSTEM, people[1].member.id, Standing.DEACTIVATED)
        first = await pod.get(SYNC + "listRepos", limit=2)
        rest = await pod.get(SYNC + "listRepos", limit=2, cursor=first.json["cursor"])
        listed = first.json["repos"] + rest.json["repos"]
        assert [repo["did"] for repo in listed] == [person.did for person in people]
        assert [repo["active"] for repo in listed] == [True, False, True]
        assert listed[1]["status"] == "deactivated"
        assert listed[0]["rev"] == pod.store.repo(MemberId(people[0].member.id)).rev
        assert (await pod.get(SYNC + "listRepos", cursor="x")).status == 400
        end = await pod.get(SYNC + "listRepos", cursor=rest.json["cursor"])
        assert end.json == {"repos": []}

    in_pod(story)


def test_an_exported_repo_comes_back_by_import_byte_for_byte():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, 450)
        car = (await pod.get(SYNC + "getRepo", did=alice.did)).body
        wanted = records_of(car)
        await write_many(pod, alice, 20, start=450)
        given = {"repo": alice.did, "collection": POST, "rkey": "post3"}
        await pod.post("com.atproto.repo.deleteRecord", given, alice.access)
        reply = await pod.ask("POST", IMPORT, body=car, headers=CAR_TYPE, token=alice.access)
        assert (reply.status, reply.body) == (200, b"")
        again = (await pod.get(SYNC + "getRepo", did=alice.did)).body
        assert records_of(again) == wanted

    in_pod(story)


def test_importing_what_is_here_already_changes_nothing():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, 20)
        car = (await pod.get(SYNC + "getRepo", did=alice.did)).body
        before = pod.state()
        reply = await pod.ask("POST", IMPORT, body=car, headers=CAR_TYPE, token=alice.access)
        assert reply.status == 200
        assert pod.state() == before

    in_pod(story)


def test_a_partial_export_completes_what_is_here():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, 250)
        rev = pod.store.repo(alice.member.id).rev
        await write_many(pod, alice, 10, start=250)
        whole = records_of((await pod.get(SYNC + "getRepo", did=alice.did)).body)
        part = (await pod.get(SYNC + "getRepo", did=alice.did, since=rev)).body
        for i in range(250, 260):
            given = {"repo": alice.did, "collection": POST, "rkey": f"post{i}"}
            await pod.post("com.atproto.repo.deleteRecord", given, alice.access)
        reply = await pod.ask("POST", IMPORT, body=part, headers=CAR_TYPE, token=alice.access)
        assert reply.status == 200, reply.body
        assert records_of((await pod.get(SYNC + "getRepo", did=alice.did)).body) == whole

    in_pod(story)


def test_a_broken_or_foreign_import_changes_nothing():
    async def story(pod: Pod):
        alice, bob = await pod.join("alice"), await pod.join("bob")
        await write_many(pod, alice, 50)
        car = (await pod.get(SYNC + "getRepo", did=alice.did)).body
        before = pod.state()
        flipped = car[:-5] + bytes((car[-5] ^ 1,)) + car[-4:]
        for body in (b"", b"\x00", car[:-7], flipped, car[:200], b"x" * 500, b"\xff" * 64):
            reply = await pod.ask("POST", IMPORT, body=body, headers=CAR_TYPE, token=alice.access)
            assert (reply.status, reply.error) == (400, "InvalidRequest"), (body[:20], reply.body)
        reply = await pod.ask("POST", IMPORT, body=car, headers=CAR_TYPE, token=bob.access)
        assert (reply.status, reply.error) == (400, "InvalidRequest")
        big = await pod.ask(
            "POST", IMPORT, body=b"x" * 2_000_001, headers=CAR_TYPE, token=alice.access
        )
        assert big.error == "PayloadTooLarge"
        as_json = {"content-type": "application/json"}
        assert (
            await pod.ask("POST", IMPORT, body=car, headers=as_json, token=alice.access)
        ).status == 400
        assert pod.state() == before

    in_pod(story)


def test_an_import_that_another_key_signed_is_refused_and_an_old_hosts_is_taken():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, 5)
        root, blocks = read_car((await pod.get(SYNC + "getRepo", did=alice.did)).body)
        key = SigningKey.generate_k256()
        # As if it came from a host whose clock runs ahead, with one record less.
        fewer = Tree.build(
            sorted(load_tree(read_commit(blocks[root]).data, blocks.get).items())[1:]
        )
        blocks |= {node.cid: node.block for node in fewer.nodes()}
        rev = tid_from_us(4_000_000_000_000_000, 1)
        commit = sign_commit(alice.did, rev, fewer.cid, key)
        car = car_bytes(record_cid(commit), [(record_cid(commit), commit), *blocks.items()])
        before = pod.state()
        reply = await pod.ask("POST", IMPORT, body=car, headers=CAR_TYPE, token=alice.access)
        assert (reply.status, reply.error) == (400, "InvalidRequest")
        assert "signed" in reply.json["message"]
        assert pod.state() == before
        method = {"verification_methods": {"atproto": key.did_key}, "also_known_as": []}
        document = build_document(alice.did, services={}, **method)
        pod.directory.documents[alice.did] = document
        reply = await pod.ask("POST", IMPORT, body=car, headers=CAR_TYPE, token=alice.access)
        assert reply.status == 200, reply.body
        assert pod.store.repo(alice.member.id).rev > rev

    in_pod(story)


def test_an_export_is_of_one_state_whatever_is_written_meanwhile(tmp_path):
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await write_many(pod, alice, 2500)
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"/xrpc/{SYNC}getRepo",
            "query_string": f"did={alice.did}".encode(),
            "headers": [],
        }
        chunks: list[bytes] = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            chunks.append(message.get("body", b""))
            if len(chunks) == 3:
                await write_many(pod, alice, 10, start=2500)
                given = {"repo": alice.did, "collection": POST, "rkey": "post7"}
                reply = await pod.post("com.atproto.repo.deleteRecord", given, alice.access)
                assert reply.status == 200

        await pod.app(scope, receive, send)
        assert len(chunks) > 4
        assert len(records_of(b"".join(chunks))) == 2500

    in_pod(story)
    in_pod(story, path=tmp_path / "pod.db")
