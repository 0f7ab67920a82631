"""com.atproto.admin: updateSubjectStatus, getSubjectStatus: what is taken down, and what rests.

Spec: lexicons com.atproto.admin.updateSubjectStatus, com.atproto.admin.getSubjectStatus
"""

from __future__ import annotations

from typing import Any, Final

from adapters.atproto.xrpc.call import Auth, Call, procedure, query
from adapters.atproto.xrpc.repos import find_member
from adapters.atproto.xrpc.server_session import end_sessions
from adapters.atproto.xrpc.services import Services
from pod.account import IMPOSED
from pod.errors import Invalid, NotFound
from pod.model.ids import Cid, at_uri_parts, parse_at_uri
from pod.model.member import Member, Standing
from pod.model.resource import Resource, ResourcePath, record_path
from pod.ports import BlobRow
from pod.records.cid import cid_from_text, cid_text

ACCOUNT: Final = "com.atproto.admin.defs#repoRef"
RECORD: Final = "com.atproto.repo.strongRef"
BLOB: Final = "com.atproto.admin.defs#repoBlobRef"
UNNAMED: Final = "unnamed"
"""The reference of a takedown that came without one."""


@procedure("com.atproto.admin.updateSubjectStatus", Auth.MODERATOR)
async def update_subject_status(call: Call, services: Services) -> dict[str, Any]:
    """Take an account, a record or a blob down, or let an account rest; or undo that."""
    subject, takedown = call.body["subject"], call.body.get("takedown")
    deactivated = call.body.get("deactivated")
    if takedown and takedown["applied"] and deactivated and not deactivated["applied"]:
        raise Invalid("Cannot activate and takedown an account at the same time")
    member, thing = _subject(services, subject)
    if takedown is not None:
        ref = takedown.get("ref", UNNAMED) if takedown["applied"] else None
        await services.moderation.set(member.id, thing, ref)
        if thing is None:
            await _take_down(call, services, member, applied=takedown["applied"])
    if deactivated is not None and thing is None:
        standing = Standing.DEACTIVATED if deactivated["applied"] else Standing.ACTIVE
        if services.moderation.ref(member.id, None) is None:
            await services.accounts.set_standing(call.agent, member.id, standing)
    return {"subject": subject} | ({"takedown": takedown} if takedown is not None else {})


@query("com.atproto.admin.getSubjectStatus", Auth.MODERATOR)
async def get_subject_status(call: Call, services: Services) -> dict[str, Any]:
    """Whether an account, a record or a blob is taken down, and whether an account rests."""
    did, uri, blob = (call.params.get(name) for name in ("did", "uri", "blob"))
    if blob is not None:
        if did is None:
            raise Invalid("Must provide a did to request blob state")
        subject = {"$type": BLOB, "did": did, "cid": blob}
    elif uri is not None:
        subject = {"$type": RECORD, "uri": uri}
    elif did is not None:
        subject = {"$type": ACCOUNT, "did": did}
    else:
        raise Invalid("No provided subject")
    member, thing = _subject(services, subject)
    status = {"subject": subject, "takedown": _status(services.moderation.ref(member.id, thing))}
    if thing is None:
        rests = services.book.facts(member.id).deactivated_at is not None
        return status | {"deactivated": {"applied": rests}}
    held: BlobRow | Resource | None
    if isinstance(thing, bytes):
        held = services.store.blob(member.id, thing)
    else:
        held = services.store.resource(member.id, thing)
    if held is None:
        raise NotFound("Subject not found", name="NotFound")
    subject["cid"] = cid_text(held.cid)
    return status


async def _take_down(call: Call, services: Services, member: Member, *, applied: bool) -> None:
    if applied:
        standing = Standing.TAKENDOWN
        await end_sessions(services, member.id)
    elif member.standing in IMPOSED:
        rests = services.book.facts(member.id).deactivated_at is not None
        standing = Standing.DEACTIVATED if rests else Standing.ACTIVE
    else:
        return
    await services.accounts.set_standing(call.agent, member.id, standing)


def _subject(
    services: Services, subject: dict[str, Any]
) -> tuple[Member, ResourcePath | Cid | None]:
    """Whose a subject is, and which record or blob of theirs (None: the account itself)."""
    match subject.get("$type"):
        case str(kind) if kind == ACCOUNT:
            return _owner(services, subject["did"]), None
        case str(kind) if kind == BLOB:
            return _owner(services, subject["did"]), cid_from_text(str(subject["cid"]))
        case str(kind) if kind == RECORD:
            parts = at_uri_parts(parse_at_uri(subject["uri"]))
            if parts.collection is None or parts.rkey is None:
                raise Invalid("Invalid subject (no record)")
            return _owner(services, parts.authority), record_path(parts.collection, parts.rkey)
        case kind:
            raise Invalid(f"Invalid subject ({kind})")


def _owner(services: Services, identifier: str) -> Member:
    member = find_member(services.store, identifier)
    if member is None or member.standing is Standing.DELETED:
        raise NotFound("Subject not found", name="NotFound")
    return member


def _status(ref: str | None) -> dict[str, Any]:
    if ref is None:
        return {"applied": False}
    return {"applied": True} | ({} if ref == UNNAMED else {"ref": ref})
