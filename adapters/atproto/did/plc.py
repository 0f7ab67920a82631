"""did:plc operations: built, signed, and checked as every directory checks them.

Spec: https://web.plc.directory/spec/v0.1/did-plc
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from adapters.atproto.did.document import build_document, names_of, pds_service
from pod.errors import Invalid
from pod.keys.curves import SigningKey, verify
from pod.model.ids import Did, Handle, parse_datetime
from pod.records.cbor import encode
from pod.records.cid import cid_text, record_cid
from pod.records.data import json_to_data

Operation = dict[str, Any]
"""A signed operation in its JSON form; ``prev`` is CID text."""

RECOVERY_WINDOW: Final = timedelta(hours=72)
_SIGNATURE: Final = re.compile(r"[A-Za-z0-9_-]{85}[AQgw]")
_FIELDS: Final[dict[str, dict[str, type | tuple[type, ...]]]] = {
    "plc_operation": {
        "type": str,
        "rotationKeys": list,
        "verificationMethods": dict,
        "alsoKnownAs": list,
        "services": dict,
        "prev": (str, type(None)),
        "sig": str,
    },
    "plc_tombstone": {"type": str, "prev": str, "sig": str},
    "create": {
        "type": str,
        "signingKey": str,
        "recoveryKey": str,
        "handle": str,
        "service": str,
        "prev": type(None),
        "sig": str,
    },
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation in the log of a DID; ``nullified`` if a stronger key took it back."""

    operation: Operation
    cid: str
    created_at: datetime
    nullified: bool = False


def genesis(
    *,
    handle: Handle,
    webid: str,
    signing_key: str,
    rotation_keys: Sequence[str],
    pds: str,
    key: SigningKey,
) -> Operation:
    """The first operation of a member's DID, signed by ``key``, one of the rotation keys.

    The rotation keys stand in order of power; all keys are did:key.
    """
    return sign_operation(
        {
            "type": "plc_operation",
            "rotationKeys": list(rotation_keys),
            "verificationMethods": {"atproto": signing_key},
            "alsoKnownAs": names_of(handle, webid),
            "services": pds_service(pds),
            "prev": None,
        },
        key,
    )


def update(last: Operation, key: SigningKey, **changes: Any) -> Operation:
    """The operation after ``last`` with some fields changed; Invalid after a tombstone."""
    if last.get("type") == "plc_tombstone":
        raise Invalid("the DID was given up")
    fields = {name: value for name, value in _normal(last).items() if name != "sig"}
    return sign_operation({**fields, **changes, "prev": operation_cid(last)}, key)


def tombstone(last: Operation, key: SigningKey) -> Operation:
    """The operation that gives a DID up."""
    return sign_operation({"type": "plc_tombstone", "prev": operation_cid(last)}, key)


def with_handle(names: Iterable[str], handle: Handle) -> list[str]:
    """``alsoKnownAs`` with its handle replaced, or put first if there was none."""
    names = list(names)
    at = next((i for i, name in enumerate(names) if name.startswith("at://")), None)
    if at is None:
        return [f"at://{handle}", *names]
    return [*names[:at], f"at://{handle}", *names[at + 1 :]]


def sign_operation(unsigned: Mapping[str, Any], key: SigningKey) -> Operation:
    """An operation with its signature."""
    signature = key.sign(encode(json_to_data(dict(unsigned))))
    return {**unsigned, "sig": base64.urlsafe_b64encode(signature).rstrip(b"=").decode()}


def operation_cid(operation: Operation) -> str:
    """CID text of a signed operation: what the next one calls ``prev``."""
    return cid_text(record_cid(encode(json_to_data(operation))))


def plc_did(operation: Operation) -> Did:
    """The DID that a signed genesis operation makes."""
    digest = sha256(encode(json_to_data(operation))).digest()
    return Did("did:plc:" + base64.b32encode(digest).decode().lower()[:24])


def operation_data(did: str, operation: Operation) -> dict[str, Any] | None:
    """What an operation says of a DID; None for a tombstone."""
    if operation["type"] == "plc_tombstone":
        return None
    names = ("verificationMethods", "rotationKeys", "alsoKnownAs", "services")
    normal = _normal(operation)
    return {"did": did, **{name: normal[name] for name in names}}


def operation_document(did: str, operation: Operation) -> dict[str, Any] | None:
    """The DID document after an operation; None for a tombstone."""
    data = operation_data(did, operation)
    if data is None:
        return None
    return build_document(
        did,
        also_known_as=data["alsoKnownAs"],
        verification_methods=data["verificationMethods"],
        services=data["services"],
    )


