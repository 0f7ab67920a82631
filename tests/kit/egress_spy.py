"""Watches every connection that this process makes, at the level of sockets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_watching: list[list[str]] = []


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _watching:
        address = arguments[1]
        if isinstance(address, tuple):
            for seen in _watching:
                seen.append(f"{address[0]}:{address[1]}")


sys.addaudithook(_on_event)


@contextmanager
def connections() -> Iterator[list[str]]:
    """The addresses that are connected to while the block runs."""
    seen: list[str] = []
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.remove(seen)
