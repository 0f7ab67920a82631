"""Entity tags and preconditions: ``If-Match`` and its kin become the core's one ``Expect``.

Spec: RFC 9110 sections 8.8 and 13 (https://www.rfc-editor.org/rfc/rfc9110#section-13)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from typing import Final

from pod.errors import Invalid, StaleVersion
from pod.model.resource import ABSENT, Expect, Resource, Version
from pod.records.cid import cid_from_text, cid_text

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_STATE: Final = re.compile(r"(\w{10,100})\.(\d{1,18});[\w.+-]+")


def etag(version: Version, variant: str) -> str:
    """The strong tag of one representation of a resource: its state, and which view it is."""
    return f'"{cid_text(version.cid)}.{version.complement or 0};{variant}"'


def body_etag(body: bytes, variant: str) -> str:
    """The strong tag of a representation that shows more than one resource's state."""
    return f'"{sha256(body).hexdigest()[:32]};{variant}"'


def version_of(tag: str) -> Version | None:
    """The state that a tag of ours names, whatever the view; None for weak and foreign tags."""
    match = _TAG.fullmatch(tag.strip())
    state = match and not match[1] and _STATE.fullmatch(match[2])
    if not state:
        return None
    try:
        return Version(cid_from_text(state[1]), int(state[2]))
    except Invalid:
        return None


def expect_of(headers: Mapping[str, str], current: Resource | None = None) -> Expect:
    """The precondition of a write; ``current`` is what the caller now sees there.

    ``If-Match`` names states, ``*`` whatever is there; ``If-None-Match: *`` expects nothing. A weak
    or foreign tag never matches. Raises StaleVersion when ``current`` fails the precondition
    already; the write itself decides on what the returned state has become by then.
    """
    match = headers.get("If-Match")
    if match is not None:
        return _matching(match, current)
    since = _date(headers.get("If-Unmodified-Since"))
    if since and current and current.updated_at.replace(microsecond=0) > since:
        raise StaleVersion
    none_match = headers.get("If-None-Match")
    if none_match is None:
        return None
    if none_match.strip() == "*":
        if current is not None:
            raise StaleVersion
        return ABSENT
    held = [version_of(tag.removeprefix("W/")) for tag in _tags(none_match)]
    if current and any(version and version.matches(current.version) for version in held):
        raise StaleVersion
    return None


def _matching(header: str, current: Resource | None) -> Version:
    if current is not None:
        named = (version_of(tag) for tag in _tags(header))
        if header.strip() == "*" or any(v and v.matches(current.version) for v in named):
            return current.version
    raise StaleVersion


def _tags(header: str) -> list[str]:
    return [match[0] for match in _TAG.finditer(header)]


def not_modified(headers: Mapping[str, str], tag: str, modified: datetime | None) -> bool:
    """Whether a GET is answered by 304; ``If-None-Match`` (weak comparison) outranks the date."""
    none_match = headers.get("If-None-Match")
    if none_match is not None:
        bare = tag.removeprefix("W/")
        return none_match.strip() == "*" or any(
            held.removeprefix("W/") == bare for held in _tags(none_match)
        )
    since = _date(headers.get("If-Modified-Since"))
    return bool(since and modified and modified.replace(microsecond=0) <= since)


def http_date(at: datetime) -> str:
    """A time as ``Last-Modified`` wants it; ``at`` is aware."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def _date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
