"""Repositories as others copy them: whole, in part, and with proofs."""

from __future__ import annotations

from atproto_crypto.verify import verify_signature
from cbrrr import CID, encode_dag_cbor

from tests.parity.listing import differs
from tests.parity.subject import (
    POST,
    PROFILE,
    Account,
    Car,
    Subject,
    cid_text,
    post,
    rkey_of,
    write,
)

NOBODY = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
NOT_FOUND = (400, "RepoNotFound")


def _repo(alice: Account, **more: object) -> Car:
    return alice.server.anyone.car("sync.getRepo", did=alice.did, **more)


def _signing_key(alice: Account) -> str:
    key: str = alice.server.registered(alice.did)["verificationMethods"]["atproto"]
    return key


def a_repo_holds_every_record(server: Subject) -> None:
    alice = server.member()
    made = [alice.create(post(str(n))) for n in range(10)]
    expected = {f"{POST}/{rkey_of(each)}": each["cid"] for each in made}
    assert _repo(alice).records() == expected


def a_repo_holds_the_content_of_every_record(server: Subject) -> None:
    alice = server.member()
    made = alice.create(post("content"))
    assert _repo(alice).blocks[made["cid"]]["text"] == "content"


def a_repo_knows_nothing_of_what_was_deleted(server: Subject) -> None:
    alice = server.member()
    keep, gone = alice.create(post("keep")), alice.create(post("gone"))
    alice.delete(rkey_of(gone))
    car = _repo(alice)
    assert list(car.records().values()) == [keep["cid"]]
    assert gone["cid"] not in car.blocks


def a_repo_has_its_latest_commit_as_root(server: Subject) -> None:
    alice = server.member()
    alice.create()
    car = _repo(alice)
    assert car.roots == [alice.head()["cid"]]
    assert car.commit["rev"] == alice.head()["rev"]


def a_commit_has_the_fields_of_version_three(server: Subject) -> None:
    alice = server.member()
    commit = _repo(alice).commit
    assert commit.keys() == {"did", "version", "data", "rev", "prev", "sig"}
    assert (commit["did"], commit["version"], commit["prev"]) == (alice.did, 3, None)


def a_commit_is_signed_by_the_key_of_the_did(server: Subject) -> None:
    alice = server.member()
    alice.create()
    commit = dict(_repo(alice).commit)
    signature = commit.pop("sig")
    unsigned = encode_dag_cbor(commit | {"data": CID(commit["data"])})
    assert verify_signature(_signing_key(alice), unsigned, signature)


def an_empty_repo_is_a_commit_and_one_node(server: Subject) -> None:
    alice = server.member()
    car = _repo(alice)
    assert len(car.blocks) == 2
    assert car.blocks[cid_text(car.commit["data"])] == {"e": [], "l": None}


def a_repo_that_was_emptied_is_as_it_began(server: Subject) -> None:
    alice = server.member()
    before = _repo(alice).commit["data"]
    alice.delete(rkey_of(alice.create()))
    assert _repo(alice).commit["data"] == before


def a_repo_of_many_records_is_whole(server: Subject) -> None:
    alice = server.member()
    for _ in range(3):
        alice.apply(*[write("create", value=post(str(n))) for n in range(150)])
    car = _repo(alice)
    records = car.records()
    assert len(records) == 450
    assert set(records.values()) <= car.blocks.keys()


def revs_rise_with_each_commit(server: Subject) -> None:
    alice = server.member()
    revs = [alice.head()["rev"]]
    for _ in range(5):
        alice.create()
        revs.append(alice.head()["rev"])
    assert revs == sorted(set(revs))


def a_repo_since_a_rev_holds_what_is_new(server: Subject) -> None:
    alice = server.member()
    old = alice.create(post("old"))
    rev = alice.head()["rev"]
    new = alice.create(post("new"))
    car = _repo(alice, since=rev)
    assert new["cid"] in car.blocks
    assert old["cid"] not in car.blocks
    assert car.roots == [alice.head()["cid"]]


def what_was_copied_and_what_is_new_make_the_whole(server: Subject) -> None:
    alice = server.member()
    alice.apply(*[write("create", value=post(str(n))) for n in range(50)])
    first = _repo(alice)
    alice.apply(*[write("create", value=post(str(n))) for n in range(50)])
    more = _repo(alice, since=first.commit["rev"])
    more.blocks |= first.blocks
    assert more.records() == _repo(alice).records()


def a_repo_that_is_not_here_is_not_found(server: Subject) -> None:
    assert server.anyone.get_refused("sync.getRepo", did=NOBODY) == NOT_FOUND


def a_repo_is_asked_for_by_did(server: Subject) -> None:
    refusal = server.anyone.get_refused("sync.getRepo", did="alice.test")
    assert refusal == (400, "InvalidRequest")


