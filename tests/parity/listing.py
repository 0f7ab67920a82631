"""Which cases there are, what they say, and the page that shows how both servers stand."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType

from tests.parity import cases
from tests.parity.subject import Subject

PAGE = Path(__file__).resolve().parents[2] / "docs" / "parity.md"
SIDES = ("reference", "commonpod")
_SHORT = {word: word.upper() for word in ("api", "cid", "did", "http", "json", "nsid", "tid")}
_SHORT |= {"cids": "CIDs", "car": "CAR"}
Case = Callable[[Subject], None]


def differs(why: str) -> Callable[[Case], Case]:
    """Mark a case that says what this pod does and the reference does not, with the reason."""

    def mark(case: Case) -> Case:
        vars(case)["why"] = why
        return case

    return mark


@dataclass(frozen=True)
class Listed:
    """One case. ``why`` is set where the servers differ on purpose."""

    corner: str
    case: Case
    sentence: str
    why: str | None

    @property
    def name(self) -> str:
        """How tests call it."""
        return f"{self.corner}-{self.case.__name__}"


def all_cases() -> list[Listed]:
    """Every public function of the modules in `cases`, in the order they are written."""
    return list(_cases())


def _cases() -> Iterator[Listed]:
    for module in pkgutil.iter_modules(cases.__path__):
        room = importlib.import_module(f"{cases.__name__}.{module.name}")
        for name, value in vars(room).items():
            own = isinstance(value, FunctionType) and value.__module__ == room.__name__
            if own and not name.startswith("_"):
                sentence = " ".join(_SHORT.get(word, word) for word in name.split("_"))
                sentence = sentence[0].upper() + sentence[1:]
                yield Listed(module.name, value, sentence, vars(value).get("why"))


def page(results: Mapping[tuple[str, str], bool]) -> str:
    """The page; ``results`` says for (case name, side) whether the server does as the case says."""
    listed = all_cases()
    total = len(listed)
    done = {side: sum(results[each.name, side] for each in listed) for side in SIDES}
    both = sum(all(results[each.name, side] for side in SIDES) for each in listed)
    different = sum(each.why is not None for each in listed)
    lines = [
        "# Parity with the reference PDS",
        "",
        "What the reference's own tests show of its behaviour, said again as black-box cases in",
        "`tests/parity/cases` and asked of both servers over HTTP and WebSocket alone.",
        "Written by `PARITY_REFERENCE=folder python -m tests.parity --write`; the tests ask",
        "this pod every case again, and the reference wherever it is installed.",
        "",
        "| cases | on both | reference | Commonpod | different on purpose |",
        "|--:|--:|--:|--:|--:|",
        f"| {total} | {both} | {done['reference']} | {done['commonpod']} | {different} |",
        "",
    ]
    corner = ""
    for each in listed:
        if each.corner != corner:
            corner = each.corner
            title = corner.replace("_", " ").capitalize()
            lines += ["", f"## {title}", ""]
            lines += ["| behaviour | reference | Commonpod | why different |", "|---|---|---|---|"]
        marks = ["yes" if results[each.name, side] else "no" for side in SIDES]
        lines.append(f"| {each.sentence} | {marks[0]} | {marks[1]} | {each.why or ''} |")
    return "\n".join(lines) + "\n"
