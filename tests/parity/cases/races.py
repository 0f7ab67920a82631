"""Many at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.parity.subject import POST, PROFILE, Subject, post, rkey_of


def writes_of_one_member_at_the_same_time_all_arrive(server: Subject) -> None:
    alice = server.member()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: alice.create(post(str(n))), range(24)))
    car = server.anyone.car("sync.getRepo", did=alice.did)
    assert set(car.records()) == {f"{POST}/{rkey_of(each)}" for each in made}


def revs_of_writes_at_the_same_time_are_all_different(server: Subject) -> None:
    alice = server.member()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: alice.create(post(str(n))), range(24)))
    assert len({each["commit"]["rev"] for each in made}) == 24


def of_writes_on_the_same_commit_one_goes_through(server: Subject) -> None:
    alice = server.member()
    swap = alice.head()["cid"]

    def attempt(number: int) -> int:
        body = {"repo": alice.did, "collection": POST, "record": post(str(number))}
        answer = alice.ask("POST", "repo.createRecord", json={**body, "swapCommit": swap})
        status: int = answer.status_code
        return status

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(attempt, range(8)))
    assert statuses == [200] + [400] * 7


def of_puts_on_absence_at_the_same_time_one_goes_through(server: Subject) -> None:
    alice = server.member()

    def attempt(number: int) -> int:
        record = {"$type": PROFILE, "displayName": str(number)}
        where = {"repo": alice.did, "collection": PROFILE, "rkey": "self", "swapRecord": None}
        answer = alice.ask("POST", "repo.putRecord", json={**where, "record": record})
        status: int = answer.status_code
        return status

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(attempt, range(8)))
    assert statuses == [200] + [400] * 7


def creates_under_one_key_at_the_same_time_leave_one_record(server: Subject) -> None:
    alice = server.member()

    def attempt(number: int) -> int:
        body = {
            "repo": alice.did,
            "collection": POST,
            "rkey": "3kabcdefghi2j",
            "record": post(str(number)),
        }
        status: int = alice.ask("POST", "repo.createRecord", json=body).status_code
        return status

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(attempt, range(6)))
    assert statuses[0] == 200
    assert all(status >= 400 for status in statuses[1:])
    assert alice.listed() == ["3kabcdefghi2j"]


def deletes_of_one_record_at_the_same_time_do_no_harm(server: Subject) -> None:
    alice = server.member()
    keep, gone = rkey_of(alice.create()), rkey_of(alice.create())
    body = {"repo": alice.did, "collection": POST, "rkey": gone}
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: alice.ask("POST", "repo.deleteRecord", json=body), range(6)))
    assert alice.listed() == [keep]
    assert list(server.anyone.car("sync.getRepo", did=alice.did).records()) == [f"{POST}/{keep}"]


def uploads_of_the_same_file_at_the_same_time_agree(server: Subject) -> None:
    alice = server.member()
    with ThreadPoolExecutor(6) as pool:
        blobs = list(pool.map(lambda _: alice.upload(b"same" * 9000, "text/plain"), range(6)))
    assert all(blob == blobs[0] for blob in blobs)


def a_repo_that_is_copied_while_it_is_written_is_whole(server: Subject) -> None:
    alice = server.member()
    for number in range(20):
        alice.create(post(str(number)))
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(alice.create, post(str(n))) for n in range(20)]
        copies = [pool.submit(server.anyone.car, "sync.getRepo", did=alice.did) for _ in range(10)]
        for each in writing:
            each.result()
        for each in copies:
            car = each.result()
            assert set(car.records().values()) <= car.blocks.keys()


def a_duplicate_key_is_refused(server: Subject) -> None:
    alice = server.member()
    alice.create(post("one"), rkey="3kabcdefghi2j")
    assert alice.create_refused(post("two"), rkey="3kabcdefghi2j")[0] >= 400
    assert alice.read("3kabcdefghi2j")["value"]["text"] == "one"
