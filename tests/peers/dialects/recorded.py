"""Finds the recorded documents in checkouts of other projects, and says whose dialect each is."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Node = dict[str, Any]

DIALECTS: Final = (
    "activitypods", "akkoma", "bookwyrm", "bonfire", "castopod", "discourse", "fedibird", "fedify",
    "friendica", "funkwhale", "gancio", "ghost", "gnusocial", "gotosocial", "guppe", "hubzilla",
    "kroeg", "lemmy", "lotide", "mastodon", "mbin", "misskey", "mitra", "mobilizon", "nodebb",
    "osada", "owncast", "peertube", "pixelfed", "pleroma", "plume", "prismo", "smithereen",
    "takahe", "wordpress",
)  # fmt: skip
_HINTS: Final = (
    ("joinpeertube.org", "peertube"), ("framatube", "peertube"), ("misskey-hub", "misskey"),
    ("join-lemmy.org", "lemmy"), ("smithereen", "smithereen"), ("joinmobilizon", "mobilizon"),
    ("macgirvin", "osada"), ("gerzilla", "hubzilla"), ("baptiste.gelex", "plume"),
    ("funkwhale", "funkwhale"), ("nodebb", "nodebb"), ("_misskey_", "misskey"),
    ("wedistribute", "wordpress"), ("puckipedia", "kroeg"), ("litepub", "pleroma"),
    ("gotosocial.org", "gotosocial"), ("ostatus#atomUri", "mastodon"), ("ostatus:", "mastodon"),
    ("joinmastodon.org/ns", "mastodon"), ("/bookwyrm", "bookwyrm"), ("mastodon", "mastodon"),
)  # fmt: skip
_ENDINGS: Final = (".json", ".jsonld", "_test.go")
_SCRUBBED: Final = "SCRUBBED_"


@dataclass(frozen=True)
class Document:
    """A document as somebody recorded it."""

    dialect: str
    source: str
    node: Node

    @property
    def types(self) -> set[str]:
        told = self.node.get("type", [])
        return set(told) if isinstance(told, list) else {told}

    @property
    def id(self) -> str:
        return str(self.node.get("id", ""))


def documents(place: str) -> Iterator[Document]:
    """All documents of ``FOLDER``, or of ``REPOSITORY:PATH`` in a bare git repository."""
    seen = set()
    for name, text in _files(place):
        for number, node in enumerate(_nodes(name, text)):
            mark = json.dumps(node, sort_keys=True)
            if mark in seen or "` + " in mark or not _is_wire(node):
                continue
            seen.add(mark)
            source = name if number == 0 else f"{name}#{number}"
            yield Document(_dialect(place, name, mark), source, node)


def _files(place: str) -> Iterator[tuple[str, str]]:
    folder, _, below = place.partition(":")
    if (Path(folder) / "HEAD").exists():
        git = ["git", "-C", folder]
        listed = subprocess.run(
            [*git, "ls-tree", "-r", "--name-only", "HEAD", "--", below or "."],
            capture_output=True, check=True, text=True,
        ).stdout.splitlines()  # fmt: skip
        for name in listed:
            if name.endswith(_ENDINGS):
                shown = subprocess.run(
                    [*git, "show", f"HEAD:{name}"], capture_output=True, check=False
                )
                yield name, shown.stdout.decode(errors="replace")
        return
    for path in sorted(Path(folder, below).rglob("*")):
        if path.name.endswith(_ENDINGS) and path.is_file():
            yield str(path), path.read_text(errors="replace")


def _nodes(name: str, text: str) -> Iterator[Node]:
    """The objects of a JSON file (with commas too many, as some snapshots have), or in a source."""
    if not name.endswith(".go"):
        try:
            told = json.loads(re.sub(r",(\s*[}\]])", r"\1", text))
        except ValueError:
            return
        yield from (each for each in (told if isinstance(told, list) else [told]) if _is(each))
        return
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("`{", at)) >= 0:
        try:
            told, at = decoder.raw_decode(text, at + 1)
        except ValueError:
            at += 2
            continue
        if _is(told):
            yield told


def _is(value: object) -> bool:
    return isinstance(value, dict)


def _is_wire(node: Node) -> bool:
    """Whether a document is one that peers give each other."""
    is_jrd = str(node.get("subject")).startswith("acct:") and isinstance(node.get("links"), list)
    is_named = re.match(r"https?://[^\s{}]+$|SCRUBBED_", str(node.get("id"))) is not None
    is_as2 = is_named and isinstance(node.get("type"), str | list)
    return is_jrd or (is_as2 and ("@context" in node or "actor" in node or "to" in node))


def _dialect(place: str, name: str, text: str) -> str:
    for part in reversed(re.split(r"[/]", name.lower())):
        for dialect in DIALECTS:
            if part.startswith(dialect) or f"-{dialect}" in part:
                return dialect
    if "ghost" in place.lower():
        return "ghost"
    told = next((dialect for hint, dialect in _HINTS if hint.lower() in text.lower()), None)
    whole = f"{place}/{name}".lower()
    return told or next((each for each in DIALECTS if each in whole), "others")


def unscrubbed(node: Node) -> Node:
    """A snapshot with ids and dates where its test took them out."""
    counted = iter(range(1, 10_000))

    def put_back(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: put_back(item) for key, item in value.items()}
        if isinstance(value, list):
            return [put_back(item) for item in value]
        if value == f"{_SCRUBBED}ID":
            return f"https://{host}/scrubbed/{next(counted)}"
        return "2025-01-01T10:00:00Z" if value == f"{_SCRUBBED}DATE" else value

    found = re.search(r"https://([^/\"]+)/", str(node.get("actor", "")))
    host = found[1] if found else "kbin.test"
    made: Node = put_back(node)
    return made
