"""Whatever happens, and whenever they listen: subscribers are told everything, once, in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kit.listening import Listener, socket, subscribe
from tests.kit.whole import TURTLE, Person, Town

NAMES = ("a.ttl", "b.ttl", "deep/c.ttl")
STEPS = st.lists(
    st.tuples(st.sampled_from(("put", "delete", "come", "leave")), st.sampled_from(NAMES)),
    max_size=14,
)
Told = list[tuple[str, str]]
_turn = count()


class Stage:
    """Alice's pod, and what a container of hers should have told."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.alice: Person = town.run(town.whole.join("alice"))

    async def play(self, steps: list[tuple[str, str]]) -> tuple[Told, Told]:
        """What was told, each id once, and what happened."""
        whole, alice = self.town.whole, self.alice
        container = f"/data/{next(_turn)}/"
        made = await subscribe(whole, alice.member, container, as_=alice)
        url = made.json["receiveFrom"]
        there: set[str] = set()
        happened: Told = []
        told: dict[str, tuple[str, str]] = {}
        async with AsyncExitStack() as connection:
            listener: Listener | None = None
            for action, name in [*steps, ("come", "")]:
                path = container + name
                if action == "put":
                    happened += _gained(container, name, there)
                    there |= _with_containers(name)
                    await whole.ask(
                        "PUT",
                        alice.member.url(path),
                        "<> a <urn:x>.",
                        as_=alice,
                        content_type=TURTLE,
                    )
                elif action == "delete" and name in there:
                    there.discard(name)
                    await whole.ask("DELETE", alice.member.url(path), as_=alice)
                    if "/" not in name:
                        happened.append(("Remove", path))
                elif action == "leave" and listener is not None:
                    listener = None
                    await connection.aclose()
                elif action == "come" and listener is None:
                    listener = await connection.enter_async_context(socket(whole, url))
            assert listener is not None
            while len(told) < len(happened):
                message = await listener.message()
                about = alice.member.path(message["object"]) or ""
                told.setdefault(message["id"], (message["type"], about))
            while not listener.told.empty():
                message = await listener.message()
                assert message["id"] in told
        return list(told.values()), happened


def _with_containers(name: str) -> set[str]:
    head, slash, _ = name.partition("/")
    return {"", head + slash, name} if slash else {"", name}


def _gained(container: str, name: str, there: set[str]) -> Told:
    """What putting a document tells at the container."""
    head, slash, _ = name.partition("/")
    gained: Told = [] if "" in there else [("Create", container)]
    return gained if head + slash in there else [*gained, ("Add", container + head + slash)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    town = Town(tmp_path_factory.mktemp("town"))
    yield Stage(town)
    town.close()


@given(steps=STEPS)
def test_nothing_is_lost_and_nothing_invented_however_often_one_leaves(
    stage: Stage, steps: list[tuple[str, str]]
) -> None:
    told, happened = stage.town.run(stage.play(steps))
    assert told == happened