def the_latest_commit_is_told(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    told = server.anyone.get("sync.getLatestCommit", did=alice.did)
    assert (told["cid"], told["rev"]) == (made["commit"]["cid"], made["commit"]["rev"])


def a_new_repo_has_a_commit(server: Subject) -> None:
    alice = server.member()
    assert _repo(alice).roots == [alice.head()["cid"]]


def the_latest_commit_of_a_repo_elsewhere_is_not_found(server: Subject) -> None:
    assert server.anyone.get_refused("sync.getLatestCommit", did=NOBODY) == NOT_FOUND


def the_old_name_of_the_latest_commit_still_answers(server: Subject) -> None:
    alice = server.member()
    assert server.anyone.get("sync.getHead", did=alice.did) == {"root": alice.head()["cid"]}


def the_old_name_of_a_copy_still_answers(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    car = server.anyone.car("sync.getCheckout", did=alice.did)
    assert list(car.records().values()) == [made["cid"]]


def a_repo_says_that_it_is_active(server: Subject) -> None:
    alice = server.member()
    told = server.anyone.get("sync.getRepoStatus", did=alice.did)
    assert told == {"did": alice.did, "active": True, "rev": alice.head()["rev"]}


def the_status_of_a_repo_elsewhere_is_not_found(server: Subject) -> None:
    assert server.anyone.get_refused("sync.getRepoStatus", did=NOBODY) == NOT_FOUND


def a_proof_shows_a_record(server: Subject) -> None:
    alice = server.member()
    made = alice.create(post("proven"))
    key = rkey_of(made)
    car = server.anyone.car("sync.getRecord", did=alice.did, collection=POST, rkey=key)
    assert car.lookup(f"{POST}/{key}") == made["cid"]
    assert car.blocks[made["cid"]]["text"] == "proven"
    assert car.roots == [alice.head()["cid"]]


def a_proof_shows_that_a_record_is_not_there(server: Subject) -> None:
    alice = server.member()
    alice.apply(*[write("create", value=post(str(n))) for n in range(60)])
    key = "3kabcdefghi2j"
    car = server.anyone.car("sync.getRecord", did=alice.did, collection=POST, rkey=key)
    assert car.lookup(f"{POST}/{key}") is None


def a_proof_shows_that_a_record_went(server: Subject) -> None:
    alice = server.member()
    key = rkey_of(alice.create())
    alice.create()
    alice.delete(key)
    car = server.anyone.car("sync.getRecord", did=alice.did, collection=POST, rkey=key)
    assert car.lookup(f"{POST}/{key}") is None


def a_proof_is_small(server: Subject) -> None:
    alice = server.member()
    for _ in range(2):
        results = alice.apply(*[write("create", value=post(str(n))) for n in range(200)])
    key = rkey_of(results["results"][7])
    car = server.anyone.car("sync.getRecord", did=alice.did, collection=POST, rkey=key)
    assert len(car.blocks) < 20
    assert car.lookup(f"{POST}/{key}") is not None


def a_proof_in_a_repo_elsewhere_is_not_found(server: Subject) -> None:
    where = {"did": NOBODY, "collection": POST, "rkey": "3kabcdefghi2j"}
    assert server.anyone.get_refused("sync.getRecord", **where) == NOT_FOUND


def a_proof_is_asked_for_a_collection_that_is_an_nsid(server: Subject) -> None:
    alice = server.member()
    where = {"did": alice.did, "collection": "posts", "rkey": "3kabcdefghi2j"}
    assert server.anyone.get_refused("sync.getRecord", **where) == (400, "InvalidRequest")


def blocks_are_given_by_cid(server: Subject) -> None:
    alice = server.member()
    made = [alice.create(post(str(n))) for n in range(3)]
    cids = [each["cid"] for each in made]
    car = server.anyone.car("sync.getBlocks", did=alice.did, cids=cids)
    assert set(car.blocks) == set(cids)


def the_blocks_of_the_tree_are_given_too(server: Subject) -> None:
    alice = server.member()
    alice.create()
    data = cid_text(_repo(alice).commit["data"])
    cids = [alice.head()["cid"], data]
    car = server.anyone.car("sync.getBlocks", did=alice.did, cids=cids)
    assert set(car.blocks) == set(cids)


def one_missing_block_is_an_error(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    cids = [alice.create()["cid"], bob.create(post("of bob"))["cid"]]
    answer = server.anyone.ask("GET", "sync.getBlocks", params={"did": alice.did, "cids": cids})
    assert answer.status_code == 400
    assert "Could not find" in answer.json()["message"]


def blocks_are_asked_for_by_cids(server: Subject) -> None:
    alice = server.member()
    refusal = server.anyone.get_refused("sync.getBlocks", did=alice.did, cids=["nonsense"])
    assert refusal == (400, "InvalidRequest")


def blocks_of_a_repo_elsewhere_are_not_found(server: Subject) -> None:
    cid = server.member().head()["cid"]
    assert server.anyone.get_refused("sync.getBlocks", did=NOBODY, cids=[cid]) == NOT_FOUND


def a_record_has_the_cid_of_its_content(server: Subject) -> None:
    alice = server.member()
    record = post("the same everywhere")
    assert alice.create(record)["cid"] == server.member().create(record)["cid"]


def a_tree_does_not_depend_on_the_order_of_writes(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    keys = [f"3kabcdefgh{n}2j" for n in ("a", "b", "c", "d", "e")]
    record = post("same")
    for key in keys:
        alice.create(record, rkey=key)
    for key in reversed(keys):
        bob.create(record, rkey=key)
    assert _repo(alice).commit["data"] == _repo(bob).commit["data"]


@differs("In streaming order a reader verifies while it reads (repository specification).")
def a_copy_in_streaming_order_has_the_commit_first(server: Subject) -> None:
    alice = server.member()
    alice.put("self", {"$type": PROFILE})
    answer = server.anyone.ask("GET", "sync.getRepo", params={"did": alice.did})
    car = Car(answer.content)
    assert next(iter(car.blocks)) == car.roots[0]


def the_proofs_of_neighbours_agree(server: Subject) -> None:
    alice = server.member()
    alice.apply(*[write("create", value=post(str(n))) for n in range(30)])
    for key in alice.listed(limit=5):
        car = server.anyone.car("sync.getRecord", did=alice.did, collection=POST, rkey=key)
        assert car.lookup(f"{POST}/{key}") == alice.read(key)["cid"]


def a_proof_without_a_key_is_refused(server: Subject) -> None:
    alice = server.member()
    where = {"did": alice.did, "collection": POST}
    assert server.anyone.get_refused("sync.getRecord", **where) == (400, "InvalidRequest")
