"""Whatever is sent to any address: the protocol's own error, never a fault, nothing changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.kit.hostile import ALICE, BODIES, KEY, PATHS, TYPES, Ask, asks
from tests.kit.whole import AS2, POST, SERVER, TURTLE, Person, Reply, Town

WRITES = [
    (method, path)
    for method in ("PUT", "PATCH", "POST")
    for path in (
        f"/repo/{POST}/{KEY}",
        f"/repo/{POST}/3kaaaaaaaaa23",
        f"/repo/{POST}/",
        "/me",
        "/data/note.ttl",
        "/data/.acl",
        "/data/new/",
        "/inbox",
    )
]


class Ground:
    """A town with one member who has something in every zone."""

    def __init__(self, folder: Path) -> None:
        self.town = Town(folder)
        self.whole = self.town.whole
        self.alice: Person = self.town.run(self.whole.join("alice"))
        self.town.run(self.whole.make_keys(self.alice))
        self.furnish()

    def furnish(self) -> None:
        """Put the things back that a request may have deleted."""
        self.town.run(self._furnish())

    async def _furnish(self) -> None:
        whole, alice = self.whole, self.alice
        post = {"text": "hello", "createdAt": "2026-01-01T00:00:00Z"}
        assert (await whole.put_record(alice, KEY, post)).status == 200
        for path, media, body in (
            ("/data/note.ttl", TURTLE, b"<#a> <#b> <#c>."),
            ("/data/photo.png", "image/png", b"pixels"),
        ):
            url = alice.member.url(path)
            sent = await whole.ask("PUT", url, body, as_=alice, content_type=media)
            assert sent.status in (201, 204, 409), sent

    def send(self, ask: Ask) -> Reply:
        token = self.alice.access if ask.as_owner else None
        return self.town.run(
            self.whole.send(
                ask.method,
                ask.target,
                ask.body,
                host=ask.host,
                token=token,
                headers=ask.headers,
                pieces=ask.pieces,
            )
        )


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One house for all of this file."""
    made = Ground(tmp_path_factory.mktemp("house"))
    yield made
    made.town.close()


def is_well_formed(reply: Reply, ask: Ask) -> bool:
    """Whether an error is told as the protocol at this address tells errors."""
    if ask.method == "HEAD" or not reply.body:
        return True
    media = reply.headers.get("content-type", "").split(";")[0]
    if media == "application/problem+json":
        return reply.json["status"] == reply.status
    if media == "application/json":
        return set(reply.json) <= {"error", "message"}
    return media in ("text/plain", "text/html", AS2)


def test_no_request_faults_and_a_refused_one_changes_nothing(ground: Ground) -> None:
    @settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=SCALE)
    @given(asks)
    def tries(ask: Ask) -> None:
        before = held(ground)
        reply = ground.send(ask)
        # XRPC's own word for a method that it does not know is 501.
        is_unknown = reply.status == 501 and ask.target.startswith("/xrpc/")
        assert reply.status < 500 or is_unknown, (ask, reply)
        if reply.status >= 400:
            assert is_well_formed(reply, ask), reply
        if reply.status >= 300 or ask.method in ("GET", "HEAD", "OPTIONS") or not ask.as_owner:
            assert held(ground) == before, reply
        else:
            ground.furnish()

    tries()


SCALE = settings.default.max_examples * 5 if settings.default else 150


def held(ground: Ground) -> dict[str, list[Any]]:
    """All rows; bytes that wait for a reference are none of anybody's data yet."""
    rows = ground.town.run(ground.whole.rows())
    referred = {tuple(row[:2]) for row in rows["blob_ref"]}
    return rows | {"blob": [row for row in rows["blob"] if tuple(row[:2]) in referred]}


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_every_bad_body_is_refused_or_kept_at_every_address(
    ground: Ground, method: str, path: str
) -> None:
    for media, body in itertools.product(TYPES[:8], BODIES):
        ask = Ask(method, path, ALICE, {"Content-Type": media}, body, as_owner=True)
        before = ground.whole.store.head_seq()
        reply = ground.send(ask)
        assert reply.status < 500, (media, body[:80], reply)
        if reply.status >= 400:
            assert is_well_formed(reply, ask), reply
            assert ground.whole.store.head_seq() == before


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("media", [TURTLE, "application/json", "image/png"])
def test_a_client_that_goes_within_its_body_changes_nothing(
    ground: Ground, method: str, path: str, media: str
) -> None:
    before = held(ground)
    for goes_after in (0, 1, 2):
        ground.town.run(
            ground.whole.send(
                method,
                path,
                b"<#a> <#b> <#c>. <#d> <#e> <#f>.",
                host=ALICE,
                token=ground.alice.access,
                headers={"content-type": media},
                pieces=3,
                goes_after=goes_after,
            )
        )
    assert held(ground) == before


def test_a_websocket_anywhere_else_is_turned_away(ground: Ground) -> None:
    elsewhere = [path for path in PATHS if not path.startswith("/xrpc/")]
    for host, path in itertools.product((ALICE, SERVER), elsewhere):
        told = ground.town.run(ground.whole.connect(path, host=host))
        assert told[0]["type"] in ("websocket.close", "websocket.http.response.start"), path
        assert 400 <= told[0].get("status", 404) < 500
