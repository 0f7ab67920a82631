"""Access control lists as the policy understands them; the Solid wing compiles them from RDF."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pod.model.ids import Iri


class Mode(StrEnum):
    """What somebody wants to do. Write includes Append; Control is about the list itself."""

    READ = "read"
    APPEND = "append"
    WRITE = "write"
    CONTROL = "control"


AgentClass = Literal["public", "authenticated"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One authorization of a list.

    ``access_to`` names the resource it is for, ``default`` the container whose contents inherit it.
    ``origins`` (when not empty) limits the rule to apps of these browser origins.
    """

    modes: frozenset[Mode]
    agents: frozenset[Iri] = frozenset()
    classes: frozenset[AgentClass] = frozenset()
    groups: frozenset[Iri] = frozenset()
    origins: frozenset[str] = frozenset()
    access_to: Iri | None = None
    default: Iri | None = None


@dataclass(frozen=True, slots=True)
class Acl:
    """The rules of one access control document."""

    rules: tuple[Rule, ...] = ()
