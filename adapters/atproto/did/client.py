"""Talking to a did:plc directory, and the members' DIDs that we keep there.

Spec: https://web.plc.directory/api/redoc
"""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import quote

import orjson

from adapters.atproto.did.plc import (
    Operation,
    check_form,
    genesis,
    operation_data,
    plc_did,
    update,
    with_handle,
)
from adapters.http.fetch import Fetch, Fetched
from pod.errors import Forbidden, Invalid, NotFound, PeerUnavailable, TooLarge
from pod.keys.curves import SigningKey
from pod.model.ids import Did, Handle, Iri, Origin
from pod.model.member import Member


class Directory(Protocol):
    """A did:plc directory, near or far."""

    async def submit(self, did: Did, operation: Operation) -> None: ...
    async def last_operation(self, did: Did) -> Operation: ...
    async def document(self, did: Did) -> dict[str, Any]: ...
    async def audit_log(self, did: Did) -> list[dict[str, Any]]: ...


class PlcClient:
    """A directory at a URL; raises PeerUnavailable when it does not answer as it should."""

    def __init__(self, fetch: Fetch, url: str) -> None:
        self._fetch = fetch
        self._url = url.rstrip("/")

    async def submit(self, did: Did, operation: Operation) -> None:
        """Hand in a signed operation; Invalid if the directory refuses it."""
        body = orjson.dumps(operation)
        try:
            answer = await self._fetch.post(
                self._at(did), body, {"Content-Type": "application/json"}
            )
        except (Forbidden, TooLarge) as err:
            raise PeerUnavailable("the PLC directory cannot be reached") from err
        if 400 <= answer.status < 500:
            raise Invalid(f"the PLC directory refused the operation: {_message(answer)}")
        if answer.status != 200:
            raise PeerUnavailable("the PLC directory did not take the operation")

    async def last_operation(self, did: Did) -> Operation:
        """The operation in force; NotFound."""
        return check_form(await self._get(did, "/log/last"))

    async def document(self, did: Did) -> dict[str, Any]:
        """The DID document; NotFound, also for a DID that was given up."""
        document = await self._get(did, "")
        if not isinstance(document, dict):
            raise PeerUnavailable("the PLC directory answered no document")
        return document

    async def audit_log(self, did: Did) -> list[dict[str, Any]]:
        """All operations with their times; NotFound."""
        log = await self._get(did, "/log/audit")
        if not isinstance(log, list):
            raise PeerUnavailable("the PLC directory answered no log")
        return log

    def _at(self, did: Did) -> str:
        return f"{self._url}/{quote(did, safe=':')}"

    async def _get(self, did: Did, part: str) -> object:
        try:
            answer = await self._fetch.get(self._at(did) + part)
        except (Forbidden, TooLarge) as err:
            raise PeerUnavailable("the PLC directory cannot be reached") from err
        if answer.status in (404, 410):
            raise NotFound(_message(answer))
        try:
            if answer.status == 200:
                return orjson.loads(answer.body)
        except orjson.JSONDecodeError as err:
            raise PeerUnavailable("the PLC directory did not answer in JSON") from err
        raise PeerUnavailable("the PLC directory did not answer")


def _message(answer: Fetched) -> str:
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        body = None
    return str(body.get("message"))[:200] if isinstance(body, dict) else f"status {answer.status}"


class MemberDids:
    """Implements `pod.ports.DidMethod`: did:plc in a directory; did:web follows the member row.

    ``rotation_key`` is the server's. A member's recovery key stands before all others, then comes
    the operator's. ``pds`` is the server's own origin.
    """

    def __init__(
        self,
        directory: Directory,
        rotation_key: SigningKey,
        pds: Origin,
        operator_key: str | None = None,
    ) -> None:
        self._directory = directory
        self._operator_key = operator_key
        self._key = rotation_key
        self._pds = pds

    async def create(
        self, *, handle: Handle, origin: Origin, signing_key: str, recovery_key: str | None
    ) -> Did:
        """Register a new did:plc; raises Invalid or PeerUnavailable."""
        keys = [recovery_key, self._operator_key, self._key.did_key]
        operation = genesis(
            handle=handle,
            webid=Iri(f"{origin}/me"),
            signing_key=signing_key,
            rotation_keys=[key for key in keys if key is not None],
            pds=self._pds,
            key=self._key,
        )
        did = plc_did(operation)
        await self._directory.submit(did, operation)
        return did

    async def set_handle(self, member: Member, handle: Handle) -> None:
        """Put the handle into the member's document; raises Invalid or PeerUnavailable."""
        if not member.did.startswith("did:plc:"):
            return
        last = await self._directory.last_operation(member.did)
        data = operation_data(member.did, last)
        if data is None:
            raise Invalid("the DID was given up")
        names = with_handle(data["alsoKnownAs"], handle)
        if names != data["alsoKnownAs"]:
            await self._directory.submit(member.did, update(last, self._key, alsoKnownAs=names))
