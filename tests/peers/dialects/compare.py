"""What the pod shows in a member's app, held to what a recorded document says."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final

from tests.peers.dialects.expected import Node, Person, Post, squeezed, visible

_LONGEST_SHOWN: Final = 60


def post(said: Post, shown: Node) -> list[str]:
    """Where a shown post differs."""
    words = visible(shown["content"])
    found = _differences(
        id=(said.id, shown["uri"]),
        author=(said.author, shown["account"]["uri"]),
        warning=(said.warning, squeezed(shown["spoiler_text"])),
        sensitive=(said.sensitive, shown["sensitive"]),
        visibility=(said.visibility, shown["visibility"]),
        media=(
            Counter(each or "" for each in said.media),
            Counter(each["description"] or "" for each in shown["media_attachments"]
                    if each["type"] != "unknown"),
        ),
        mentions=(said.mentions, {each["url"] for each in shown["mentions"]}),
        hashtags=(said.hashtags, {each["name"] for each in shown["tags"]}),
        emoji=(said.emoji, {each["shortcode"] for each in shown["emojis"]}),
        language=(said.language, shown["language"]),
    )  # fmt: skip
    if words != said.words:
        found.append(f"words: {_cut(said.words)} | {_cut(words)}")
    if said.page.startswith("http") and shown["url"] != said.page:
        found.append(f"page: {said.page} | {shown['url']}")
    if _is_time(said.published) and not _same_time(said.published, shown["created_at"]):
        found.append(f"published: {said.published} | {shown['created_at']}")
    options = (shown["poll"] or {}).get("options", [])
    told = [(each["title"], each["votes_count"]) for each in options]
    if told != said.options:
        found.append(f"poll: {said.options} | {told}")
    return found


def person(said: Person, shown: Node) -> list[str]:
    """Where a shown account differs."""
    rows = [(squeezed(row["name"]), visible(row["value"])) for row in shown["fields"]]
    found = _differences(
        id=(said.id, shown["uri"]),
        username=(said.username, shown["username"]),
        name=(said.name, squeezed(shown["display_name"])),
        about=(said.about, visible(shown["note"])),
        fields=(said.fields, rows),
        locked=(said.is_locked, shown["locked"]),
        group=(said.is_group, shown["group"]),
        picture=(said.has_picture, not shown["avatar"].endswith("icon.svg")),
        banner=(said.has_banner, not shown["header"].endswith("icon.svg")),
    )
    if said.page.startswith("http") and shown["url"] != said.page:
        found.append(f"page: {said.page} | {shown['url']}")
    return found


def _differences(**pairs: tuple[Any, Any]) -> list[str]:
    return [
        f"{name}: {_cut(said)} | {_cut(shown)}"
        for name, (said, shown) in pairs.items()
        if said != shown
    ]


def _cut(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _same_time(one: str, other: str) -> bool:
    first, second = datetime.fromisoformat(one), datetime.fromisoformat(other)
    if first.tzinfo is None:
        first = first.replace(tzinfo=second.tzinfo)
    return abs((first - second).total_seconds()) < 1
