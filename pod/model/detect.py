"""Rich text found in plain text: web addresses, hashtags and mentions, as writers mean them.

A mention is a handle in the text; only who can resolve handles knows whom it names, so finding
handles and marking them are two steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import regex

from pod.errors import Invalid
from pod.model.ids import Did, Handle, parse_handle
from pod.model.richtext import Feature, LinkTo, Mention, Segment, Tag, graphemes

MAX_TAG_GRAPHEMES: Final = 64
_INVISIBLE: Final = r"\s\u00ad\u2060\u200a-\u200d\u20e2"
_MARKED: Final = regex.compile(
    r"(?<![^\s(])(?:"
    r"(?P<link>(?i:https?)://[^\s/?#][^\s]*)"
    r"|@(?P<handle>(?>[a-zA-Z0-9.-]*[a-zA-Z0-9]))(?![\w@])"
    rf"|[#＃](?!\ufe0f)(?P<tag>[^{_INVISIBLE}#＃]+)"
    r")"
)
_TAG_TAIL: Final = regex.compile(r"\p{P}+\Z")
_SAYS_NOTHING: Final = regex.compile(r"[\d\p{P}]*")


def detect(text: str, dids: Mapping[Handle, Did]) -> tuple[Segment, ...]:
    """The text as segments, with links, hashtags, and mentions of those whose DID is given."""
    found: list[Segment] = []
    at = 0
    for start, end, what in _marks(text):
        feature = _feature(what, dids)
        if feature is None:
            continue
        if start > at:
            found.append(Segment(text[at:start]))
        found.append(Segment(text[start:end], (feature,)))
        at = end
    if at < len(text):
        found.append(Segment(text[at:]))
    return tuple(found)


def mentioned_handles(text: str) -> tuple[Handle, ...]:
    """The handles that the text mentions, each once, in lower case; they may not exist."""
    handles = (_handle(what) for _, _, what in _marks(text) if isinstance(what, str))
    return tuple(dict.fromkeys(handle for handle in handles if handle is not None))


def _feature(what: LinkTo | Tag | str, dids: Mapping[Handle, Did]) -> Feature | None:
    if not isinstance(what, str):
        return what
    handle = _handle(what)
    did = dids.get(handle) if handle is not None else None
    return Mention(did) if did is not None else None


def _handle(text: str) -> Handle | None:
    try:
        return parse_handle(text)
    except Invalid:
        return None


def _marks(text: str) -> Iterator[tuple[int, int, LinkTo | Tag | str]]:
    """Ranges of characters with what they mark; a plain string is the name in a mention."""
    for match in _MARKED.finditer(text):
        start, end = match.span()
        if (link := match["link"]) is not None:
            link = _without_tail(link)
            yield start, start + len(link), LinkTo(link)
        elif (tag := match["tag"]) is not None:
            tag = _TAG_TAIL.sub("", tag)
            if not _SAYS_NOTHING.fullmatch(tag) and graphemes(tag) <= MAX_TAG_GRAPHEMES:
                yield start, start + 1 + len(tag), Tag(tag)
        else:
            yield start, end, match["handle"]


def _without_tail(link: str) -> str:
    """A web address without the punctuation of the sentence around it."""
    while link[-1] in ".,;:!?'\"" or (link[-1] == ")" and link.count(")") > link.count("(")):
        link = link[:-1]
    return link
