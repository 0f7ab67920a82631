"""Writes docs/rooms.md from the tables that the server answers by: python -m tests.kit.rooms"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

from quart import Quart

from adapters.activitypub.receive.dispatch import HANDLERS
from adapters.atproto.face import METHODS
from server.deferred import Deferred
from tests.kit.whole import open_whole

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/rooms.md"
_HEAD = """# Where to find what

Made from the tables that the server answers by, with `python -m tests.kit.rooms`; a test holds
this page to them.
"""


async def rooms_page() -> str:
    """The page as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_whole(Path(folder)) as whole:
            pages = cast("Quart", await cast("Deferred", whole.house.rooms.pages).made())
    methods = sorted((f"`{method.nsid}`", method.handler) for method in METHODS)
    activities = [(f"`{kind}`", handler) for kind, handler in HANDLERS.items()]
    parts = [
        _HEAD,
        "## XRPC methods\n",
        *_table(("method", "what for", "file"), map(_row, methods)),
        "\n## Activities that the inbox understands\n",
        *_table(("type", "what it does", "file"), map(_row, activities)),
        "\n## Paths of members and of the server\n",
        *_table(("path", "methods", "file", "specification"), _paths(pages)),
    ]
    return "\n".join(parts) + "\n"


def _row(named: tuple[str, Callable[..., Any]]) -> tuple[str, ...]:
    name, function = named
    caption = (inspect.getdoc(function) or "").split("\n", 1)[0]
    return name, caption, _file(function)


def _paths(pages: Quart) -> Iterator[tuple[str, ...]]:
    """One row for all that one file answers at a path."""
    verbs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for rule in pages.url_map.iter_rules():
        file = _file(pages.view_functions[rule.endpoint])
        verbs[rule.rule, file] |= rule.methods or set()
    for (path, file), methods in sorted(verbs.items()):
        docstring = ast.get_docstring(ast.parse((ROOT / file).read_text())) or ""
        spec = re.search(r"^Spec: (.+?)(?:\n\n|\Z)", docstring, re.MULTILINE | re.DOTALL)
        told = " ".join(spec.group(1).split()) if spec else ""
        yield f"`{path}`", " ".join(sorted(methods)), file, told


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, tuple("---" for _ in head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _file(function: Callable[..., Any]) -> str:
    while isinstance(function, partial):
        function = function.func
    return str(Path(inspect.unwrap(function).__code__.co_filename).relative_to(ROOT))


if __name__ == "__main__":
    PAGE.write_text(asyncio.run(rooms_page()))
