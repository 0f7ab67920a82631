"""What a record must be."""

from __future__ import annotations

from tests.parity.listing import differs
from tests.parity.subject import POST, PROFILE, Json, Subject, now, post, rkey_of

REFUSED = (400, "InvalidRequest")
UNKNOWN = "com.example.thing"
TIME = "2026-01-01T00:00:00.000Z"


def _refuses(server: Subject, record: Json, collection: str | None = None, **more: object) -> None:
    alice = server.member()
    head = alice.head()
    assert alice.create_refused(record, collection, **more) == REFUSED
    assert alice.head() == head


def a_record_without_a_type_gets_that_of_its_collection(server: Subject) -> None:
    alice = server.member()
    made = alice.create({"text": "untyped", "createdAt": TIME}, POST)
    assert alice.read(rkey_of(made))["value"]["$type"] == POST


def a_record_of_another_type_than_its_collection_is_refused(server: Subject) -> None:
    _refuses(server, post(), "app.bsky.feed.like")


def a_record_of_another_type_is_refused_even_unchecked(server: Subject) -> None:
    _refuses(server, post(), "app.bsky.feed.like", validate=False)


def a_record_without_a_required_field_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": POST, "createdAt": TIME})


def a_record_with_a_field_of_the_wrong_kind_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": POST, "text": 5, "createdAt": TIME})


def a_record_with_a_text_too_long_is_refused(server: Subject) -> None:
    _refuses(server, post("x" * 3001))


def a_record_with_too_many_graphemes_is_refused(server: Subject) -> None:
    _refuses(server, post("é" * 301))


def a_record_with_a_list_too_long_is_refused(server: Subject) -> None:
    _refuses(server, post(tags=[str(n) for n in range(9)]))


def a_record_with_a_malformed_time_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": POST, "text": "x", "createdAt": "yesterday"})


def a_record_with_a_day_instead_of_a_time_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": POST, "text": "x", "createdAt": "2026-01-01"})


def a_record_with_a_time_without_zone_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": POST, "text": "x", "createdAt": "2026-01-01T00:00:00"})


def a_record_with_an_impossible_month_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": POST, "text": "x", "createdAt": "2026-13-01T00:00:00Z"})


def a_time_with_an_offset_is_taken_as_it_is(server: Subject) -> None:
    alice = server.member()
    made = alice.create({"$type": POST, "text": "x", "createdAt": "2026-01-01T02:00:00+02:00"})
    assert alice.read(rkey_of(made))["value"]["createdAt"] == "2026-01-01T02:00:00+02:00"


def a_record_with_a_malformed_subject_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": "app.bsky.graph.follow", "subject": "alice", "createdAt": TIME})


def a_record_with_a_malformed_address_is_refused(server: Subject) -> None:
    subject = {"uri": "https://example.com", "cid": "nonsense"}
    _refuses(server, {"$type": "app.bsky.feed.like", "subject": subject, "createdAt": TIME})


def a_record_with_a_malformed_language_is_refused(server: Subject) -> None:
    _refuses(server, post(langs=["not a language"]))


def a_like_without_a_subject_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": "app.bsky.feed.like", "createdAt": TIME})


def fields_that_the_schema_does_not_know_are_kept(server: Subject) -> None:
    alice = server.member()
    made = alice.create(post(extra={"a": [1, None, True]}))
    assert alice.read(rkey_of(made))["value"]["extra"] == {"a": [1, None, True]}


def an_invalid_record_is_taken_unchecked(server: Subject) -> None:
    alice = server.member()
    made = alice.create({"$type": POST, "words": "x"}, validate=False)
    assert alice.read(rkey_of(made))["value"] == {"$type": POST, "words": "x"}


def an_unknown_type_is_refused_when_it_must_be_valid(server: Subject) -> None:
    _refuses(server, {"$type": UNKNOWN, "a": 1}, validate=True)


def an_unknown_type_is_refused_in_a_put_when_it_must_be_valid(server: Subject) -> None:
    alice = server.member()
    assert alice.put_refused("x", {"$type": UNKNOWN}, validate=True) == REFUSED


def an_unknown_type_is_taken_when_nothing_is_said(server: Subject) -> None:
    assert server.member().create({"$type": UNKNOWN, "a": 1})["validationStatus"] == "unknown"


def an_unknown_type_is_taken_unchecked(server: Subject) -> None:
    alice = server.member()
    made = alice.create({"$type": UNKNOWN, "a": 1}, validate=False)
    assert alice.read(rkey_of(made), UNKNOWN)["value"]["a"] == 1


def an_unknown_type_can_be_replaced_unchecked(server: Subject) -> None:
    alice = server.member()
    alice.put("x", {"$type": UNKNOWN, "a": 1}, validate=False)
    alice.put("x", {"$type": UNKNOWN, "a": 2}, validate=False)
    assert alice.read("x", UNKNOWN)["value"]["a"] == 2


def a_valid_record_says_so_when_it_must_be_valid(server: Subject) -> None:
    assert server.member().create(post(), validate=True)["validationStatus"] == "valid"


def a_number_with_a_fraction_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": UNKNOWN, "a": 1.5})


def a_number_with_a_fraction_is_refused_even_unchecked(server: Subject) -> None:
    _refuses(server, {"$type": UNKNOWN, "a": 1.5}, validate=False)


@differs("`$link` is reserved by the data model; the reference keeps a plain object.")
def a_malformed_link_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": UNKNOWN, "a": {"$link": "nonsense"}})


