"""The identity knot holds only when every name confirms every other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from adapters.identity.knot import Kind, Knot, report
from adapters.identity.verify import Found, Sources, start_of, verify
from pod.errors import Invalid

DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
ME = "https://alice.example/me"
ACCT = "alice@alice.example"
WEBFINGER = "https://alice.example/.well-known/webfinger?resource=acct:alice@alice.example"
NAMES = ["alice.example", DID, f"acct:{ACCT}", f"@{ACCT}", ME]


class Web:
    """What a person's authorities say, as a table that tests may change."""

    def __init__(self) -> None:
        self.handle: str | None = DID
        self.did: dict[str, Any] = {"id": DID, "alsoKnownAs": ["at://alice.example", ME]}
        self.jrd: dict[str, Any] = {
            "aliases": [ME, DID],
            "links": [{"rel": "self", "type": "application/activity+json", "href": ME}],
        }
        self.actor: dict[str, Any] = {
            "id": ME,
            "alsoKnownAs": [DID, f"at://{DID}"],
            "preferredUsername": "alice",
        }
        self.webid = f"<{ME}> <http://www.w3.org/2002/07/owl#sameAs> <{DID}> ."

    def sources(self) -> Sources:
        async def handle(name: str) -> Found | None:
            if name != "alice.example" or self.handle is None:
                return None
            return Found(self.handle.encode(), "text/plain", "_atproto.alice.example", "DNS")

        async def did(name: str) -> Found | None:
            return _found(orjson.dumps(self.did), name, "the DID's keys") if name == DID else None

        async def get(url: str, accept: str) -> Found | None:
            if url == WEBFINGER:
                return _found(orjson.dumps(self.jrd), url, "TLS")
            if url != ME:
                return None
            if "turtle" in accept:
                return Found(self.webid.encode(), "text/turtle", url, "TLS")
            return _found(orjson.dumps(self.actor), url, "TLS")

        return Sources(handle, did, get)


def _found(body: bytes, url: str, authority: str) -> Found:
    return Found(body, "application/json", url, authority)


def walk(web: Web, name: str = "alice.example") -> Knot:
    return asyncio.run(verify(name, web.sources()))


@pytest.mark.parametrize("name", NAMES)
def test_from_any_name_the_whole_knot_is_found(name: str) -> None:
    knot = walk(Web(), name)
    assert knot.names == {
        Kind.HANDLE: "alice.example",
        Kind.DID: DID,
        Kind.ACCT: ACCT,
        Kind.ACTOR: ME,
        Kind.WEBID: ME,
    }
    assert knot.is_whole
    assert "TLS" in knot.weakest


BREAKS: dict[str, Callable[[Web], None]] = {
    "the domain no longer names the DID": lambda web: setattr(web, "handle", None),
    "the DID does not name the handle": lambda web: web.did.update(alsoKnownAs=[ME]),
    "the DID names nobody": lambda web: web.did.update(alsoKnownAs=[]),
    "another DID is claimed by the domain": lambda web: setattr(web, "handle", DID[:-1] + "b"),
    "WebFinger leads to another actor": lambda web: web.jrd["links"][0].update(
        href="https://mallory.example/me"
    ),
    "the actor has another id": lambda web: web.actor.update(id="https://mallory.example/me"),
    "the actor says it is somebody else": lambda web: web.actor.update(
        webfinger="mallory@mallory.example"
    ),
    "the WebID names another DID": lambda web: setattr(
        web, "webid", web.webid.replace(DID, DID[:-1] + "b")
    ),
}


@pytest.mark.parametrize("broken", BREAKS)
@pytest.mark.parametrize("name", [ME, "alice.example", DID])
def test_a_knot_with_one_false_end_is_not_whole(broken: str, name: str) -> None:
    web = Web()
    BREAKS[broken](web)
    assert not walk(web, name).is_whole


def test_a_claim_in_one_direction_proves_nothing() -> None:
    """Somebody else's actor may claim the DID; the DID does not answer."""
    web = Web()
    web.did["alsoKnownAs"] = ["at://alice.example"]
    knot = walk(web, ME)
    assert knot.says(Kind.ACTOR, Kind.DID) is not None
    assert not knot.is_proved(Kind.ACTOR, Kind.DID)
    assert knot.is_proved(Kind.HANDLE, Kind.DID)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"links": 3, "aliases": {}}', b"\xff"])
def test_documents_that_are_nonsense_claim_nothing(body: bytes) -> None:
    async def get(url: str, _accept: str) -> Found | None:
        return _found(body, url, "TLS")

    nothing: Callable[[str], Awaitable[Found | None]] = lambda _: asyncio.sleep(0, None)  # noqa: E731
    knot = asyncio.run(verify(f"acct:{ACCT}", Sources(nothing, nothing, get)))
    assert (list(knot.names), knot.claims) == ([Kind.ACCT], [])


@pytest.mark.parametrize("name", ["", "alice", "a b.example", "x/y.z"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        start_of(name)


def test_the_report_shows_names_matrix_evidence_and_verdict() -> None:
    text = report(walk(Web()))
    for part in ("alice.example", DID, ME, "says", "_atproto.alice.example", "one person"):
        assert part in text
    web = Web()
    web.handle = None
    assert "not proved; weakest link: handle does not lead to DID" in report(walk(web, ME))
