"""An article: a long text with a title."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pod.model.blob import BlobRef


@dataclass(frozen=True, slots=True)
class Article:
    """A long text. ``format`` tells how ``content`` is written; ``content`` may be empty where a
    lexicon keeps it in blocks that only its own app can show, and ``summary`` stands for it then.
    """

    title: str
    content: str
    format: Literal["markdown", "plain"]
    created_at: str | None = None
    summary: str | None = None
    tags: tuple[str, ...] = ()
    cover: BlobRef | None = None
