"""How far into its member's pod an app may go: what was agreed to when it was let in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

Level = Literal["r", "w", "c"]
"""To see, also to change, also to decide who else may."""

LEVELS: Final = {
    "r": frozenset({"read"}),
    "w": frozenset({"read", "append", "write"}),
    "c": frozenset({"read", "append", "write", "control"}),
}
"""The access modes of each level, by their names."""

WHOLE: Final = "/"
_PREFIX: Final = "reach"

M = TypeVar("M", bound=str)


@dataclass(frozen=True, slots=True)
class Reach:
    """Containers of a pod (paths that end with ``/``) and single paths, each with a level.

    It narrows what lists allow and never adds to it. As text it stands among a session's scopes:
    ``reach:w:/data/notes/``; apps cannot ask for it, members give it.
    """

    grants: tuple[tuple[str, Level], ...] = ()

    @classmethod
    def of(cls, scopes: Iterable[str]) -> Reach | None:
        """The reach among some scopes; None where it is the whole pod with all rights."""
        found: list[tuple[str, Level]] = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            level, _, path = rest.partition(":")
            if kind == _PREFIX and path.startswith("/") and level in LEVELS:
                found.append((path, level))  # type: ignore[arg-type]  # it is one of LEVELS
        return None if (WHOLE, "c") in found else cls(tuple(found))

    def scopes(self) -> list[str]:
        """The reach as scopes."""
        return [f"{_PREFIX}:{level}:{path}" for path, level in self.grants]

    def narrow(self, modes: frozenset[M], path: str, subject: str) -> frozenset[M]:
        """Those of some modes for a path that are within reach.

        ``subject`` is what a list belongs to; lists are reached with all rights only.
        """
        allowed = {
            mode
            for prefix, level in self.grants
            if subject == prefix or (prefix.endswith("/") and subject.startswith(prefix))
            for mode in LEVELS[level]
        }
        if path != subject and "control" not in allowed:
            return frozenset()
        return frozenset(mode for mode in modes if mode in allowed)


def is_reach(scope: str) -> bool:
    """Whether a scope says how far an app may go."""
    return scope.startswith(f"{_PREFIX}:")


def without_reach(scopes: Sequence[str]) -> list[str]:
    """The scopes that apps know of."""
    return [scope for scope in scopes if not is_reach(scope)]
