"""Permission sets: scopes published as lexicons, opened into the permissions they stand for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pod.errors import Invalid, PodError
from pod.model.ids import Nsid
from pod.oauth.ports import SchemaCache
from pod.oauth.scope import Include, Permission, Repo, Rpc, parse_scope, permission_of
from pod.ports import Clock

FRESH: Final = timedelta(hours=24)
KEPT: Final = timedelta(days=90)

ResolveSchema = Callable[[Nsid], Awaitable[dict[str, Any]]]
"""The lexicon schema of an NSID, from the repository of its authority; raises PodErrors."""


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """A set as its authors present it, with the permissions that count."""

    nsid: str
    title: str
    detail: str
    permissions: tuple[Permission, ...]


class PermissionSets:
    """Opens ``include:`` scopes. A schema is fresh for a day and serves 90 days in need."""

    def __init__(self, resolve: ResolveSchema, cache: SchemaCache, clock: Clock) -> None:
        self._resolve = resolve
        self._cache = cache
        self._clock = clock

    async def open(self, scopes: Sequence[str]) -> list[str]:
        """The scopes with every ``include:`` replaced by its permissions; Invalid if one is not to
        be found (``invalid_scope``).
        """
        opened: list[str] = []
        for scope in scopes:
            include = parse_scope(scope)
            if isinstance(include, Include):
                opened += (str(each) for each in (await self.set_of(include)).permissions)
            else:
                opened.append(scope)
        return list(dict.fromkeys(opened))

    async def set_of(self, include: Include) -> PermissionSet:
        """The set that a scope includes; Invalid named ``invalid_scope``."""
        main = (await self._schema(Nsid(include.nsid))).get("defs", {}).get("main", {})
        listed = main.get("permissions")
        if main.get("type") != "permission-set" or not isinstance(listed, list):
            raise Invalid(f"{include.nsid} is not a permission set", name="invalid_scope")
        return PermissionSet(
            include.nsid,
            _text(main.get("title")) or include.nsid,
            _text(main.get("detail")),
            tuple(_permissions(include, listed)),
        )

    async def _schema(self, nsid: Nsid) -> dict[str, Any]:
        now = self._clock.now()
        cached = self._cache.schema(nsid)
        if cached is not None and cached[1] > now - FRESH:
            return cached[0]
        try:
            schema = await self._resolve(nsid)
        except PodError as err:
            if cached is not None and cached[1] > now - KEPT:
                return cached[0]
            text = f"Could not resolve the permission set {nsid}"
            raise Invalid(text, name="invalid_scope") from err
        await self._cache.put_schema(nsid, schema, now)
        return schema


def _permissions(include: Include, listed: Sequence[Any]) -> Iterator[Permission]:
    """Those of a set that are valid, of repo and rpc, and about the set's own namespace."""
    for entry in listed:
        if not isinstance(entry, dict) or entry.get("resource") not in ("repo", "rpc"):
            continue
        fields = {name: entry[name] for name in entry.keys() - {"type", "resource", "inheritAud"}}
        if entry["resource"] == "rpc":
            if fields.get("aud", "*") != "*":
                continue
            if entry.get("inheritAud") is True and "aud" not in fields and include.aud is not None:
                fields["aud"] = include.aud
        if not _well_formed(fields):
            continue
        found = permission_of(
            entry["resource"], {k: [v] if isinstance(v, str) else v for k, v in fields.items()}
        )
        if isinstance(found, Repo | Rpc) and _is_own(include.nsid, found):
            yield found


def _well_formed(fields: dict[str, Any]) -> bool:
    """Whether ``aud`` is one text and everything else a list of them."""
    return all(
        isinstance(value, str)
        if name == "aud"
        else isinstance(value, list) and all(isinstance(each, str) for each in value)
        for name, value in fields.items()
    )


def _is_own(nsid: str, found: Repo | Rpc) -> bool:
    """Whether all that a permission names lies in the group of the set."""
    group = nsid.rpartition(".")[0] + "."
    names = found.collections if isinstance(found, Repo) else found.lxms
    return all(name.startswith(group) and len(name) > len(group) for name in names)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
