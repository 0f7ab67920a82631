"""Reading peers' AS2: tolerant of every compacted form, bounded, and without JSON-LD's machinery.

Property names are read by their AS2 meaning whatever ``@context`` says; contexts are never fetched
and keywords that would restructure the graph are refused.

Spec: https://www.w3.org/TR/activitystreams-core/ and https://www.w3.org/TR/json-ld11/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast
from urllib.parse import urlsplit

from adapters.activitypub.jsonld import strict
from adapters.activitypub.jsonld.context import AS2
from pod.model.ids import Iri

MAX_ITEMS: Final = 100
"""Tags, attachments or other values that are looked at; the rest is not."""

MAX_RECIPIENTS: Final = 2_000
"""Recipients that are looked at: Plume names all followers, and the public last."""

MAX_IRI: Final = 2048

Node = dict[str, Any]

_TYPES_OF_AS2: Final = ("as:", AS2 + "#")


def parse(body: bytes) -> Node:
    """The document in a body; raises TooLarge (256 KiB) and Invalid (see `strict`)."""
    return strict.load(body)


def iri(node: Node, key: str) -> Iri | None:
    """The one thing that a property points at, by its id; of several the first."""
    return next(iris(node, key), None)


def iris(node: Node, key: str) -> Iterator[Iri]:
    """All that a property points at, by id, at most 100."""
    for value in _values(node, key):
        found = id_of(value) if isinstance(value, dict) else _iri(value)
        if found is not None:
            yield found


def id_of(node: Node) -> Iri | None:
    """The id of a node."""
    return _iri(node.get("id", node.get("@id")))


def author(node: Node) -> Iri | None:
    """Who wrote a post: of several (PeerTube names the channel too) the first person."""
    told = nodes(node, "attributedTo")
    people = (id_of(each) for each in told if "Person" in types(each))
    return next((each for each in people if each is not None), None) or iri(node, "attributedTo")


def types(node: Node) -> frozenset[str]:
    """The AS2 type names of a node, without prefix."""
    found = _many(node.get("type", node.get("@type")))
    return frozenset(_bare(name) for name in found[:MAX_ITEMS] if isinstance(name, str))


def nodes(node: Node, key: str) -> Iterator[Node]:
    """The embedded objects of a property, at most 100."""
    return (value for value in _values(node, key) if isinstance(value, dict))


def node(parent: Node, key: str) -> Node | None:
    """The first embedded object of a property."""
    return next(nodes(parent, key), None)


def text(node: Node, key: str) -> str | None:
    """A property's text: plain, as ``@value``, or of its ``...Map`` the first language."""
    for value in _values(node, key):
        if isinstance(value, dict):
            value = value.get("@value")
        if isinstance(value, str):
            return value
    return next(iter(text_map(node, key).values()), None)


def alt(attachment: Node) -> str | None:
    """What a picture, film or sound shows, in words: ``name``, or GoToSocial's ``summary``."""
    return text(attachment, "name") or text(attachment, "summary")


def text_map(node: Node, key: str) -> dict[str, str]:
    """A property's text by language tag, from ``...Map`` or ``@language``."""
    found = {
        value["@language"]: value["@value"]
        for value in nodes(node, key)
        if isinstance(value.get("@language"), str) and isinstance(value.get("@value"), str)
    }
    mapped = node.get(key + "Map")
    if isinstance(mapped, dict):
        found |= {lang: value for lang, value in mapped.items() if isinstance(value, str)}
    return found


def flag(node: Node, key: str) -> bool | None:
    """A property that is true or false."""
    return next((value for value in _values(node, key) if isinstance(value, bool)), None)


def number(node: Node, key: str) -> int | None:
    """A property's whole number."""
    for value in _values(node, key):
        if isinstance(value, dict):
            value = value.get("@value")
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def recipients(*parts: Node) -> frozenset[Iri]:
    """All whom the parts address, public collection included under its full name."""
    found = {
        Iri(AS2 + "#Public") if name in ("as:Public", "Public") else name
        for part in parts
        for key in ("to", "cc", "audience", "bto", "bcc")
        for name in _names(part, key)
    }
    return frozenset(found)


def origin_of(address: str) -> str:
    """Scheme and authority of an IRI: whose word it is."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def same_origin(one: str, other: str) -> bool:
    """Whether two IRIs are the word of the same server."""
    return origin_of(one) == origin_of(other)


def _names(node: Node, key: str) -> Iterator[Iri]:
    for value in _values(node, key, MAX_RECIPIENTS):
        if isinstance(value, str) and value in ("as:Public", "Public"):
            yield Iri(value)
        else:
            found = id_of(value) if isinstance(value, dict) else _iri(value)
            if found is not None:
                yield found


def _values(node: Node, key: str, most: int = MAX_ITEMS) -> list[Any]:
    for name in strict.names(key):
        if name in node:
            return _many(node[name])[:most]
    return []


def _many(value: Any) -> list[Any]:
    if isinstance(value, dict):
        for keyword in ("@list", "@set"):
            if isinstance(value.get(keyword), list):
                return cast("list[Any]", value[keyword])
    return value if isinstance(value, list) else [] if value is None else [value]


def _iri(value: object) -> Iri | None:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_IRI:
        return None
    if any(char <= " " or char in '<>"{}|\\^`\x7f' for char in value):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        return None
    return Iri(value)


def _bare(name: str) -> str:
    for prefix in _TYPES_OF_AS2:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name
