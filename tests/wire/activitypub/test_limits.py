"""Every limit at its edge: what just fits is taken, one more is refused, as the page says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.activitypub.deliver.pace import A_MINUTE
from adapters.activitypub.face import QUEUED_FOR, SEEN_FOR
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.strict import MAX_BYTES, MAX_DEPTH
from adapters.activitypub.receive.dispatch import PEER
from adapters.activitypub.receive.forwarded import STRANGERS
from adapters.activitypub.remote.hosts import PER_HOST
from adapters.activitypub.remote.schedule import LOST_AFTER, LOST_REST, REST_S, RETRY_AFTER_S
from adapters.activitypub.routes.parts import MOST, PAGE
from adapters.activitypub.signature.proof import LIFETIME as PROVEN_FOR
from adapters.activitypub.signature.request import LIFETIME, MAX_LIFETIME, SKEW
from adapters.http.limited import EVERYTHING
from adapters.http.throttle import Limit
from pod.model.member import Member
from tests.kit.fediverse import EVERYBODY, FediPod, Peer
from tests.wire.activitypub.conftest import Story
from tests.wire.activitypub.test_relations import inbox, mention

PAGE_OF_PEERS = Path(__file__).parents[3] / "docs" / "federation.md"


def padded(activity: dict[str, Any], size: int) -> dict[str, Any]:
    """An activity whose body, as the test sends it, has a size."""
    bare = len(json.dumps({**activity, "padding": ""}).encode())
    return {**activity, "padding": "x" * (size - bare)}


def nested(levels: int) -> Any:
    """A value that makes a document of so many levels, its own brackets among them."""
    value: Any = "x"
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(("more", "status"), [(0, 202), (1, 413)])
def test_an_activity_takes_256_kib(tell: Callable[[Story], None], more: int, status: int) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        sent = padded(bob.activity("Follow", alice.webid, 2), 256 * 1024 + more)
        assert await pod.post(bob, sent) == status
        held = pod.followers.get(alice.id, bob.id)
        assert held is not None
        assert held.follow_id.endswith("-2") is (status == 202)

    tell(story)


@pytest.mark.parametrize(("levels", "status"), [(32, 202), (33, 400)])
def test_an_activity_is_32_levels_deep(
    tell: Callable[[Story], None], levels: int, status: int
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        sent = {**bob.activity("Follow", alice.webid, 2), "padding": nested(levels)}
        assert await pod.post(bob, sent) == status

    tell(story)


@pytest.mark.parametrize(("before", "is_heard"), [(99, True), (100, False)])
def test_a_hundred_tags_are_looked_at(
    tell: Callable[[Story], None], before: int, is_heard: bool
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        fillers = [{"type": "Hashtag", "name": f"#t{number}"} for number in range(before)]
        named = {"type": "Mention", "href": alice.webid, "name": "@alice"}
        note = bob.note(1, tag=[*fillers, named], to=[EVERYBODY])
        assert await pod.post(bob, bob.activity("Create", note)) == 202
        assert inbox(pod, alice) == ([note["id"]] if is_heard else [])

    tell(story)


@pytest.mark.parametrize(("before", "is_heard"), [(1_999, True), (2_000, False)])
def test_two_thousand_recipients_are_looked_at(
    tell: Callable[[Story], None], before: int, is_heard: bool
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        others = [f"{bob.origin}/users/{number}" for number in range(before)]
        note = bob.note(1, to=[*others, alice.webid])
        create = {**bob.activity("Create", note), "to": [EVERYBODY]}
        assert await pod.post(bob, create) == 202
        assert inbox(pod, alice) == ([note["id"]] if is_heard else [])

    tell(story)


@pytest.mark.parametrize(("length", "status"), [(2_048, 202), (2_049, 400)])
def test_an_id_has_2048_characters(tell: Callable[[Story], None], length: int, status: int) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        ident = f"{bob.origin}/a/".ljust(length, "x")
        sent = {**bob.activity("Follow", alice.webid), "id": ident}
        assert await pod.post(bob, sent) == status

    tell(story)


@pytest.mark.parametrize(
    ("name", "limit"),
    [("inbox peer.test", Limit(6_000, 300)), ("forwarded peer.test", Limit(120, 60))],
)
def test_a_server_has_its_allowance(tell: Callable[[Story], None], name: str, limit: Limit) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test"))
        eve.documents[f"{eve.origin}/notes/1"] = mention(eve, alice)["object"]
        sent = mention(eve, alice) if name.startswith("forwarded") else mention(bob, alice)
        throttle = pod.wing._wing.throttle
        throttle._monotonic = lambda: 0.0
        throttle.take(name, limit, throttle.take(name, limit).remaining - 1)
        assert await pod.post(bob, sent) == 202
        assert len(inbox(pod, alice)) == 1
        other = {**sent, "id": f"{sent['id']}x"}
        assert await pod.post(bob, other) == 429

    tell(story)


def test_what_waited_for_a_host_goes_at_once_when_it_answers(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.is_down = True
        await pod.note(alice, "first")
        for seconds in (0, *RETRY_AFTER_S[:4]):
            pod.clock.pass_by(seconds)
            await pod.wing.flush()
        pod.clock.pass_by(REST_S[-1])
        await pod.wing.flush()
        assert pod.wing.backlog() == 1
        bob.is_down = False
        await pod.note(alice, "second")
        await pod.wing.flush()
        said = [activity["object"]["content"] for activity in bob.activities]
        assert said == ["<p>second</p>", "<p>first</p>"]
        assert pod.wing.backlog() == 0

    tell(story)


UNITS = ((86_400, "day"), (3_600, "h"), (60, "min"), (1, "s"))


def spoken(seconds: float) -> str:
    size, unit = next((size, unit) for size, unit in UNITS if seconds >= size)
    return f"{int(seconds // size)} {unit}"


def told(row: str) -> str:
    """What the page's table of delivery says."""
    found = re.search(rf"^\| {re.escape(row)} \| (.*) \|$", PAGE_OF_PEERS.read_text(), re.MULTILINE)
    assert found is not None, row
    return found[1]


