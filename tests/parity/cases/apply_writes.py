"""Many writes in one commit."""

from __future__ import annotations

from tests.parity.subject import POST, PROFILE, Subject, post, rkey_of, write

RESULT = "com.atproto.repo.applyWrites#{}Result"


def writes_of_all_kinds_make_one_commit(server: Subject) -> None:
    alice = server.member()
    old, gone = rkey_of(alice.create(post("old"))), rkey_of(alice.create(post("gone")))
    answer = alice.apply(
        write("create", value=post("new")),
        write("update", old, post("changed")),
        write("delete", gone),
    )
    assert answer["commit"] == alice.head()
    assert alice.read(old)["value"]["text"] == "changed"
    assert sorted(alice.listed()) == sorted([old, rkey_of(answer["results"][0])])


def each_write_has_its_result_in_order(server: Subject) -> None:
    alice = server.member()
    old, gone = rkey_of(alice.create()), rkey_of(alice.create())
    results = alice.apply(
        write("delete", gone),
        write("create", value=post()),
        write("update", old, post("changed")),
    )["results"]
    assert [each["$type"] for each in results] == [
        RESULT.format(kind) for kind in ("delete", "create", "update")
    ]


def the_result_of_a_create_names_the_record(server: Subject) -> None:
    alice = server.member()
    (result,) = alice.apply(write("create", value=post("x")))["results"]
    found = alice.read(rkey_of(result))
    assert (found["uri"], found["cid"]) == (result["uri"], result["cid"])


def results_tell_whether_the_record_is_valid(server: Subject) -> None:
    alice = server.member()
    thing = {"$type": "com.example.thing", "a": 1}
    known, unknown = alice.apply(write("create", value=post()), write("create", value=thing))[
        "results"
    ]
    assert (known["validationStatus"], unknown["validationStatus"]) == ("valid", "unknown")


def results_tell_nothing_of_validity_when_it_was_not_asked(server: Subject) -> None:
    alice = server.member()
    (result,) = alice.apply(write("create", value=post()), validate=False)["results"]
    assert result.get("validationStatus", "unknown") == "unknown"


def one_bad_write_spoils_all(server: Subject) -> None:
    alice = server.member()
    head = alice.head()
    bad = {"$type": POST, "text": 5, "createdAt": "2026-01-01T00:00:00.000Z"}
    refusal = alice.apply_refused(write("create", value=post()), write("create", value=bad))
    assert refusal == (400, "InvalidRequest")
    assert alice.head() == head


def a_create_may_name_its_key(server: Subject) -> None:
    alice = server.member()
    alice.apply(write("create", "3kabcdefghi2j", post()))
    assert alice.listed() == ["3kabcdefghi2j"]


def several_creates_get_keys_of_their_own(server: Subject) -> None:
    alice = server.member()
    alice.apply(*[write("create", value=post(str(n))) for n in range(20)])
    assert len(set(alice.listed())) == 20


def keys_of_one_commit_keep_its_order(server: Subject) -> None:
    alice = server.member()
    results = alice.apply(*[write("create", value=post(str(n))) for n in range(10)])["results"]
    keys = [rkey_of(result) for result in results]
    assert keys == sorted(keys)


def two_hundred_writes_are_taken(server: Subject) -> None:
    alice = server.member()
    alice.apply(*[write("create", value=post(str(n))) for n in range(200)])
    assert len(alice.listed(limit=100)) == 100


def two_hundred_and_one_writes_are_refused(server: Subject) -> None:
    alice = server.member()
    writes = [write("create", value=post(str(n))) for n in range(201)]
    assert alice.apply_refused(*writes) == (400, "InvalidRequest")
    assert alice.listed() == []


def an_update_of_what_is_not_there_is_refused(server: Subject) -> None:
    alice = server.member()
    head = alice.head()
    assert alice.apply_refused(write("update", "3kabcdefghi2j", post()))[0] >= 400
    assert alice.head() == head


def a_delete_of_what_is_not_there_is_refused_among_writes(server: Subject) -> None:
    alice = server.member()
    head = alice.head()
    assert alice.apply_refused(write("delete", "3kabcdefghi2j"))[0] >= 400
    assert alice.head() == head


def an_unknown_kind_of_write_is_a_bad_request(server: Subject) -> None:
    alice = server.member()
    assert alice.apply_refused(write("overturn", "x", post())) == (400, "InvalidRequest")


def a_write_without_a_kind_is_a_bad_request(server: Subject) -> None:
    alice = server.member()
    refusal = alice.apply_refused({"collection": POST, "value": post()})
    assert refusal == (400, "InvalidRequest")


def writes_that_must_be_valid_are_refused_when_unknown(server: Subject) -> None:
    alice = server.member()
    thing = {"$type": "com.example.thing", "a": 1}
    refusal = alice.apply_refused(write("create", value=thing), validate=True)
    assert refusal == (400, "InvalidRequest")


def writes_may_skip_the_schema(server: Subject) -> None:
    alice = server.member()
    alice.apply(write("create", value={"$type": POST, "words": 1}), validate=False)
    assert len(alice.listed()) == 1


def writes_to_several_collections_make_one_commit(server: Subject) -> None:
    alice = server.member()
    answer = alice.apply(write("create", value=post()), write("create", "self", {"$type": PROFILE}))
    assert answer["commit"] == alice.head()
    assert alice.read("self", PROFILE)["cid"] == answer["results"][1]["cid"]


def a_body_of_more_than_a_megabyte_is_refused(server: Subject) -> None:
    alice = server.member()
    thing = {"$type": "com.example.thing", "a": "x" * 1_000_100}
    answer = alice.ask(
        "POST",
        "repo.applyWrites",
        json={"repo": alice.did, "writes": [write("create", value=thing)]},
    )
    assert answer.status_code == 413


def a_body_of_half_a_megabyte_is_taken(server: Subject) -> None:
    alice = server.member()
    thing = {"$type": "com.example.thing", "a": "x" * 500_000}
    assert alice.apply(write("create", value=thing))["commit"] == alice.head()
