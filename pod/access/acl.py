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
About = Literal["client", "issuer"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule asks beyond the agent: that the app, or who vouches for the agent, is listed."""

    about: About
    agents: frozenset[Iri] = frozenset()
    groups: frozenset[Iri] = frozenset()
    anybody: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One authorization of a list.

    ``access_to`` names the resource it is for, ``default`` the container whose contents inherit it.
    ``origins`` (when not empty) limits the rule to apps of these browser origins; all
    ``conditions`` must hold.
    """

    modes: frozenset[Mode]
    agents: frozenset[Iri] = frozenset()
    classes: frozenset[AgentClass] = frozenset()
    groups: frozenset[Iri] = frozenset()
    origins: frozenset[str] = frozenset()
    access_to: Iri | None = None
    default: Iri | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def all_groups(self) -> frozenset[Iri]:
        """Every group that the rule speaks of."""
        return self.groups.union(*(condition.groups for condition in self.conditions))


@dataclass(frozen=True, slots=True)
class Acl:
    """The rules of one access control document."""

    rules: tuple[Rule, ...] = ()
