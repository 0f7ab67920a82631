"""The identity knot: a person's names, and which of them confirms which.

Spec: design page section 4; https://www.w3.org/TR/did-core/#also-known-as
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations


class Kind(StrEnum):
    """The five names that a person has; their order is the order of the matrix."""

    HANDLE = "handle"
    DID = "DID"
    ACCT = "acct"
    ACTOR = "actor"
    WEBID = "WebID"


@dataclass(frozen=True, slots=True)
class Claim:
    """One name says of another that it is the same person."""

    source: Kind
    target: Kind
    value: str
    evidence: str
    authority: str


@dataclass(slots=True)
class Knot:
    """All names that were found from one of them, and all claims between them."""

    names: dict[Kind, str] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)

    def says(self, source: Kind, target: Kind) -> Claim | None:
        """The claim of one name about the value that the knot holds of another."""
        return next(
            (
                claim
                for claim in self.claims
                if claim.source is source
                and claim.target is target
                and same(target, claim.value, self.names.get(target))
            ),
            None,
        )

    def reaches(self, source: Kind, target: Kind) -> bool:
        """Whether a path of claims leads from one name to another."""
        seen, left = {source}, [source]
        while left:
            here = left.pop()
            for kind in self.names:
                if kind not in seen and self.says(here, kind) is not None:
                    seen.add(kind)
                    left.append(kind)
        return target in seen

    def is_proved(self, one: Kind, other: Kind) -> bool:
        """Whether claims lead from each of two names to the other."""
        return self.reaches(one, other) and self.reaches(other, one)

    @property
    def conflicts(self) -> list[Claim]:
        """Claims that name somebody else than the rest of the knot."""
        return [c for c in self.claims if not same(c.target, c.value, self.names.get(c.target))]

    @property
    def unproved(self) -> list[tuple[Kind, Kind]]:
        """Pairs of names that are not confirmed in both directions."""
        return [pair for pair in combinations(self.names, 2) if not self.is_proved(*pair)]

    @property
    def is_whole(self) -> bool:
        """Whether all five names are there, confirm each other and nothing contradicts."""
        return len(self.names) == len(Kind) and not self.unproved and not self.conflicts

    @property
    def weakest(self) -> str:
        """What to mend first, or on what the proof rests where nothing is missing."""
        for claim in self.conflicts:
            return f"{claim.source} names another {claim.target}: {claim.value}"
        for kind in Kind:
            if kind not in self.names:
                return f"no {kind} was found"
        for one, other in self.unproved:
            silent = (one, other) if not self.reaches(one, other) else (other, one)
            return f"{silent[0]} does not lead to {silent[1]}"
        carrier, count = Counter(claim.authority for claim in self.claims).most_common(1)[0]
        return f"{count} of {len(self.claims)} claims rest on {carrier}"


def same(kind: Kind, one: str, other: str | None) -> bool:
    """Whether two spellings are one name; case matters only where the name's syntax says so."""
    if other is not None and kind in (Kind.HANDLE, Kind.ACCT):
        return one.lower() == other.lower()
    return one == other


def report(knot: Knot) -> str:
    """The knot as text: the names, the matrix (row says of column), the evidence, the verdict."""
    width = max(len(kind) for kind in Kind)
    lines = [f"{kind:<{width}}  {value}" for kind, value in knot.names.items()]
    head = "  ".join(f"{kind:<{width}}" for kind in knot.names)
    lines += ["", f"{'':<{width}}  {head}".rstrip()]
    for source in knot.names:
        cells = "  ".join(f"{_cell(knot, source, target):<{width}}" for target in knot.names)
        lines.append(f"{source:<{width}}  {cells}".rstrip())
    lines.append("")
    lines += [
        f"{claim.source} -> {claim.target}: {claim.value} ({claim.authority}: {claim.evidence})"
        for claim in knot.claims
    ]
    verdict = "one person: every name confirms every other" if knot.is_whole else "not proved"
    return "\n".join([*lines, "", f"{verdict}; weakest link: {knot.weakest}", ""])


def _cell(knot: Knot, source: Kind, target: Kind) -> str:
    if source is target:
        return "="
    if knot.says(source, target) is not None:
        return "says"
    return "via" if knot.reaches(source, target) else "-"
