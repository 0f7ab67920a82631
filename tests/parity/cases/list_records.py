"""Pages of a collection."""

from __future__ import annotations

from tests.parity.listing import differs
from tests.parity.subject import POST, PROFILE, Account, Subject, post, rkey_of, write

REFUSED = (400, "InvalidRequest")


def _filled(server: Subject, count: int = 5) -> tuple[Account, list[str]]:
    alice = server.member()
    writes = [write("create", value=post(str(n))) for n in range(count)]
    return alice, [rkey_of(result) for result in alice.apply(*writes)["results"]]


def _page(alice: Account, **more: object) -> tuple[list[str], str | None]:
    page = alice.server.anyone.get("repo.listRecords", repo=alice.did, collection=POST, **more)
    return [rkey_of(record) for record in page["records"]], page.get("cursor")


def the_newest_record_comes_first(server: Subject) -> None:
    alice, keys = _filled(server)
    assert alice.listed() == keys[::-1]


def the_oldest_record_comes_first_in_reverse(server: Subject) -> None:
    alice, keys = _filled(server)
    assert alice.listed(reverse=True) == keys


def a_page_holds_no_more_than_was_asked(server: Subject) -> None:
    alice, keys = _filled(server)
    assert alice.listed(limit=2) == [keys[4], keys[3]]


def a_cursor_goes_on_where_the_page_ended(server: Subject) -> None:
    alice, keys = _filled(server)
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        page, cursor = _page(alice, limit=2, **({"cursor": cursor} if cursor else {}))
        seen += page
    assert seen == keys[::-1]


def a_cursor_goes_on_in_reverse(server: Subject) -> None:
    alice, keys = _filled(server)
    first, cursor = _page(alice, limit=3, reverse=True)
    rest, _ = _page(alice, limit=3, reverse=True, cursor=cursor)
    assert first + rest == keys


def the_cursor_is_the_last_key(server: Subject) -> None:
    alice, keys = _filled(server)
    assert _page(alice, limit=2)[1] == keys[3]


def an_empty_collection_is_an_empty_page(server: Subject) -> None:
    alice = server.member()
    page = server.anyone.get("repo.listRecords", repo=alice.did, collection=POST)
    assert page["records"] == []
    assert "cursor" not in page


def a_page_past_the_end_is_empty(server: Subject) -> None:
    alice, keys = _filled(server)
    assert alice.listed(cursor=keys[0]) == []


def records_of_other_collections_are_not_in_the_page(server: Subject) -> None:
    alice, keys = _filled(server)
    alice.put("self", {"$type": PROFILE})
    assert alice.listed() == keys[::-1]
    assert alice.listed(PROFILE) == ["self"]


def records_of_others_are_not_in_the_page(server: Subject) -> None:
    alice, keys = _filled(server)
    server.member().create()
    assert alice.listed() == keys[::-1]


def each_record_has_address_cid_and_value(server: Subject) -> None:
    alice = server.member()
    made = alice.create(post("x"))
    (found,) = server.anyone.get("repo.listRecords", repo=alice.did, collection=POST)["records"]
    assert (found["uri"], found["cid"]) == (made["uri"], made["cid"])
    assert found["value"]["text"] == "x"


def fifty_records_make_a_page_when_nothing_is_said(server: Subject) -> None:
    alice, keys = _filled(server, 60)
    assert alice.listed() == keys[:9:-1]


def a_hundred_records_are_the_most(server: Subject) -> None:
    alice, keys = _filled(server, 110)
    assert alice.listed(limit=100) == keys[:9:-1]


def more_than_a_hundred_are_refused(server: Subject) -> None:
    alice = server.member()
    where = {"repo": alice.did, "collection": POST}
    assert server.anyone.get_refused("repo.listRecords", limit=101, **where) == REFUSED


def none_at_all_are_refused(server: Subject) -> None:
    alice = server.member()
    where = {"repo": alice.did, "collection": POST}
    assert server.anyone.get_refused("repo.listRecords", limit=0, **where) == REFUSED


def a_limit_that_is_no_number_is_refused(server: Subject) -> None:
    alice = server.member()
    where = {"repo": alice.did, "collection": POST}
    assert server.anyone.get_refused("repo.listRecords", limit="many", **where) == REFUSED


def a_collection_that_is_no_nsid_is_refused(server: Subject) -> None:
    alice = server.member()
    where = {"repo": alice.did, "collection": "posts"}
    assert server.anyone.get_refused("repo.listRecords", **where) == REFUSED


def a_missing_collection_is_refused(server: Subject) -> None:
    alice = server.member()
    assert server.anyone.get_refused("repo.listRecords", repo=alice.did) == REFUSED


def an_unknown_repo_is_refused(server: Subject) -> None:
    where = {"repo": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "collection": POST}
    assert server.anyone.get_refused("repo.listRecords", **where) == REFUSED


def the_repo_may_be_named_by_handle(server: Subject) -> None:
    alice, keys = _filled(server)
    page = server.anyone.get("repo.listRecords", repo=alice.handle, collection=POST)
    assert [rkey_of(record) for record in page["records"]] == keys[::-1]


@differs("Handles are the same in any case (handle specification); the reference finds no repo.")
def the_repo_may_be_named_by_a_handle_in_capitals(server: Subject) -> None:
    alice, _ = _filled(server, 2)
    page = server.anyone.get("repo.listRecords", repo=alice.handle.upper(), collection=POST)
    assert len(page["records"]) == 2
