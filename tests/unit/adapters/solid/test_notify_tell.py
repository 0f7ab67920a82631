"""What a change means at a topic: pure rules, over a log in memory."""

from __future__ import annotations

import asyncio

import pytest

from adapters.solid.notify.message import Message, media_of
from adapters.solid.notify.tell import messages_of, topics_of
from pod.model.change import Change, ChangeOp
from pod.model.member import Member
from pod.model.resource import Action, ResourcePath
from storage.in_memory import MemoryStore
from tests.kit.stored import NOON, add_member, cid_of, rev_of

CID = cid_of(b"x", 0x55)


async def _alice(store: MemoryStore) -> Member:
    return await store.write(add_member)


STORE = MemoryStore()
ALICE = asyncio.run(_alice(STORE))


def change(action: Action, *paths: str) -> Change:
    ops = tuple(
        ChangeOp(
            action,
            ResourcePath(path),
            None if action == "delete" else CID,
            None if action == "create" else CID,
        )
        for path in paths
    )
    return Change(1, ALICE.id, NOON, "document" if ops else "identity", rev_of(1), ops)


def told(happened: Change, topic: str) -> list[tuple[str, str, str | None]]:
    found: list[Message] = list(messages_of(STORE, ALICE, happened, ResourcePath(topic), {}))
    origin = ALICE.origin
    return [
        (m.type, m.object.removeprefix(origin), m.target and m.target.removeprefix(origin))
        for m in found
    ]


@pytest.mark.parametrize(
    ("happened", "topic", "expected"),
    [
        (change("create", "/data/a"), "/data/a", [("Create", "/data/a", None)]),
        (change("update", "/data/a"), "/data/a", [("Update", "/data/a", None)]),
        (change("delete", "/data/a"), "/data/a", [("Delete", "/data/a", None)]),
        (change("create", "/data/a"), "/data/", [("Add", "/data/a", "/data/")]),
        (change("delete", "/data/a"), "/data/", [("Remove", "/data/a", "/data/")]),
        (change("update", "/data/a"), "/data/", []),
        (change("create", "/data/b/"), "/data/", [("Add", "/data/b/", "/data/")]),
        (change("create", "/data/b/c"), "/data/", []),
        (change("create", "/data/a"), "/data/ab", []),
        (change("create", "/data/ab"), "/data/a", []),
        (change("create", "/data/a.acl"), "/data/", []),
        (change("create", "/data/.acl"), "/data/", []),
        (change("update", "/data/a.acl"), "/data/a.acl", [("Update", "/data/a.acl", None)]),
        (change("update", "/data/a.acl"), "/data/a", []),
        (change("create", "/inbox/1"), "/inbox/", [("Add", "/inbox/1", "/inbox/")]),
        (change("create", "/data/"), "/data/", [("Update", "/data/", None)]),
        (change("delete"), "/me", [("Update", "/me", None)]),
        (
            change("update", "/repo/app.bsky.actor.profile/self"),
            "/profile/card",
            [("Update", "/profile/card", None)],
        ),
    ],
)
def test_a_change_is_told_at_its_topics(
    happened: Change, topic: str, expected: list[tuple[str, str, str | None]]
) -> None:
    assert told(happened, topic) == expected
    assert not expected or topic in topics_of(happened)


def test_the_same_thing_told_again_has_the_same_id_and_others_have_another() -> None:
    happened = change("create", "/data/a", "/data/b")
    ids = [m.id for m in messages_of(STORE, ALICE, happened, ResourcePath("/data/"), {})]
    again = [m.id for m in messages_of(STORE, ALICE, happened, ResourcePath("/data/"), {})]
    assert ids == again
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/ld+json"),
        ("text/turtle", "text/turtle"),
        ("text/turtle;q=0.1, application/ld+json", "application/ld+json"),
        ("image/png", None),
    ],
)
def test_a_message_is_written_as_its_receiver_accepts_it(
    accept: str | None, media_type: str | None
) -> None:
    assert media_of(accept) == media_type
