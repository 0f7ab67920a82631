"""What an access token permits: the scopes of the AT Protocol, granular and transitional."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, unquote

from pod.errors import Forbidden, Invalid
from pod.model.ids import parse_did, parse_nsid

ANY: Final = "*"
REPO_ACTIONS: Final = ("create", "update", "delete")
ACCOUNT_ATTRIBUTES: Final = ("email", "repo", "status")
ACCOUNT_ACTIONS: Final = ("read", "manage")
IDENTITY_ATTRIBUTES: Final = ("handle", ANY)
GENERIC: Final = "transition:generic"
EMAIL: Final = "transition:email"
CHAT: Final = "transition:chat.bsky"
PLAIN: Final = frozenset({"atproto", GENERIC, EMAIL, CHAT})
"""Scopes that are one word without a structure."""

Fields = Mapping[str, Sequence[str]]

_CHAT: Final = "chat.bsky."
_MIME: Final = re.compile(r"[^/\s*]+/[^/\s*]+")
_ACCEPT: Final = re.compile(r"\*/\*|[^/\s*]+/(?:\*|[^/\s*]+)")
_FRAGMENT: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/?%-]+")


@dataclass(frozen=True, slots=True)
class Repo:
    """Writes to records: ``collections`` (or ``*``), and what may be done there."""

    collections: frozenset[str]
    actions: frozenset[str] = frozenset(REPO_ACTIONS)

    def covers(self, needed: Permission) -> bool:
        """Whether this permission includes another."""
        if not isinstance(needed, Repo):
            return False
        named = ANY in self.collections or needed.collections <= self.collections
        return named and needed.actions <= self.actions

    def __str__(self) -> str:
        actions = [] if len(self.actions) == 3 else [a for a in REPO_ACTIONS if a in self.actions]
        collections = {ANY} if ANY in self.collections else self.collections
        return _text("repo", "collection", sorted(collections), [("action", a) for a in actions])


@dataclass(frozen=True, slots=True)
class Rpc:
    """Calls of other services for the member: methods ``lxms`` at ``aud`` (``did#service``)."""

    lxms: frozenset[str]
    aud: str

    def covers(self, needed: Permission) -> bool:
        """Whether this permission includes another."""
        if not isinstance(needed, Rpc):
            return False
        return self.aud in (ANY, needed.aud) and (ANY in self.lxms or needed.lxms <= self.lxms)

    def __str__(self) -> str:
        return _text("rpc", "lxm", sorted(self.lxms), [("aud", self.aud)])


@dataclass(frozen=True, slots=True)
class Blob:
    """Uploads of media types (``image/png``, ``image/*``, ``*/*``)."""

    accept: frozenset[str]

    def covers(self, needed: Permission) -> bool:
        """Whether every media type needed is acceptable; ranges are never needed."""
        return isinstance(needed, Blob) and all(
            _MIME.fullmatch(mime) and self._takes(mime) for mime in needed.accept
        )

    def _takes(self, mime: str) -> bool:
        return bool(self.accept & {"*/*", mime, mime.split("/")[0] + "/*"})

    def __str__(self) -> str:
        return _text("blob", "accept", sorted(self.accept), [])


@dataclass(frozen=True, slots=True)
class Account:
    """The account itself: ``email``, the whole ``repo``, or its ``status``."""

    attr: str
    actions: frozenset[str] = frozenset({"read"})

    def covers(self, needed: Permission) -> bool:
        """Whether this permission includes another; to manage is also to read."""
        if not isinstance(needed, Account):
            return False
        may = "manage" in self.actions or needed.actions <= self.actions
        return self.attr == needed.attr and may

    def __str__(self) -> str:
        more = [("action", a) for a in ACCOUNT_ACTIONS if a in self.actions]
        return _text("account", "attr", [self.attr], [] if self.actions == {"read"} else more)


@dataclass(frozen=True, slots=True)
class Identity:
    """The handle, or (``*``) the whole DID document."""

    attr: str

    def covers(self, needed: Permission) -> bool:
        """Whether this permission includes another."""
        return isinstance(needed, Identity) and self.attr in (ANY, needed.attr)

    def __str__(self) -> str:
        return _text("identity", "attr", [self.attr], [])


@dataclass(frozen=True, slots=True)
class Include:
    """A permission set that is published as a lexicon; ``aud`` is handed to its rpc permissions."""

    nsid: str
    aud: str | None = None

    def __str__(self) -> str:
        more = [] if self.aud is None else [("aud", self.aud)]
        return _text("include", "nsid", [self.nsid], more)


Permission = Repo | Rpc | Blob | Account | Identity


class Scopes:
    """The scope values of a token, ready to be asked."""

    def __init__(self, text: str) -> None:
        self.values = tuple(dict.fromkeys(text.split()))
        found = (parse_scope(value) for value in self.values)
        self._granted = [
            each for each in found if each is not None and not isinstance(each, Include)
        ]

    def __str__(self) -> str:
        return " ".join(self.values)

    def permits(self, needed: Permission) -> bool:
        """Whether these scopes allow what is needed (a permission for one single thing)."""
        return self._permits_in_transition(needed) or any(
            granted.covers(needed) for granted in self._granted
        )

    def require(self, needed: Permission) -> None:
        """Pass, or raise Forbidden (``ScopeMissingError``) that names the scope that is missing."""
        if not self.permits(needed):
            raise Forbidden(f'Missing required scope "{needed}"', name="ScopeMissingError")

    def _permits_in_transition(self, needed: Permission) -> bool:
        match needed:
            case Repo() | Blob():
                return GENERIC in self.values
            case Account(attr="email"):
                return EMAIL in self.values and needed.actions == {"read"}
            case Rpc():
                return all(
                    (CHAT if lxm.startswith(_CHAT) else GENERIC) in self.values
                    for lxm in needed.lxms
                )
            case _:
                return False


def parse_scope(text: str) -> Permission | Include | None:
    """The permission that a scope value means; None for plain and for unknown ones."""
    end = next((at for at, char in enumerate(text) if char in ":?"), len(text))
    resource, rest = text[:end], text[end:]
    first, _, query = rest.partition("?")
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        fields.setdefault(name, []).append(value)
    return permission_of(resource, fields, unquote(first[1:]) if first.startswith(":") else None)


def permission_of(
    resource: str, fields: Fields, first: str | None = None
) -> Permission | Include | None:
    """A permission of its parts, None unless all of them are valid.

    ``first`` is the value that may stand after the colon instead of in the resource's main field.
    """
    match resource:
        case "repo":
            found = _read(fields, "collection", first, several={"action"})
            return _repo(found) if found else None
        case "rpc":
            found = _read(fields, "lxm", first, single={"aud"})
            return _rpc(found) if found else None
        case "blob":
            found = _read(fields, "accept", first)
            return _blob(found) if found else None
        case "account":
            found = _read(fields, "attr", first, several={"action"})
            return _account(found) if found else None
        case "identity":
            found = _read(fields, "attr", first)
            is_known = found and len(found["attr"]) == 1 and found["attr"][0] in IDENTITY_ATTRIBUTES
            return Identity(found["attr"][0]) if found and is_known else None
        case "include":
            found = _read(fields, "nsid", first, single={"aud"})
            return _include(found) if found else None
        case _:
            return None


def is_known(value: str) -> bool:
    """Whether a scope value means something here."""
    return value in PLAIN or parse_scope(value) is not None


def _repo(found: Fields) -> Repo | None:
    actions = found.get("action", REPO_ACTIONS)
    if not all(each == ANY or _is_nsid(each) for each in found["collection"]):
        return None
    if not set(actions) <= set(REPO_ACTIONS):
        return None
    return Repo(frozenset(found["collection"]), frozenset(actions))


def _rpc(found: Fields) -> Rpc | None:
    lxms, aud = found["lxm"], found.get("aud", ("",))[0]
    if not all(each == ANY or _is_nsid(each) for each in lxms):
        return None
    if aud != ANY and not is_service(aud):
        return None
    if ANY in lxms:
        # Everything everywhere would make the token as good as the account.
        return None if aud == ANY else Rpc(frozenset({ANY}), aud)
    return Rpc(frozenset(lxms), aud)


def _blob(found: Fields) -> Blob | None:
    accept = [each.lower() for each in found["accept"]]
    if not all(_ACCEPT.fullmatch(each) for each in accept):
        return None
    if "*/*" in accept:
        return Blob(frozenset({"*/*"}))
    ranges = {each for each in accept if each.endswith("/*")}
    return Blob(frozenset(e for e in accept if e in ranges or e.split("/")[0] + "/*" not in ranges))


def _account(found: Fields) -> Account | None:
    actions = found.get("action", ("read",))
    if len(found["attr"]) != 1 or found["attr"][0] not in ACCOUNT_ATTRIBUTES:
        return None
    return (
        Account(found["attr"][0], frozenset(actions))
        if set(actions) <= set(ACCOUNT_ACTIONS)
        else None
    )


def _include(found: Fields) -> Include | None:
    aud = found["aud"][0] if "aud" in found else None
    if len(found["nsid"]) != 1 or not _is_nsid(found["nsid"][0]):
        return None
    return Include(found["nsid"][0], aud) if aud is None or is_service(aud) else None


def _read(
    fields: Fields,
    main: str,
    first: str | None,
    *,
    several: frozenset[str] | set[str] = frozenset(),
    single: frozenset[str] | set[str] = frozenset(),
) -> dict[str, Sequence[str]] | None:
    """The fields with the main one filled in; None if one is unknown, missing, empty or double."""
    if not fields.keys() <= {main} | several | single:
        return None
    if (first is None) is (main not in fields):
        return None
    if any(not values or (name in single and len(values) > 1) for name, values in fields.items()):
        return None
    return {**fields, main: fields[main] if first is None else [first]}


def is_service(text: str) -> bool:
    """Whether a text names a service of a DID: ``did:web:example.com#service``."""
    did, _, fragment = text.partition("#")
    try:
        parse_did(did)
    except Invalid:
        return False
    return did.startswith(("did:plc:", "did:web:")) and bool(_FRAGMENT.fullmatch(fragment))


def _is_nsid(text: str) -> bool:
    try:
        return bool(parse_nsid(text))
    except Invalid:
        return False


def _text(resource: str, main: str, values: Sequence[str], more: Sequence[tuple[str, str]]) -> str:
    """The one spelling of a permission."""
    if len(values) == 1:
        head, pairs = f"{resource}:{quote(values[0], safe=':/+,@*')}", list(more)
    else:
        head, pairs = resource, [(main, value) for value in values] + list(more)
    query = "&".join(f"{name}={quote(value, safe=':/,@*')}" for name, value in pairs)
    return f"{head}?{query}" if query else head
