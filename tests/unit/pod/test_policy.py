"""The one policy: zones first, then the nearest list; the owner keeps the key."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod.access.acl import Acl, Mode, Rule
from pod.access.agent import PUBLIC, SYSTEM, Agent, Credential
from pod.access.policy import ALL, LETTERS
from pod.errors import Forbidden, Unauthenticated
from pod.model.ids import Iri
from pod.model.member import Member, Standing
from pod.model.resource import ResourcePath
from pod.write import PutDocument
from tests.kit.house import Pod, owner

FRIEND = Agent(Credential.SIGNATURE, None, Iri("https://bob.example/me"))
STRANGER = Agent(Credential.SIGNATURE, None, Iri("https://eve.example/me"))
READ = frozenset({Mode.READ})
NOTHING: frozenset[Mode] = frozenset()


def house() -> tuple[Pod, Member]:
    async def make() -> tuple[Pod, Member]:
        pod = Pod()
        return pod, await pod.member()

    return asyncio.run(make())


def give(pod: Pod, alice: Member, path: str, *rules: Rule) -> None:
    body = f"{path} {rules}".encode()
    pod.acls.lists[body] = Acl(rules)
    op = PutDocument(ResourcePath(path), "text/turtle", body)
    asyncio.run(pod.write.apply(owner(alice), alice.id, [op]))


@pytest.mark.parametrize(
    ("path", "for_public", "for_owner"),
    [
        ("/repo/app.bsky.feed.post/3mtcccccccc2c", READ, ALL),
        ("/repo/", READ, ALL),
        ("/me", READ, ALL),
        ("/outbox", READ, ALL),
        ("/profile/card", READ, ALL),
        ("/inbox/", NOTHING, ALL),
        ("/inbox/3mtcccccccc2c", NOTHING, ALL),
        ("/spaces/x/y/", NOTHING, ALL),
        ("/data/", NOTHING, ALL),
        ("/data/secret.ttl", NOTHING, ALL),
        ("/data/.acl", NOTHING, ALL),
        ("/settings", NOTHING, ALL),
    ],
)
def test_the_zone_of_a_path_decides(
    path: str, for_public: frozenset[Mode], for_owner: frozenset[Mode]
) -> None:
    pod, alice = house()
    where = ResourcePath(path)
    assert pod.policy.modes(PUBLIC, alice, where) == for_public
    may_write_letters = LETTERS if path == "/inbox/" else for_public
    assert pod.policy.modes(FRIEND, alice, where) == may_write_letters
    assert pod.policy.modes(owner(alice), alice, where) == for_owner
    assert pod.policy.modes(SYSTEM, alice, where) == ALL


def test_a_member_is_the_same_person_by_any_credential() -> None:
    pod, alice = house()
    by_signature = Agent(Credential.SIGNATURE, None, alice.webid)
    for path in ("/inbox/", "/data/x", "/repo/a.b.c/d"):
        where = ResourcePath(path)
        assert pod.policy.modes(by_signature, alice, where) == pod.policy.modes(
            owner(alice), alice, where
        )


def test_a_resting_account_shows_nothing_but_to_its_owner() -> None:
    pod, alice = house()
    asyncio.run(pod.accounts.set_standing(owner(alice), alice.id, Standing.DEACTIVATED))
    resting = pod.store.member(alice.id)
    assert resting is not None
    path = ResourcePath("/repo/app.bsky.feed.post/3mtcccccccc2c")
    assert pod.policy.modes(PUBLIC, resting, path) == NOTHING
    assert pod.policy.modes(owner(alice), resting, path) == ALL


def test_the_nearest_list_decides_alone() -> None:
    pod, alice = house()
    root, near = alice.url("/data/"), alice.url("/data/near/")
    open_below = Rule(READ, classes=frozenset({"public"}), default=root)
    give(pod, alice, "/data/.acl", open_below)
    give(pod, alice, "/data/near/.acl", Rule(READ, agents=frozenset({FRIEND.iri}), default=near))
    assert pod.policy.modes(PUBLIC, alice, ResourcePath("/data/x")) == READ
    assert pod.policy.modes(PUBLIC, alice, ResourcePath("/data/near/x")) == NOTHING
    assert pod.policy.modes(FRIEND, alice, ResourcePath("/data/near/x")) == READ
    assert pod.policy.modes(PUBLIC, alice, ResourcePath("/data/")) == NOTHING


def test_a_rule_for_one_resource_says_nothing_about_its_contents() -> None:
    pod, alice = house()
    give(
        pod,
        alice,
        "/data/.acl",
        Rule(READ, classes=frozenset({"public"}), access_to=alice.url("/data/")),
    )
    assert pod.policy.modes(PUBLIC, alice, ResourcePath("/data/")) == READ
    assert pod.policy.modes(PUBLIC, alice, ResourcePath("/data/x")) == NOTHING


def test_the_owner_cannot_lock_themselves_out() -> None:
    pod, alice = house()
    give(pod, alice, "/data/.acl")
    assert Mode.CONTROL in pod.policy.modes(owner(alice), alice, ResourcePath("/data/"))
    assert pod.policy.modes(owner(alice), alice, ResourcePath("/data/.acl")) == ALL


def test_only_control_opens_the_list_itself() -> None:
    pod, alice = house()
    where = alice.url("/data/x")
    everything = frozenset({Mode.READ, Mode.WRITE})
    give(
        pod,
        alice,
        "/data/x.acl",
        Rule(everything, agents=frozenset({FRIEND.iri}), access_to=where),
    )
    assert pod.policy.modes(FRIEND, alice, ResourcePath("/data/x")) == everything | {Mode.APPEND}
    assert pod.policy.modes(FRIEND, alice, ResourcePath("/data/x.acl")) == NOTHING


def test_groups_classes_and_app_origins_are_told_apart() -> None:
    pod, alice = house()
    root = alice.url("/data/")
    group = Iri(alice.url("/data/friends") + "#us")
    pod.acls.groups[group] = frozenset({FRIEND.iri})
    op = PutDocument(ResourcePath("/data/friends"), "text/turtle", b"")
    asyncio.run(pod.write.apply(owner(alice), alice.id, [op]))
    give(
        pod,
        alice,
        "/data/.acl",
        Rule(frozenset({Mode.WRITE}), groups=frozenset({group}), default=root),
        Rule(READ, classes=frozenset({"authenticated"}), default=root),
        Rule(
            frozenset({Mode.CONTROL}),
            agents=frozenset({STRANGER.iri}),
            origins=frozenset({"https://app.example"}),
            default=root,
        ),
    )
    where = ResourcePath("/data/x")
    assert pod.policy.modes(PUBLIC, alice, where) == NOTHING
    assert pod.policy.modes(FRIEND, alice, where) == {Mode.READ, Mode.WRITE, Mode.APPEND}
    other_app = Agent(Credential.SIGNATURE, None, STRANGER.iri, "https://evil.example")
    right_app = Agent(Credential.SIGNATURE, None, STRANGER.iri, "https://app.example")
    assert pod.policy.modes(other_app, alice, where) == READ
    assert pod.policy.modes(right_app, alice, where) == {Mode.READ, Mode.CONTROL}


def test_strangers_are_asked_who_they_are_and_others_are_refused() -> None:
    pod, alice = house()
    where = ResourcePath("/data/x")
    with pytest.raises(Unauthenticated):
        pod.policy.require(PUBLIC, Mode.READ, alice, where)
    with pytest.raises(Forbidden):
        pod.policy.require(FRIEND, Mode.READ, alice, where)


@given(st.text(st.sampled_from("abc/."), max_size=12))
def test_no_path_outside_the_open_places_is_open(tail: str) -> None:
    pod, alice = POD
    for head in ("/data/", "/inbox/", "/spaces/"):
        assert pod.policy.modes(PUBLIC, alice, ResourcePath(head + tail)) == NOTHING


POD = house()
