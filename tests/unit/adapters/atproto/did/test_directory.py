"""The development directory: what it takes, what it serves, and members' DIDs in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from adapters.atproto.did.client import MemberDids
from adapters.atproto.did.directory import MemoryLog, PlcDirectory
from adapters.atproto.did.document import read_document
from adapters.atproto.did.plc import (
    Operation,
    genesis,
    plc_did,
    sign_operation,
    tombstone,
    update,
    verify_audit_log,
)
from pod.errors import Invalid, NotFound, Throttled, TooLarge
from pod.keys.curves import Curve, SigningKey
from pod.model.ids import Did, Handle, Origin
from tests.kit.members import START, a_member

RECOVERY = SigningKey.from_bytes(b"\1" * 32, Curve.P256)
SERVER = SigningKey.from_bytes(b"\2" * 32)
REPO = SigningKey.from_bytes(b"\3" * 32)
PDS = Origin("https://pods.example")


class SetClock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def pass_by(self, **span: int) -> None:
        self.at += timedelta(**span)


def first_operation() -> tuple[Did, Operation]:
    operation = genesis(
        handle=Handle("alice.test"),
        webid="https://alice.example/me",
        signing_key=REPO.did_key,
        rotation_keys=[RECOVERY.did_key, SERVER.did_key],
        pds=PDS,
        key=SERVER,
    )
    return plc_did(operation), operation


def a_directory() -> tuple[PlcDirectory, SetClock]:
    clock = SetClock()
    return PlcDirectory(MemoryLog(), clock), clock


def ask(directory: PlcDirectory, method: str, path: str, body: object = None) -> tuple[int, Any]:
    sent = body if isinstance(body, bytes) else orjson.dumps(body)
    status, kind, content = asyncio.run(directory.answer(method, path, sent))
    return status, orjson.loads(content) if "json" in kind else content.decode()


def test_a_did_is_served_from_its_first_operation() -> None:
    directory, _ = a_directory()
    did, operation = first_operation()
    assert ask(directory, "GET", f"/{did}")[0] == 404
    assert ask(directory, "POST", f"/{did}", operation) == (200, "OK")
    status, document = ask(directory, "GET", f"/{did}")
    identity = read_document(did, document)
    assert (status, identity.handle, identity.pds) == (200, "alice.test", PDS)
    assert ask(directory, "GET", f"/{did}/log") == (200, [operation])
    assert ask(directory, "GET", f"/{did}/log/last") == (200, operation)
    data = ask(directory, "GET", f"/{did}/data")[1]
    assert data["rotationKeys"] == [RECOVERY.did_key, SERVER.did_key]
    log = ask(directory, "GET", f"/{did}/log/audit")[1]
    assert verify_audit_log(did, log) == operation


def test_a_stronger_key_takes_back_for_72_hours() -> None:
    directory, clock = a_directory()
    did, first = first_operation()

    async def story() -> None:
        await directory.submit(did, first)
        clock.pass_by(hours=1)
        stolen = update(first, SERVER, alsoKnownAs=["at://thief.test"])
        await directory.submit(did, stolen)
        clock.pass_by(hours=72)
        rescued = update(first, RECOVERY, rotationKeys=[RECOVERY.did_key])
        await directory.submit(did, rescued)
        assert await directory.last_operation(did) == rescued
        assert verify_audit_log(did, await directory.audit_log(did)) == rescued

    asyncio.run(story())


def test_a_weaker_or_late_recovery_is_refused() -> None:
    directory, clock = a_directory()
    did, first = first_operation()

    async def story() -> None:
        await directory.submit(did, first)
        clock.pass_by(hours=1)
        await directory.submit(did, update(first, RECOVERY, alsoKnownAs=["at://new.test"]))
        with pytest.raises(Invalid):
            await directory.submit(did, update(first, SERVER, alsoKnownAs=["at://old.test"]))
        clock.pass_by(hours=73)
        with pytest.raises(Invalid):
            await directory.submit(did, update(first, RECOVERY, alsoKnownAs=["at://late.test"]))

    asyncio.run(story())


def test_nothing_follows_a_tombstone() -> None:
    directory, _ = a_directory()
    did, first = first_operation()

    async def story() -> None:
        await directory.submit(did, first)
        end = tombstone(first, SERVER)
        await directory.submit(did, end)
        with pytest.raises(NotFound):
            await directory.document(did)
        with pytest.raises(Invalid):
            update(end, SERVER)
        revived = sign_operation({**first, "prev": "x", "sig": ""}, SERVER)
        with pytest.raises(Invalid):
            await directory.submit(did, revived)

    asyncio.run(story())
    assert ask(directory, "GET", f"/{did}") == (404, {"message": f"DID not available: {did}"})


def test_more_than_ten_operations_an_hour_are_too_many() -> None:
    directory, clock = a_directory()
    did, last = first_operation()

    async def story(last: Operation) -> None:
        await directory.submit(did, last)
        for number in range(9):
            last = update(last, SERVER, alsoKnownAs=[f"at://n{number}.test"])
            await directory.submit(did, last)
        last = update(last, SERVER, alsoKnownAs=["at://more.test"])
        with pytest.raises(Throttled):
            await directory.submit(did, last)
        clock.pass_by(hours=1)
        await directory.submit(did, last)

    asyncio.run(story(last))


def _signed(**changes: Any) -> Operation:
    unsigned = {name: value for name, value in first_operation()[1].items() if name != "sig"}
    return sign_operation({**unsigned, **changes}, SERVER)


@pytest.mark.parametrize(
    "operation",
    [
        _signed(rotationKeys=[]),
        _signed(rotationKeys=[RECOVERY.did_key]),
        _signed(rotationKeys=[SERVER.did_key] * 11),
        _signed(rotationKeys=[SERVER.did_key, "did:key:zjunk"]),
        _signed(rotationKeys=[1]),
        _signed(alsoKnownAs=["at://a.test", "at://a.test"]),
        _signed(alsoKnownAs=["at://" + "a" * 254]),
        _signed(verificationMethods={"x" * 33: REPO.did_key}),
        _signed(verificationMethods={"atproto": "not a key"}),
        _signed(services={"x": {"type": "t"}}),
        _signed(services={"x": {"type": "t" * 257, "endpoint": "e"}}),
        _signed(services={"x": {"type": "t", "endpoint": "e" * 513}}),
        _signed(prev="bafyreigcxay6ucqlwowfpu35alyxqtv3c4vsj7gmdtmnidsnqs6nblyarq"),
        _signed(extra=1),
        _signed(type="plc_other"),
        {**_signed(), "sig": _signed()["sig"] + "="},
        {**_signed(), "sig": "A" * 86},
        {"type": "create"},
        {},
    ],
)
def test_an_operation_against_the_rules_is_refused(operation: Operation) -> None:
    directory, _ = a_directory()
    did = plc_did(operation)
    status, body = ask(directory, "POST", f"/{did}", operation)
    assert status == 400
    assert body["message"]
    assert ask(directory, "GET", f"/{did}")[0] == 404


def test_an_operation_makes_no_other_did() -> None:
    directory, _ = a_directory()
    with pytest.raises(Invalid):
        asyncio.run(directory.submit(Did("did:plc:" + "a" * 24), first_operation()[1]))


def test_a_large_operation_is_too_large() -> None:
    directory, _ = a_directory()
    big = _signed(services={f"s{n}": {"type": "t", "endpoint": "e" * 500} for n in range(9)})
    with pytest.raises(TooLarge):
        asyncio.run(directory.submit(plc_did(big), big))


@pytest.mark.parametrize("body", [b"", b"junk", b"[]", b"1", b"{" * 60_000])
def test_junk_is_answered_with_400(body: bytes) -> None:
    directory, _ = a_directory()
    assert ask(directory, "POST", f"/{first_operation()[0]}", body)[0] == 400


@pytest.mark.parametrize("path", ["/", "/x", "/did:plc:abc/other", "/did:plc:abc/log/audit"])
def test_other_paths_are_answered_with_an_error(path: str) -> None:
    directory, _ = a_directory()
    assert ask(directory, "GET", path)[0] in (400, 404)


def test_it_speaks_asgi() -> None:
    directory, _ = a_directory()
    did, operation = first_operation()
    body = orjson.dumps(operation)
    parts = [
        {"type": "http.request", "body": body[:50], "more_body": True},
        {"type": "http.request", "body": body[50:]},
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": f"/{did}"}
    asyncio.run(directory(scope, receive, send))
    assert sent[0]["status"] == 200
    assert sent[1]["body"] == b"OK"


def _after(action: Callable[[MemberDids], Any]) -> tuple[Any, PlcDirectory]:
    directory, _ = a_directory()
    return asyncio.run(action(MemberDids(directory, SERVER, PDS))), directory


def test_a_members_did_names_them_and_puts_their_recovery_key_first() -> None:
    async def story(dids: MemberDids) -> Did:
        return await dids.create(
            handle=Handle("alice.test"),
            origin=Origin("https://alice.example"),
            signing_key=REPO.did_key,
            recovery_key=RECOVERY.did_key,
        )

    did, directory = _after(story)
    data = ask(directory, "GET", f"/{did}/data")[1]
    assert data["rotationKeys"] == [RECOVERY.did_key, SERVER.did_key]
    assert data["alsoKnownAs"] == ["at://alice.test", "https://alice.example/me"]
    assert data["verificationMethods"] == {"atproto": REPO.did_key}
    assert data["services"]["atproto_pds"]["endpoint"] == PDS


def test_a_new_handle_is_written_into_the_document_once() -> None:
    async def story(dids: MemberDids) -> Did:
        did = await dids.create(
            handle=Handle("alice.test"),
            origin=Origin("https://alice.example"),
            signing_key=REPO.did_key,
            recovery_key=None,
        )
        member = replace(a_member(), did=did)
        await dids.set_handle(member, Handle("alicia.test"))
        await dids.set_handle(member, Handle("alicia.test"))
        await dids.set_handle(replace(member, did=Did("did:web:x.example")), Handle("x.test"))
        return did

    did, directory = _after(story)
    assert len(ask(directory, "GET", f"/{did}/log")[1]) == 2
    data = ask(directory, "GET", f"/{did}/data")[1]
    assert data["alsoKnownAs"] == ["at://alicia.test", "https://alice.example/me"]
