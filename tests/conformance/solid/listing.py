"""Which requirements there are, who asks them, and the page that shows how both servers stand."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType

from tests.conformance.solid import cases
from tests.conformance.solid.anchors import ANCHORS, MISSING, SPECIFICATIONS, UNTESTABLE
from tests.conformance.solid.subject import Subject

PAGE = Path(__file__).resolve().parents[3] / "docs" / "solid-conformance.md"
SIDES = ("commonpod", "reference")
Case = Callable[[Subject], None]


@dataclass(frozen=True)
class Listed:
    """One requirement with the case that asks it."""

    specification: str
    anchor: str
    level: str
    case: Case

    @property
    def name(self) -> str:
        """How tests call it."""
        return f"{self.specification}-{self.anchor}"


def requires(specification: str, anchor: str) -> Callable[[Case], Case]:
    """Mark the case that asks a requirement."""

    def mark(case: Case) -> Case:
        vars(case)["asks"] = (specification, anchor)
        return case

    return mark


def all_cases() -> list[Listed]:
    """Every marked function of the modules in `cases`, in the order of the anchors."""
    asked: dict[tuple[str, str], Case] = {}
    for case in _marked():
        key = vars(case)["asks"]
        assert key not in asked, f"{key} is asked twice"
        asked[key] = case
    return [
        Listed(specification, anchor, level, asked[specification, anchor])
        for specification, anchors in ANCHORS.items()
        for anchor, level in anchors.items()
        if (specification, anchor) in asked
    ]


def declared() -> set[tuple[str, str]]:
    """Every requirement that some case says it asks."""
    return {vars(case)["asks"] for case in _marked()}


def _marked() -> Iterator[FunctionType]:
    for module in pkgutil.iter_modules(cases.__path__):
        room = importlib.import_module(f"{cases.__name__}.{module.name}")
        for value in vars(room).values():
            own = isinstance(value, FunctionType) and value.__module__ == room.__name__
            if own and "asks" in vars(value):
                yield value


def page(results: Mapping[tuple[str, str], str | None]) -> str:
    """The page; ``results`` has for (case name, side) None, or how the server failed."""
    listed = {(each.specification, each.anchor): each for each in all_cases()}
    done = {
        side: sum(results[each.name, side] is None for each in listed.values()) for side in SIDES
    }
    total = sum(map(len, ANCHORS.values()))
    lines = [
        "# The Solid specifications, requirement by requirement",
        "",
        "One black-box case for each requirement of the current drafts, asked over HTTP alone of",
        "this pod and of Community Solid Server 7.2.0 (WAC, file backend). Written by",
        "`SOLID_REFERENCE=folder python -m tests.conformance.solid --write`; CI asks this pod all",
        "of it again. The cases are in `tests/conformance/solid/cases`.",
        "",
        "| requirements | asked | Commonpod | Community Solid Server |",
        "|--:|--:|--:|--:|",
        f"| {total} | {len(listed)} | {done['commonpod']} | {done['reference']} |",
    ]
    for specification, anchors in ANCHORS.items():
        title, address = SPECIFICATIONS[specification]
        lines += ["", f"## {title}", ""]
        lines += ["| requirement | level | Commonpod | CSS | difference |", "|---|---|---|---|---|"]
        for anchor, level in anchors.items():
            link = f"[`{anchor}`]({address}#{anchor})"
            each = listed.get((specification, anchor))
            if each is None:
                why = UNTESTABLE[specification, anchor]
                lines.append(f"| {link} | {level} | - | - | not testable black-box: {why} |")
                continue
            told = [results[each.name, side] for side in SIDES]
            marks = ["pass" if text is None else "fail" for text in told]
            why = _cell(next((text for text in told if text is not None), ""))
            if (specification, anchor) in MISSING:
                why = f"{why}; {MISSING[specification, anchor]}"
            lines.append(f"| {link} | {level} | {marks[0]} | {marks[1]} | {why} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:200]
