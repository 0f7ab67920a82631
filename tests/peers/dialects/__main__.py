"""Plays recorded documents of many peers to a pod: what it understood, ignored, refused, got wrong.

    python -m tests.peers.dialects PLACE... [--only DIALECT] [--show]

A PLACE is a folder, or REPOSITORY:PATH in a bare git repository. Each document is played to a pod
of its own, whose web is made of all documents; it ends with 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from tests.kit.stage import Template
from tests.peers.dialects import play
from tests.peers.dialects.expected import ACTORS, POSTS
from tests.peers.dialects.play import Player, Verdict
from tests.peers.dialects.recorded import Document, documents, unscrubbed
from tests.peers.dialects.relate import PLAYERS


def player(document: Document) -> Player:
    """By which door a document comes."""
    for kind, played in PLAYERS.items():
        if kind in document.types and "actor" in document.node:
            return played
    if "subject" in document.node and "links" in document.node:
        return play.webfinger
    if "actor" in document.node and "object" in document.node:
        return play.politely
    if document.types & ACTORS:
        return play.actor
    return play.post if document.types & POSTS else play.read_only


async def judge(template: Template, document: Document, world: dict[str, Any]) -> Verdict:
    """Play one document."""
    async with template.stage(world) as stage:
        try:
            return await player(document)(stage, document)
        except (AssertionError, LookupError, KeyError, TypeError, AttributeError) as err:
            return Verdict("wrong", "", [f"{type(err).__name__}: {str(err)[:300]}"])


async def main(arguments: argparse.Namespace) -> int:
    """Play all; the number of documents that went wrong."""
    found = [each for place in arguments.places for each in documents(place)]
    found = [Document(each.dialect, each.source, unscrubbed(each.node)) for each in found]
    world = {each.id: each.node for each in reversed(found) if each.id.startswith("http")}
    chosen = [each for each in found if arguments.only in (None, each.dialect)]
    told: dict[str, list[tuple[Document, Verdict]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        template = await Template.make(Path(folder) / "template")
        for document in chosen:
            verdict = await judge(template, document, world)
            told[document.dialect].append((document, verdict))
            if arguments.show or verdict.outcome == "wrong":
                line = f"{document.dialect} {document.source}: {verdict.outcome} {verdict.reason}"
                print(line, *verdict.faults, sep="\n    ")
    _table(told)
    return sum(v.outcome == "wrong" for rows in told.values() for _, v in rows)


def _table(told: dict[str, list[tuple[Document, Verdict]]]) -> None:
    print("\n| dialect | documents | understood | ignored | refused | wrong |")
    print("| --- | --- | --- | --- | --- | --- |")
    total: Counter[str] = Counter()
    why: Counter[str] = Counter()
    for dialect in sorted(told):
        counted: Counter[str] = Counter(verdict.outcome for _, verdict in told[dialect])
        total += counted
        print(_row(dialect, counted))
        for _, verdict in told[dialect]:
            if verdict.outcome in ("ignored", "refused"):
                why[f"{verdict.outcome}: {verdict.reason}"] += 1
    print(_row("all", total))
    print()
    for reason, number in sorted(why.items()):
        print(f"{number:4} {reason}")


def _row(name: str, counted: Counter[str]) -> str:
    kinds = ("understood", "ignored", "refused", "wrong")
    cells = [str(counted[kind]) for kind in kinds]
    return f"| {name} | {counted.total()} | {' | '.join(cells)} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("places", nargs="+")
    parser.add_argument("--only")
    parser.add_argument("--show", action="store_true")
    sys.exit(min(1, asyncio.run(main(parser.parse_args()))))