@differs("`$bytes` is reserved by the data model; the reference keeps a plain object.")
def malformed_bytes_are_refused(server: Subject) -> None:
    _refuses(server, {"$type": UNKNOWN, "a": {"$bytes": 5}})


@differs("A blob that nobody can read is no blob; the reference keeps a plain object.")
def a_malformed_blob_is_refused_even_unchecked(server: Subject) -> None:
    blob = {"$type": "blob", "ref": {"$link": "nonsense"}, "mimeType": "image/png", "size": 1}
    _refuses(server, {"$type": UNKNOWN, "a": blob}, validate=False)


@differs("A blob that nobody can read is no blob; the reference keeps a plain object.")
def a_blob_without_a_reference_is_refused_even_unchecked(server: Subject) -> None:
    blob = {"$type": "blob", "mimeType": "image/png", "size": 1}
    _refuses(server, {"$type": UNKNOWN, "a": blob}, validate=False)


def a_blob_of_the_old_form_is_refused(server: Subject) -> None:
    alice = server.member()
    cid = alice.upload(b"old form", "text/plain")["ref"]["$link"]
    old = {"cid": cid, "mimeType": "text/plain"}
    refusal = alice.create_refused({"$type": PROFILE, "avatar": old}, rkey="self")
    assert refusal == REFUSED


def a_blob_that_was_never_uploaded_is_refused(server: Subject) -> None:
    cid = "bafkreibme22gw2h7y2h7tg2fhqotaqjucnbc24deqo72b6mkl2egezxhvy"
    blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": "image/png", "size": 1}
    _name_refused(server, {"$type": PROFILE, "avatar": blob})


def _name_refused(server: Subject, record: Json) -> None:
    alice = server.member()
    assert alice.create_refused(record, rkey="self")[0] == 400
    assert alice.listed(PROFILE) == []


def a_collection_that_is_no_nsid_is_refused(server: Subject) -> None:
    _refuses(server, {"text": "x"}, "posts")


def a_record_that_is_no_object_is_refused(server: Subject) -> None:
    alice = server.member()
    body = {"repo": alice.did, "collection": POST, "record": "text"}
    assert alice.post_refused("repo.createRecord", **body) == REFUSED


def a_missing_record_is_refused(server: Subject) -> None:
    alice = server.member()
    assert alice.post_refused("repo.createRecord", repo=alice.did, collection=POST) == REFUSED


def a_key_with_a_slash_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": UNKNOWN}, rkey="a/b")


def a_key_with_a_space_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": UNKNOWN}, rkey="a b")


def a_key_that_is_a_dot_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": UNKNOWN}, rkey=".")


def a_key_that_is_two_dots_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": UNKNOWN}, rkey="..")


def an_empty_key_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": UNKNOWN}, rkey="")


def a_key_of_512_characters_is_taken(server: Subject) -> None:
    assert rkey_of(server.member().create({"$type": UNKNOWN}, rkey="k" * 512)) == "k" * 512


def a_key_of_513_characters_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": UNKNOWN}, rkey="k" * 513)


def a_key_with_all_the_allowed_signs_is_taken(server: Subject) -> None:
    assert rkey_of(server.member().create({"$type": UNKNOWN}, rkey="aZ0.-_:~")) == "aZ0.-_:~"


def a_post_under_a_key_that_is_no_tid_is_refused(server: Subject) -> None:
    _refuses(server, post(), rkey="my-first-post")


def a_profile_under_another_key_than_self_is_refused(server: Subject) -> None:
    _refuses(server, {"$type": PROFILE}, rkey="other")


def a_put_of_an_invalid_record_changes_nothing(server: Subject) -> None:
    alice = server.member()
    alice.put("self", {"$type": PROFILE, "displayName": "Alice"})
    assert alice.put_refused("self", {"$type": PROFILE, "displayName": 5}) == REFUSED
    assert alice.read("self", PROFILE)["value"]["displayName"] == "Alice"


def a_reply_names_root_and_parent(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    ref = {"uri": made["uri"], "cid": made["cid"]}
    answer = alice.create(post("reply", reply={"root": ref, "parent": ref}))
    assert alice.read(rkey_of(answer))["value"]["reply"]["parent"] == ref


def a_reply_without_a_parent_is_refused(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    ref = {"uri": made["uri"], "cid": made["cid"]}
    assert alice.create_refused(post("reply", reply={"root": ref})) == REFUSED


def an_embed_of_an_unknown_kind_is_taken(server: Subject) -> None:
    alice = server.member()
    made = alice.create(post(embed={"$type": "com.example.embed", "x": 1}))
    assert alice.read(rkey_of(made))["value"]["embed"]["x"] == 1


def an_embed_without_a_kind_is_refused(server: Subject) -> None:
    _refuses(server, post(embed={"x": 1}))


def a_large_whole_number_comes_back_exactly(server: Subject) -> None:
    alice = server.member()
    made = alice.create({"$type": UNKNOWN, "a": 2**53 - 1, "b": -(2**53 - 1)})
    found = alice.read(rkey_of(made), UNKNOWN)["value"]
    assert (found["a"], found["b"]) == (2**53 - 1, -(2**53 - 1))


def text_of_all_scripts_comes_back_exactly(server: Subject) -> None:
    alice = server.member()
    text = "żółw 漢字 🐢‍ \u0000\u200f end"
    made = alice.create(post(text))
    assert alice.read(rkey_of(made))["value"]["text"] == text


def a_creation_time_is_never_filled_in(server: Subject) -> None:
    _refuses(server, {"$type": POST, "text": "x"})
    assert now().endswith("Z")
