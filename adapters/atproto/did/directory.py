"""A did:plc directory of our own, for development and tests, with the HTTP of the public one.

Spec: https://web.plc.directory/api/redoc
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from datetime import timedelta
from typing import Any, Final, Protocol
from urllib.parse import unquote

import orjson

from adapters.atproto.did.plc import (
    Entry,
    Operation,
    check_form,
    check_next,
    operation_cid,
    operation_data,
    operation_document,
)
from adapters.atproto.firehose.frames import time_text
from pod.errors import Conflict, Invalid, NotFound, PodError, Throttled, TooLarge
from pod.keys.curves import parse_did_key
from pod.model.ids import Did, parse_did
from pod.ports import Clock
from pod.records.cbor import encode
from pod.records.data import json_to_data

MAX_OPERATION_BYTES: Final = 4000
_MAX_BODY_BYTES: Final = 50_000
_MAX_ENTRIES: Final = 10
_MAX_ID: Final = 32
_MAX_NAME: Final = 258
_MAX_TYPE: Final = 256
_MAX_ENDPOINT: Final = 512
_MAX_KEY: Final = 256
_RATES: Final = ((timedelta(hours=1), 10), (timedelta(days=1), 30), (timedelta(days=7), 100))

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class OperationLog(Protocol):
    """Where a directory keeps its operations."""

    def entries(self, did: Did) -> list[Entry]:
        """All entries of a DID, oldest first, nullified ones included."""
        ...

    async def add(self, did: Did, entry: Entry, nullified: Collection[str]) -> bool:
        """Append durably and mark the entries with the ``nullified`` CIDs, in one step.

        False if another entry with the same ``prev`` in force came first.
        """
        ...


class MemoryLog:
    """An `OperationLog` that forgets everything when the process ends."""

    def __init__(self) -> None:
        self._entries: dict[Did, list[Entry]] = {}

    def entries(self, did: Did) -> list[Entry]:
        """All entries of a DID, oldest first."""
        return list(self._entries.get(did, ()))

    async def add(self, did: Did, entry: Entry, nullified: Collection[str]) -> bool:
        """Append and mark."""
        kept = [
            Entry(e.operation, e.cid, e.created_at, e.nullified or e.cid in nullified)
            for e in self.entries(did)
        ]
        self._entries[did] = [*kept, entry]
        return True


class PlcDirectory:
    """Takes and serves operations; an ASGI application as well as a `Directory` in process."""

    def __init__(self, log: OperationLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def submit(self, did: Did, operation: Operation) -> None:
        """Take an operation; raises Invalid, TooLarge, Throttled or Conflict."""
        _check_limits(check_form(operation))
        now = self._clock.now()
        log = self._log.entries(did)
        nullified = check_next(did, log, operation, now)
        if not nullified:
            for span, most in _RATES:
                if sum(e.created_at > now - span for e in log if not e.nullified) >= most:
                    raise Throttled("Too many operations on this DID")
        entry = Entry(operation, operation_cid(operation), now)
        if not await self._log.add(did, entry, nullified):
            raise Conflict("Proposed prev does not match the most recent operation")

    async def last_operation(self, did: Did) -> Operation:
        """The operation in force; NotFound."""
        return self._in_force(did)[-1]

    async def document(self, did: Did) -> dict[str, Any]:
        """The DID document; NotFound, also after a tombstone."""
        document = operation_document(did, self._in_force(did)[-1])
        if document is None:
            raise NotFound(f"DID not available: {did}")
        return document

    async def audit_log(self, did: Did) -> list[dict[str, Any]]:
        """All operations with their times and what was nullified; NotFound."""
        self._in_force(did)
        return [
            {
                "did": did,
                "operation": entry.operation,
                "cid": entry.cid,
                "nullified": entry.nullified,
                "createdAt": time_text(entry.created_at),
            }
            for entry in self._log.entries(did)
        ]

    def _in_force(self, did: Did) -> list[Operation]:
        operations = [e.operation for e in self._log.entries(did) if not e.nullified]
        if not operations:
            raise NotFound(f"DID not registered: {did}")
        return operations

    async def _get(self, did: Did, part: str) -> object:
        match part:
            case "":
                return await self.document(did)
            case "data":
                data = operation_data(did, self._in_force(did)[-1])
                if data is None:
                    raise NotFound(f"DID not available: {did}")
                return data
            case "log":
                return self._in_force(did)
            case "log/audit":
                return await self.audit_log(did)
            case "log/last":
                return await self.last_operation(did)
            case _:
                raise NotFound("no such endpoint")

    async def answer(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body of the answer to a request."""
        if path == "/_health":
            return 200, "application/json", b'{"version":"commonpod"}'
        did_text, _, part = unquote(path.strip("/")).partition("/")
        try:
            did = parse_did(did_text)
            if method == "POST" and not part:
                await self.submit(did, _read_json(body))
                return 200, "text/plain", b"OK"
            content = orjson.dumps(await self._get(did, part))
        except PodError as err:
            status = {NotFound: 404, Conflict: 409}.get(type(err), 400)
            return status, "application/json", orjson.dumps({"message": err.safe_text})
        return 200, "application/json" if part else "application/did+ld+json", content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        assert scope["type"] == "http"
        body, more = b"", True
        while more and len(body) <= _MAX_BODY_BYTES:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status, content_type, content = await self.answer(scope["method"], scope["path"], body)
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(content)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def _read_json(body: bytes) -> Operation:
    if len(body) > _MAX_BODY_BYTES:
        raise TooLarge("Operation too large")
    try:
        return check_form(orjson.loads(body))
    except orjson.JSONDecodeError as err:
        raise Invalid("Not a valid operation") from err


def _check_limits(operation: Operation) -> None:
    """The public directory's limits on what it takes today (no legacy creation)."""
    if len(encode(json_to_data(operation))) > MAX_OPERATION_BYTES:
        raise TooLarge("Operation too large (4000 bytes maximum in cbor encoding)")
    if operation["type"] == "create":
        raise Invalid("Not a valid operation")
    if operation["type"] == "plc_tombstone":
        return
    names: list[str] = operation["alsoKnownAs"]
    keys: dict[str, str] = operation["verificationMethods"]
    services: dict[str, dict[str, str]] = operation["services"]
    rotation: list[str] = operation["rotationKeys"]
    if max(len(names), len(keys), len(services), len(rotation)) > _MAX_ENTRIES:
        raise Invalid("Too many entries in the operation")
    if len(set(names)) != len(names) or any(len(name) > _MAX_NAME for name in names):
        raise Invalid("An alsoKnownAs entry is too long or there twice")
    if any(len(name) > _MAX_ID for name in [*keys, *services]):
        raise Invalid("An id in the operation is too long")
    if any(
        len(s["type"]) > _MAX_TYPE or len(s["endpoint"]) > _MAX_ENDPOINT for s in services.values()
    ):
        raise Invalid("A service is too long")
    for key in rotation:
        parse_did_key(key)
    if any(len(key) > _MAX_KEY or not key.startswith("did:key:z") for key in keys.values()):
        raise Invalid("Invalid verificationMethod key")
