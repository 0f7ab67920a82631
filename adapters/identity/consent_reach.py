"""How far into a pod an app may go: what the member is offered, and what they chose.

Spec: https://solidproject.org/TR/protocol#storage, https://www.w3.org/TR/WCAG22/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from pod.model.member import Member
from pod.oauth.reach import WHOLE, Level, Reach, is_reach
from pod.ports import Reader

_DATA: Final = "/data/"
_FIELD: Final = "reach "
_MOST: Final = 100
"""How many containers are offered one by one."""

_PLACES: Final = {
    WHOLE: ("Your whole pod", ""),
    "/repo/": ("What you publish", "posts, likes, follows"),
    "/inbox/": ("Your inbox", "what others sent you"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the pod as the page offers it; ``level`` is chosen already."""

    path: str
    title: str
    hint: str
    level: str


def offered(reader: Reader, member: Member) -> Sequence[str]:
    """The parts that an app may be given: all, what is public, the inbox, and each container."""
    containers = [_DATA + name for name in reader.containers(member.id, _DATA)]
    return [WHOLE, *sorted(containers)[:_MOST], "/repo/", "/inbox/"]


def places(reader: Reader, member: Member, given: Sequence[str]) -> Sequence[Place]:
    """The parts as they are shown; ``given`` are the scopes of the last time."""
    reach = Reach.of(given)
    if not given:
        chosen: dict[str, str] = {WHOLE: "w"}
    elif reach is None:
        chosen = {WHOLE: "w"}
    else:
        chosen = {path: "w" if level == "c" else level for path, level in reach.grants}
    return [
        Place(path, *_words(path), chosen.get(path, "none")) for path in offered(reader, member)
    ]


def reach_in(form: Mapping[str, str], paths: Sequence[str]) -> Reach:
    """What a form chose of the parts that were offered."""
    shares = form.get("share") == "yes"
    grants: list[tuple[str, Level]] = []
    for path in paths:
        match form.get(_FIELD + path):
            case "w":
                grants.append((path, "c" if shares else "w"))
            case "r":
                grants.append((path, "r"))
    return Reach(tuple(grants))


def _words(path: str) -> tuple[str, str]:
    return _PLACES.get(path) or (unquote(path.removeprefix(_DATA).rstrip("/")), path)


def reach_in_words(scopes: Sequence[str]) -> str:
    """The reach of a session in a line; empty for sessions that have none."""
    if not any(is_reach(scope) for scope in scopes):
        return ""
    reach = Reach.of(scopes)
    if reach is None:
        return "everything in your pod, and who may see it"
    verbs = {"r": "sees", "w": "changes", "c": "changes and shares"}
    return "; ".join(f"{verbs[level]} {_words(path)[0]}" for path, level in reach.grants)
