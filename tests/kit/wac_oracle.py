"""Who may do what in a storage, by the text of the standard alone: no RDF, no code of the pod.

Written from https://solid.github.io/web-access-control-spec/ and the table of methods and modes in
its section 5.3.1; the pod must agree with it on every request of the model test.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ROOT = "/data/"
AUXILIARY = (".acl", ".meta")
DENIED = {401, 403}
MISSING = {404}


@dataclass(frozen=True)
class Who:
    """Somebody who asks: their WebID, and what is known of their app and who vouches for them."""

    name: str | None
    iri: str | None = None
    origin: str | None = None
    client: str | None = None
    issuer: str | None = None
    owner: bool = False


@dataclass(frozen=True)
class Grant:
    """An authorization: ``to`` holds WebIDs, groups, ``public`` and ``authenticated``."""

    modes: frozenset[str]
    to: frozenset[str]
    access_to: bool = True
    default: bool = True
    origin: str | None = None
    conditions: tuple[tuple[str, str], ...] = ()

    def is_sound(self) -> bool:
        """Whether it can grant anything at all."""
        return bool(self.modes and self.to)


@dataclass
class World:
    """A storage: what is in it, its access lists by subject, and who is in which group."""

    groups: dict[str, set[str]]
    things: set[str] = field(default_factory=lambda: {ROOT})
    lists: dict[str, list[Grant]] = field(default_factory=dict)

    def modes(self, who: Who, path: str) -> set[str]:
        """All that somebody may do to a path; for an access list it is all or nothing."""
        subject = path.removesuffix(".meta").removesuffix(".acl")
        at = subject
        while at not in self.lists and at != ROOT:
            at = above(at)
        found = {"read", "append", "write", "control"} if who.owner else set()
        if at in self.lists:
            found = {"control"} if who.owner else set()
            for grant in self.lists[at]:
                applies = grant.access_to if at == subject else grant.default
                if applies and self._is_for(grant, who):
                    found |= grant.modes
        if "write" in found:
            found.add("append")
        if path.removesuffix(".meta").endswith(".acl"):
            return {"read", "append", "write", "control"} if "control" in found else set()
        return found

    def _is_for(self, grant: Grant, who: Who) -> bool:
        if not grant.is_sound() or (grant.origin and who.origin not in (None, grant.origin)):
            return False
        known = {"client": who.client, "issuer": who.issuer}  # other kinds are not signalled
        if any(known.get(kind, value) != value for kind, value in grant.conditions):
            return False
        named = {who.iri, "authenticated"} if who.iri else set()
        named |= {group for group, members in self.groups.items() if who.iri in members}
        return "public" in grant.to or bool(grant.to & named)

    def statuses(self, who: Who, method: str, path: str, kinds: frozenset[str]) -> set[int]:
        """What may be answered; ``kinds`` of a patch are ``insert``, ``delete`` and ``where``."""
        has = self.modes(who, path)
        container = self.modes(who, self.holder(path))
        is_there, is_list = self.is_there(path), path.endswith(AUXILIARY)
        is_new = not is_there and not is_list
        needs: set[str] = {
            "GET": {"read"},
            "HEAD": {"read"},
            "PUT": {"write"},
            "POST": {"append"},
            "DELETE": {"write"},
            "PATCH": {"append"} if kinds == {"insert"} else {"append", "read"},
            "OPTIONS": set(),
        }[method]
        if "delete" in kinds:
            needs = {"read", "write"}
        lasts = path in (ROOT, f"{ROOT}.acl") or path.endswith("/.meta")
        if method == "DELETE" and not lasts and (path.endswith("/") or not is_there):
            needs |= {"read"}
        refused = not needs <= has
        refused |= method in ("PUT", "PATCH") and is_new and "append" not in container
        if method == "DELETE" and not lasts and not is_list:
            refused |= "write" not in self.modes(who, above(path))
        if refused:
            return {401} if who.iri is None else {403}
        if method in ("GET", "HEAD"):
            return {200, 406} if is_there else self._absent(who, path)
        if method == "POST" and "read" not in has and not path.endswith("/"):
            return {405}
        if method == "POST" and not is_there:
            return MISSING
        if path.endswith("/") and method == "POST":
            return {201}
        if method == "DELETE" and lasts:
            return {405}
        if method == "DELETE":
            return {205, 409} if is_there else MISSING
        return {200, 201, 204, 405, 409, 422}

    def _absent(self, who: Who, path: str) -> set[int]:
        """Where a container has the name with a slash, who may read it is sent there."""
        twin = f"{path}/"
        seen = twin in self.things and "read" in self.modes(who, twin)
        return {301} if seen else MISSING

    def is_there(self, path: str) -> bool:
        """Whether there is anything at a path."""
        if path.endswith(".acl"):
            return path.removesuffix(".acl") in self.lists or path == f"{ROOT}.acl"
        return (
            path.removesuffix(".meta") in self.things
            if path.endswith("/.meta")
            else (path in self.things)
        )

    def holder(self, path: str) -> str:
        """The nearest container that is there, in which a new thing would be made."""
        at = above(path)
        while at not in self.things:
            at = above(at)
        return at


def above(path: str) -> str:
    """The container that a path lies in."""
    return path.rstrip("/").rpartition("/")[0] + "/" if path != ROOT else ROOT
