"""What a member says of themselves beside the profile record, as choices: locked, fields, aliases.

The choices are AS2 properties of the actor, kept as the complement of the profile record.

Spec: https://docs.joinmastodon.org/spec/activitypub/#profile
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from typing import Any, Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import html
from adapters.activitypub.lens.published import View
from pod.errors import Invalid
from pod.model.ids import Iri
from pod.model.presence import Presence

_LINK: Final = re.compile(r'<a href="([^"]*)" rel="me nofollow noopener">[^<]*</a>')

MAX_FIELDS: Final = 16
MAX_NAME: Final = 255
MAX_VALUE: Final = 2_047
MAX_TAGS: Final = 10

DEFAULTS: Final = {"manuallyApprovesFollowers": False, "discoverable": True, "indexable": True}
"""What holds of the choices that are yes or no while a member says nothing."""


def get(annotation: View) -> Presence:
    """The choices in the properties that a member has beside the record."""
    said = {key: annotation.get(key, default) is True for key, default in DEFAULTS.items()}
    return Presence(
        said["manuallyApprovesFollowers"],
        said["discoverable"],
        said["indexable"],
        tuple(
            (part["name"], _words(part["value"]))
            for part in map(field, many(annotation, "attachment"))
            if part
        ),
        tuple(read.iris(annotation, "alsoKnownAs")),
        read.iri(annotation, "movedTo"),
        tuple(
            tag["name"].removeprefix("#")
            for tag in read.nodes(annotation, "tag")
            if isinstance(tag.get("name"), str)
        ),
    )


def put(annotation: View, presence: Presence, tag_url: Callable[[str], str]) -> View:
    """The properties after a choice; what a choice leaves as it was keeps its form.

    Raises Invalid for too many or too long fields and for tags that are none.
    """
    before, after = get(annotation), dict(annotation)
    chosen = (presence.is_locked, presence.is_discoverable, presence.is_indexable)
    for (key, default), value in zip(DEFAULTS.items(), chosen, strict=True):
        _set(after, key, value if value is not default else None)
    if presence.fields != before.fields:
        _set(after, "attachment", [_row(name, words) for name, words in _checked(presence.fields)])
    if presence.aliases != before.aliases:
        _set(after, "alsoKnownAs", list(presence.aliases))
    if presence.moved_to != before.moved_to:
        _set(after, "movedTo", presence.moved_to)
    if presence.featured_tags != before.featured_tags:
        tags = [_tag(tag, tag_url) for tag in presence.featured_tags]
        if len(tags) > MAX_TAGS:
            raise Invalid(f"At most {MAX_TAGS} hashtags can be featured.")
        _set(after, "tag", tags)
    return after


def moved_to(annotation: View) -> Iri | None:
    """Where a member has moved."""
    return read.iri(annotation, "movedTo")


def field(part: object) -> dict[str, str] | None:
    """A field of a profile as it is kept, with the HTML that peers keep; None for what is none."""
    if not isinstance(part, dict) or part.get("type") != "PropertyValue":
        return None
    name, value = part.get("name"), part.get("value")
    if not isinstance(name, str) or not isinstance(value, str):
        return None
    return {"type": "PropertyValue", "name": name[:MAX_NAME], "value": html.clean(value)}


def alias(part: object) -> Iri | None:
    """Another account, named by its id; None for what is no web address."""
    return read.iri({"alias": part}, "alias") if isinstance(part, str) else None


ADDED: Final[Mapping[str, Callable[[object], Any]]] = {"alsoKnownAs": alias, "attachment": field}
"""The lists to which a member may add, and how one entry is kept."""


def many(view: View, key: str) -> list[Any]:
    """The values of a property."""
    value = view.get(key)
    return value if isinstance(value, list) else [] if value is None else [value]


def _set(view: View, key: str, value: Any) -> None:
    if value is None or value == []:
        view.pop(key, None)
    else:
        view[key] = value


def _checked(fields: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    if len(fields) > MAX_FIELDS:
        raise Invalid(f"A profile has at most {MAX_FIELDS} fields.")
    for name, words in fields:
        if not name.strip() or len(name) > MAX_NAME or len(words) > MAX_VALUE:
            raise Invalid("A field needs a name, of at most 255 characters, and at most 2047 more.")
    return fields


def _words(value: str) -> str:
    """What a member wrote in a field; the inverse of what `_row` makes of it."""
    link = _LINK.fullmatch(value)
    return unescape(link[1]) if link else html.plain(value)


def _row(name: str, words: str) -> dict[str, str]:
    """A field: a web address becomes a link that says it is the same person's."""
    shown = escape(words, quote=False)
    if html.is_web(words):
        bare = escape(words.partition("://")[2], quote=False)
        shown = f'<a href="{escape(words)}" rel="me nofollow noopener">{bare}</a>'
    return {"type": "PropertyValue", "name": name.strip(), "value": shown}


def _tag(tag: str, tag_url: Callable[[str], str]) -> dict[str, str]:
    bare = tag.strip().removeprefix("#")
    if not bare or len(bare) > 64 or not all(char.isalnum() or char == "_" for char in bare):
        raise Invalid(f"{tag[:64]} is not a hashtag.")
    return {"type": "Hashtag", "href": tag_url(bare), "name": f"#{bare}"}
