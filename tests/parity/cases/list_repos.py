"""Which repositories a server has."""

from __future__ import annotations

from tests.parity.subject import Json, Subject


def _all(server: Subject, limit: int = 1000) -> list[Json]:
    repos: list[Json] = []
    more: Json = {}
    while True:
        page = server.anyone.get("sync.listRepos", limit=limit, **more)
        repos += page["repos"]
        if "cursor" not in page:
            return repos
        more = {"cursor": page["cursor"]}


def a_repo_is_listed_with_its_head(server: Subject) -> None:
    alice = server.member()
    alice.create()
    (mine,) = [repo for repo in _all(server) if repo["did"] == alice.did]
    head = alice.head()
    assert mine == {"did": alice.did, "head": head["cid"], "rev": head["rev"], "active": True}


def repos_are_listed_in_the_order_of_their_creation(server: Subject) -> None:
    members = [server.member().did for _ in range(4)]
    listed = [repo["did"] for repo in _all(server) if repo["did"] in members]
    assert listed == members


def repos_are_listed_in_pages_without_gap_or_repetition(server: Subject) -> None:
    for _ in range(5):
        server.member()
    whole = [repo["did"] for repo in _all(server)]
    in_pages = [repo["did"] for repo in _all(server, 13)]
    assert in_pages == whole
    assert len(set(whole)) == len(whole)


def a_page_of_repos_holds_no_more_than_was_asked(server: Subject) -> None:
    server.member()
    server.member()
    page = server.anyone.get("sync.listRepos", limit=1)
    assert len(page["repos"]) == 1
    assert page["cursor"]


def a_cursor_that_is_none_of_ours_is_refused(server: Subject) -> None:
    refusal = server.anyone.get_refused("sync.listRepos", cursor="nonsense")
    assert refusal == (400, "InvalidRequest")


def more_than_a_thousand_repos_are_refused(server: Subject) -> None:
    assert server.anyone.get_refused("sync.listRepos", limit=1001) == (400, "InvalidRequest")


def a_repo_at_rest_is_listed_as_such(server: Subject) -> None:
    alice = server.member()
    alice.post("server.deactivateAccount", deleteAfter="2030-01-01T00:00:00.000Z")
    (mine,) = [repo for repo in _all(server) if repo["did"] == alice.did]
    assert (mine["active"], mine["status"]) == (False, "deactivated")
