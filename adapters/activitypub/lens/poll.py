"""A poll: no lexicon has one, so it stands beside the post, with its results, as AS2 says it.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#dfn-question
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens.published import View
from pod.errors import Invalid, Unprocessable
from pod.model.ids import parse_datetime

KEYS: Final = frozenset({"oneOf", "anyOf", "endTime", "closed", "votersCount"})
MOST_CHOICES: Final = 20
MOST_CHARACTERS: Final = 200


def is_poll(node: Mapping[str, Any]) -> bool:
    """Whether something is to be voted on."""
    return bool(node.get("oneOf") or node.get("anyOf"))


def choices(node: Mapping[str, Any]) -> list[str]:
    """The names of what can be chosen, in their order."""
    return [name for option in options(node) if (name := read.text(option, "name"))]


def options(node: Mapping[str, Any]) -> list[Node]:
    """What can be chosen, each with its ``replies``."""
    whole = dict(node)
    return list(read.nodes(whole, "oneOf" if node.get("oneOf") else "anyOf"))


def is_open(node: Mapping[str, Any], now: datetime) -> bool:
    """Whether votes still count."""
    if node.get("closed"):
        return False
    end = node.get("endTime")
    try:
        return not isinstance(end, str) or parse_datetime(end) > now
    except Invalid:
        return True


def new(view: Node, now: datetime) -> View:
    """What is kept of a poll that a member starts; raises Unprocessable for one that is none."""
    key = "oneOf" if view.get("oneOf") else "anyOf"
    names = choices(view)
    if not 2 <= len(names) <= MOST_CHOICES or len(set(names)) != len(names):
        raise Unprocessable(f"A poll has 2 to {MOST_CHOICES} different choices.")
    if any(len(name) > MOST_CHARACTERS for name in names):
        raise Unprocessable(f"A choice has at most {MOST_CHARACTERS} characters.")
    kept = results(key, names, {}, 0)
    end = read.text(view, "endTime")
    if end is not None:
        try:
            is_late = parse_datetime(end) <= now
        except Invalid as err:
            raise Unprocessable("The end of a poll is a date and time.") from err
        if is_late:
            raise Unprocessable("The poll ends in the past.")
        kept["endTime"] = end
    return kept


def results(key: str, names: list[str], counted: Mapping[str, int], voters: int) -> View:
    """The choices with the votes for each, and how many people voted."""
    return {
        key: [
            {
                "type": "Note",
                "name": name,
                "replies": {"type": "Collection", "totalItems": counted.get(name, 0)},
            }
            for name in names
        ],
        "votersCount": voters,
    }


def counted(beside: View, votes: Mapping[str, int], voters: int, now: datetime) -> View:
    """What stands beside a post, with these results; ``closed`` once the poll is over."""
    key = "oneOf" if beside.get("oneOf") else "anyOf"
    told = {**beside, **results(key, choices(beside), votes, voters)}
    if not is_open(beside, now) and "closed" not in beside:
        told["closed"] = cast("str", beside["endTime"])
    return told