def check_form(operation: object) -> Operation:
    """The operation if its form is right, legacy creation included; Invalid."""
    if not isinstance(operation, dict):
        raise Invalid("not an operation")
    fields = _FIELDS.get(str(operation.get("type")))
    if fields is None or operation.keys() != fields.keys():
        raise Invalid("not a valid operation")
    if not all(isinstance(operation[name], kind) for name, kind in fields.items()):
        raise Invalid("not a valid operation")
    if operation["type"] == "plc_operation":
        texts = [*operation["rotationKeys"], *operation["alsoKnownAs"]]
        texts += operation["verificationMethods"].values()
        for service in operation["services"].values():
            if not isinstance(service, dict) or service.keys() != {"type", "endpoint"}:
                raise Invalid("not a valid service in the operation")
            texts += service.values()
        if not all(isinstance(text, str) for text in texts):
            raise Invalid("not a valid operation")
    return operation


def check_next(did: str, log: Sequence[Entry], proposed: Operation, at: datetime) -> list[str]:
    """The CIDs that ``proposed`` nullifies if it may follow at that time; else Invalid.

    ``log`` is all of the DID's history; what was nullified in it no longer counts.
    """
    entries = [entry for entry in log if not entry.nullified]
    if not entries:
        if proposed["type"] == "plc_tombstone" or proposed["prev"] is not None:
            raise Invalid("the first operation must create the DID")
        _signer(_normal(proposed)["rotationKeys"], proposed)
        if plc_did(proposed) != did:
            raise Invalid("the operation makes another DID")
        return []
    kept = next((i for i, e in enumerate(entries, 1) if e.cid == proposed["prev"]), 0)
    if not kept or entries[kept - 1].operation["type"] == "plc_tombstone":
        raise Invalid("the operation does not follow on the log")
    keys: list[str] = _normal(entries[kept - 1].operation)["rotationKeys"]
    disputed = entries[kept:]
    if not disputed:
        _signer(keys, proposed)
        return []
    stronger = keys[: keys.index(_signer(keys, disputed[0].operation))]
    _signer(stronger, proposed)
    if at <= entries[-1].created_at:
        raise Invalid("the operation is not later than the last one")
    if at - disputed[0].created_at > RECOVERY_WINDOW:
        raise Invalid("the time for recovery has passed")
    return [entry.cid for entry in disputed]


def verify_audit_log(did: str, log: object) -> Operation:
    """The operation in force after an audit log (its JSON form), all of which is checked: Invalid.

    Operations, CIDs, times, and the marks of what was nullified must fit together.
    """
    if not isinstance(log, list) or not log:
        raise Invalid("not an audit log")
    entries: list[Entry] = []
    marked: set[str] = set()
    for row in log:
        match row:
            case {
                "did": str(of),
                "operation": dict(operation),
                "cid": str(cid),
                "nullified": bool(nullified),
                "createdAt": str(created_at),
            } if of == did:
                entry = Entry(check_form(operation), cid, parse_datetime(created_at))
            case _:
                raise Invalid("not an audit log")
        if operation_cid(entry.operation) != cid:
            raise Invalid("a CID of the audit log is wrong")
        gone = set(check_next(did, entries, entry.operation, entry.created_at))
        entries = [nullify(e) if e.cid in gone else e for e in entries] + [entry]
        marked |= {cid} if nullified else set()
    if marked != {entry.cid for entry in entries if entry.nullified}:
        raise Invalid("the audit log hides a recovery")
    return next(entry.operation for entry in reversed(entries) if not entry.nullified)


def nullify(entry: Entry) -> Entry:
    """The entry, marked as taken back."""
    return Entry(entry.operation, entry.cid, entry.created_at, nullified=True)


def _signer(keys: Iterable[str], operation: Operation) -> str:
    """The first of the keys that signed an operation; Invalid if none did."""
    text = operation["sig"]
    if not _SIGNATURE.fullmatch(text):
        raise Invalid("the signature of the operation is malformed")
    signature = base64.urlsafe_b64decode(text + "==")
    unsigned = {name: value for name, value in operation.items() if name != "sig"}
    message = encode(json_to_data(unsigned))
    for key in keys:
        if key.startswith("did:key:") and _verifies(key, message, signature):
            return key
    raise Invalid("the operation is not signed by a key that may")


def _verifies(key: str, message: bytes, signature: bytes) -> bool:
    try:
        return verify(key, message, signature)
    except Invalid:
        return False


def _normal(operation: Operation) -> Operation:
    """An operation of today's form, also for the legacy creation."""
    if operation["type"] != "create":
        return operation
    service = operation["service"]
    is_url = service.startswith(("http://", "https://"))
    bare = operation["handle"].removeprefix("at://")
    return {
        "type": "plc_operation",
        "rotationKeys": [operation["recoveryKey"], operation["signingKey"]],
        "verificationMethods": {"atproto": operation["signingKey"]},
        "alsoKnownAs": ["at://" + bare.replace("https://", "").replace("http://", "")],
        "services": pds_service(service if is_url else f"https://{service}"),
        "prev": operation["prev"],
        "sig": operation["sig"],
    }
