"""What an app asks for, in words that the person who is asked understands.

Spec: https://atproto.com/specs/permission
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pod.oauth.mastodon import READ, SCOPES, WRITE
from pod.oauth.openid import OFFLINE, OPENID, WEBID
from pod.oauth.permission_set import PermissionSet, PermissionSets
from pod.oauth.scope import (
    CHAT,
    EMAIL,
    GENERIC,
    Account,
    Blob,
    Identity,
    Include,
    Permission,
    Repo,
    Rpc,
    parse_scope,
)

_ACCOUNT = {
    "email": ("See your email address", "Change your email address"),
    "repo": ("See the state of your repository", "Replace everything in your repository"),
    "status": ("See whether your account is active", "Deactivate your account"),
}
_AS_YOU_DO = (
    "Write and delete anything public, upload files, and act elsewhere in your name. "
    "Not read direct messages, nor change your email address, handle or password."
)
_PLAIN = {
    GENERIC: ("Use your account as you do", _AS_YOU_DO),
    EMAIL: ("See your email address", ""),
    CHAT: ("Read and send your direct messages", ""),
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing an app wants to do; ``names`` are the technical names of what it touches."""

    title: str
    detail: str = ""
    names: Sequence[str] = ()
    is_grave: bool = False


async def asks(scopes: Sequence[str], sets: PermissionSets) -> list[Ask]:
    """What the scopes of a request mean; raises Invalid when a permission set is not to be had."""
    if OPENID in scopes or WEBID in scopes:
        told = [Ask("Know who you are", "Your WebID, which is the address of your profile.")]
        if OFFLINE in scopes:
            told.append(Ask("Come back without asking", "Until you end it, or it is not used."))
        return told
    if scopes and set(scopes) <= set(SCOPES):
        return _of_mastodon(scopes)
    told = [Ask("Know who you are", "Your handle and your permanent identifier.")]
    for scope in scopes:
        if scope in _PLAIN:
            title, detail = _PLAIN[scope]
            told.append(Ask(title, detail, is_grave=scope == CHAT))
            continue
        match parse_scope(scope):
            case Include() as include:
                told.append(_of_set(await sets.set_of(include)))
            case None:
                continue
            case permission:
                told.append(_of(permission))
    return told


def _of_mastodon(scopes: Sequence[str]) -> list[Ask]:
    told = [Ask("Know who you are", "Your profile and your settings.")]
    for verb, all_of_it, some in (
        (READ, "See your timeline, notifications, follows, blocks and bookmarks", "See your"),
        (WRITE, "Post, follow, block, and act elsewhere in your name", "Change your"),
    ):
        parts = [scope.partition(":")[2] for scope in scopes if scope.startswith(f"{verb}:")]
        if verb in scopes:
            told.append(Ask(all_of_it, is_grave=verb == WRITE))
        elif parts:
            told.append(Ask(f"{some} {_listed(parts)}"))
    if "follow" in scopes:
        told.append(Ask("See and change whom you follow, block and mute"))
    return told


def _of_set(found: PermissionSet) -> Ask:
    names = sorted({name for each in found.permissions for name in _names(each)})
    detail = found.detail or f"A set of permissions published as {found.nsid}."
    return Ask(found.title, detail, names)


def _of(permission: Permission) -> Ask:
    match permission:
        case Repo():
            verbs = [each for each in ("create", "update", "delete") if each in permission.actions]
            everything = "*" in permission.collections
            what = "all your public records" if everything else "these public records"
            names = () if everything else sorted(permission.collections)
            return Ask(f"{_listed(verbs).capitalize()} {what}", names=names, is_grave=everything)
        case Rpc():
            where = "any service" if permission.aud == "*" else permission.aud
            anything = "*" in permission.lxms
            names = () if anything else sorted(permission.lxms)
            what = "Call everything" if anything else "Call these"
            return Ask(f"{what} at {where} in your name", names=names, is_grave=anything)
        case Blob():
            kinds = ", ".join(sorted(permission.accept)).replace("*/*", "any kind")
            return Ask(f"Upload files ({kinds})")
        case Account():
            manages = "manage" in permission.actions
            return Ask(_ACCOUNT[permission.attr][manages], is_grave=manages)
        case Identity():
            if permission.attr == "*":
                return Ask("Change your handle and your identity's keys", is_grave=True)
            return Ask("Change your handle", is_grave=True)


def _names(permission: Permission) -> frozenset[str]:
    match permission:
        case Repo():
            return permission.collections
        case Rpc():
            return permission.lxms
        case _:
            return frozenset()


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
