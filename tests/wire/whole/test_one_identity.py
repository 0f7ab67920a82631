"""One person, one decision: a credential is answered alike by every protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from adapters.atproto.session_tokens import SessionTokens
from pod.access.agent import SYSTEM, Credential
from pod.keys.keyring import KeyRing
from pod.model.member import Standing
from server.clock import SystemClock
from tests.kit.whole import POST, TURTLE, Person, Reply, Town

KEY = "3kaaaaaaaaa22"
RECORD = {"$type": POST, "text": "hello", "createdAt": "2026-01-01T00:00:00Z"}
CREDENTIALS = (
    "nobody", "alice", "alice by an app", "alice by an app of full rights", "alice's refresh token",
    "alice, taken down", "bob", "noise", "another scheme", "two tokens", "an old secret",
)  # fmt: skip
MAY_WRITE = {"alice", "alice by an app", "alice by an app of full rights"}


class Door:
    """Two members, and credentials of every kind."""

    def __init__(self, town: Town) -> None:
        self.town, self.whole = town, town.whole
        self.alice: Person = town.run(self.whole.join("alice"))
        self.bob: Person = town.run(self.whole.join("bob"))
        keys = KeyRing(self.whole.store)
        town.run(keys.open())
        server = self.whole.house.settings.did
        self.tokens = SessionTokens(keys.session_secret(), server, SystemClock())
        self.forged = SessionTokens(b"x" * 32, server, SystemClock())

    def header(self, credential: str) -> dict[str, str]:
        """The Authorization header of a credential."""
        did = self.alice.member.did
        tokens = {
            "alice": self.alice.access,
            "alice by an app": self.tokens.access(did, Credential.APP_PASSWORD),
            "alice by an app of full rights": self.tokens.access(
                did, Credential.APP_PASSWORD_PRIVILEGED
            ),
            "alice's refresh token": self.tokens.refresh(did, "grant"),
            "alice, taken down": self.tokens.access(did, Credential.TAKENDOWN),
            "bob": self.bob.access,
            "noise": "x.y.z",
            "another scheme": self.alice.access,
            "two tokens": f"{self.alice.access} {self.alice.access}",
            "an old secret": self.forged.access(did, Credential.SESSION),
        }
        if credential == "nobody":
            return {}
        kind = "Digest" if credential == "another scheme" else "Bearer"
        return {"authorization": f"{kind} {tokens[credential]}"}

    def writes(self, credential: str) -> dict[str, Reply]:
        """Writing alice's post in each protocol."""
        return self.town.run(self._writes(self.header(credential)))

    async def _writes(self, bearer: dict[str, str]) -> dict[str, Reply]:
        member = self.alice.member
        url = member.url(f"/repo/{POST}/{KEY}")
        given = {"repo": member.did, "collection": POST, "rkey": KEY, "record": RECORD}
        sent = {"content_type": "application/json", **bearer}
        xrpc = f"{self.whole.house.settings.origin}/xrpc/com.atproto.repo.putRecord"
        turtle = '<> <https://schema.org/articleBody> "hello".'
        return {
            "XRPC": await self.whole.ask("POST", xrpc, json.dumps(given), **sent),
            "record": await self.whole.ask("PUT", url, json.dumps(RECORD), **sent),
            "collection": await self.whole.ask(
                "POST", member.url(f"/repo/{POST}/"), turtle, content_type=TURTLE, **bearer
            ),
            "storage": await self.whole.ask(
                "PUT", member.url("/data/x"), "<a> <b> <c>.", content_type=TURTLE, **bearer
            ),
        }


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    town = Town(tmp_path_factory.mktemp("house"))
    yield Door(town)
    town.close()


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_a_credential_may_write_in_all_protocols_or_in_none(door: Door, credential: str) -> None:
    seq = door.whole.store.head_seq()
    replies = door.writes(credential)
    allowed = {name: reply.status < 300 for name, reply in replies.items()}
    assert set(allowed.values()) == {credential in MAY_WRITE}, replies
    if credential not in MAY_WRITE:
        assert {reply.status for reply in replies.values()} <= {400, 401, 403}
        assert door.whole.store.head_seq() == seq


@pytest.mark.parametrize("credential", ["nobody", "bob", "noise", "an old secret"])
def test_the_reason_of_a_refusal_is_the_same(door: Door, credential: str) -> None:
    replies = door.writes(credential)
    statuses = {name: reply.status for name, reply in replies.items() if name != "XRPC"}
    assert set(statuses.values()) == {403 if credential == "bob" else 401}
    # The reference says AuthenticationRequired to the owner of another repository too.
    names = {"nobody": "AuthMissing", "bob": "AuthenticationRequired"}
    assert replies["XRPC"].json["error"] == names.get(credential, "InvalidToken")


@pytest.mark.parametrize("standing", [Standing.DEACTIVATED, Standing.TAKENDOWN])
def test_a_member_who_rests_is_shown_by_no_protocol(door: Door, standing: Standing) -> None:
    door.writes("alice")
    accounts, whole, member = door.whole.house.accounts, door.whole, door.alice.member

    async def seen() -> dict[str, int]:
        told = {"repo": member.did, "collection": POST, "rkey": KEY}
        url = member.url(f"/repo/{POST}/{KEY}")
        pages = {
            f"{where} {accept}": await whole.ask("GET", where, accept=accept)
            for where in (url, member.webid, f"{member.origin}/", f"{member.origin}/outbox")
            for accept in (TURTLE, "application/activity+json", "text/html", "application/json")
        }
        pages["record"] = await whole.query("com.atproto.repo.getRecord", **told)
        pages["repo"] = await whole.query("com.atproto.sync.getRepo", did=member.did)
        pages["feed"] = await whole.ask("GET", f"{member.origin}/feed.atom")
        return {name: reply.status for name, reply in pages.items()}

    async def story() -> None:
        before = await seen()
        await accounts.set_standing(SYSTEM, member.id, standing)
        try:
            during = await seen()
        finally:
            await accounts.set_standing(SYSTEM, member.id, Standing.ACTIVE)
        shown = {name for name, status in during.items() if status < 400}
        # The fediverse is told that there is nothing to see, so that it hides what it has.
        husks = {f"{url} application/activity+json" for url in (f"{member.origin}/", member.webid)}
        assert shown == (husks if standing is Standing.TAKENDOWN else set())
        assert await seen() == before

    door.town.run(story())
