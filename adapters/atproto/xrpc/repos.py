"""Whose repository a request means, and whether it may be seen or written.

Spec: https://atproto.com/specs/account
"""

from __future__ import annotations

from typing import Any

from adapters.atproto.xrpc.call import Call
from pod.access.agent import Credential
from pod.errors import Forbidden, NotFound, Unauthenticated
from pod.model.ids import Did, Handle
from pod.model.member import Member, Standing
from pod.ports import Reader


def find_member(store: Reader, identifier: str) -> Member | None:
    """The member that a DID or handle names, whatever their standing."""
    if identifier.startswith("did:"):
        return store.member_by_did(Did(identifier))
    return store.member_by_handle(Handle(identifier.lower()))


def own_repo(call: Call, store: Reader) -> Member:
    """The caller, if the ``repo`` of the input is theirs and may be written."""
    member, repo = call.member, call.body["repo"]
    if repo != member.did and repo.lower() != member.handle:
        if find_member(store, repo) is None:
            raise Forbidden("Account not found", name="AccountNotFound")
        raise Unauthenticated
    if member.standing is Standing.DEACTIVATED:
        raise Unauthenticated("Account is deactivated", name="AccountDeactivated")
    return member


def visible_repo(call: Call, store: Reader, identifier: str) -> Member:
    """The member whose repo is asked for; its owner and the administrator see it in any standing.

    Raises NotFound with the name that the network's services rely on.
    """
    member = existing_repo(store, identifier)
    if call.agent.member == member.id or call.agent.credential is Credential.ADMIN:
        return member
    match member.standing:
        case Standing.TAKENDOWN:
            raise NotFound(f"Repo has been takendown: {identifier}", name="RepoTakendown")
        case Standing.SUSPENDED:
            raise NotFound(f"Repo has been suspended: {identifier}", name="RepoSuspended")
        case Standing.DEACTIVATED:
            raise NotFound(f"Repo has been deactivated: {identifier}", name="RepoDeactivated")
        case _:
            return member


def existing_repo(store: Reader, identifier: str) -> Member:
    """The member whose repo is asked for, in any standing but deleted; NotFound else."""
    member = find_member(store, identifier)
    if member is None or member.standing is Standing.DELETED:
        raise NotFound(f"Could not find repo for DID: {identifier}", name="RepoNotFound")
    return member


def standing_fields(member: Member) -> dict[str, Any]:
    """``active`` and, where it is not, ``status``."""
    if member.is_active:
        return {"active": True}
    return {"active": False, "status": member.standing.value}