def test_the_page_tells_the_schedule_of_delivery() -> None:
    assert told("tried again after") == ", ".join(map(spoken, RETRY_AFTER_S))
    rests: Sequence[float] = REST_S[:-1]
    rest = ", ".join(map(spoken, rests)) + f", then {spoken(REST_S[-1])} at a time"
    assert told("a host that does not answer, or with 5xx, rests").startswith(rest)
    assert (*[timedelta(days=7)] * 2, timedelta(days=1)) == (LOST_AFTER, QUEUED_FOR, LOST_REST)
    assert told("silent for seven days").startswith("tried once a day")
    assert told("given up").endswith("after seven days in any case")


def test_the_page_tells_the_limits() -> None:
    page = " ".join(PAGE_OF_PEERS.read_text().split())
    for words in (
        f"over {MAX_BYTES // 1024} KiB", f"more than {MAX_DEPTH} levels",
        f"Of a list {read.MAX_ITEMS} entries are looked at, of recipients {read.MAX_RECIPIENTS:,}",
        f"more than {PEER.points:,} activities of a server in five minutes",
        f"{EVERYTHING.points:,} requests of one address",
        f"{STRANGERS.points} forwarded activities in a minute", f"{PAGE} each, {MOST:,} at most",
        f"ids of up to {read.MAX_IRI:,} characters",
    ):  # fmt: skip
        assert words in page
    minutes = timedelta(minutes=1)
    assert (5 * minutes, 60 * minutes, 720 * minutes) == (LIFETIME, SKEW, MAX_LIFETIME)
    assert (PEER.window_s, STRANGERS.window_s, EVERYTHING.window_s) == (300, 60, 300)
    assert (timedelta(days=7),) * 2 == (PROVEN_FOR, SEEN_FOR)
    assert (PER_HOST, A_MINUTE) == (4, 8)


def test_a_body_is_measured_as_it_comes() -> None:
    fits = orjson.dumps({"a": "x" * (MAX_BYTES - 8)})
    assert len(fits) == MAX_BYTES
    assert read.parse(fits)["a"].startswith("x")
