"""What a document may not do: mean one thing to us and another to a JSON-LD processor.

Keywords that restructure the graph, names given twice, and contexts that give another meaning to
the properties on which trust rests are refused. No context is ever fetched: all other terms are
read by their AS2 names.

Spec: https://www.w3.org/TR/json-ld11/#keywords and https://w3id.org/fep/fe34
"""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from adapters.activitypub.jsonld.context import AS2, SECURITY
from pod.errors import Invalid, TooLarge

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 32

_REFUSED: Final = frozenset(
    {"@graph", "@included", "@reverse", "@index", "@nest", "@import", "@propagate"}
)
_PREFIXES: Final = ("as:", f"{AS2}#")
_SECURITY: Final = ("sec:", f"{SECURITY.removesuffix('/v1')}#", "https://w3id.org/security/v1#")
_KEY_TERMS: Final = frozenset(
    {"publicKey", "publicKeyPem", "publicKeyMultibase", "owner", "controller", "assertionMethod"}
)
_TRUSTED: Final = {
    **{name: (f"@{name}",) for name in ("id", "type")},
    **{
        name: tuple(prefix + name for prefix in _PREFIXES)
        for name in (
            "actor", "object", "target", "to", "cc", "bto", "bcc", "audience", "attributedTo",
            "inReplyTo", "inbox", "endpoints", "Public", "content", "alsoKnownAs", "movedTo",
        )
    },
    **{
        name: tuple(prefix + name for prefix in _SECURITY)
        for name in _KEY_TERMS
    },
}  # fmt: skip
"""Names on which trust rests, with all that an inline context may say they mean."""

_TWINS: Final = (("id", "@id"), ("type", "@type"))


def load(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; raises TooLarge (256 KiB) and Invalid.

    Refused are broken UTF-8 and halves of characters, NaN, numbers beyond a double, keys given
    twice, nesting deeper than 32, and what the module's own words name.
    """
    if len(body) > MAX_BYTES:
        raise TooLarge("An activity may take at most 256 KiB.")
    try:
        document = orjson.loads(body)
        json.loads(body.decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as err:
        raise Invalid("The body is not JSON, or has a key twice.") from err
    if not isinstance(document, dict):
        raise Invalid("The body is not a JSON object.")
    _check(document)
    return document


def names(term: str) -> tuple[str, ...]:
    """All names that a property may stand under, the short one first."""
    prefixes = _SECURITY if term in _KEY_TERMS else _PREFIXES
    return (term, *(prefix + term for prefix in prefixes))


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key is given twice")


def _check(document: dict[str, Any]) -> None:
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                _check_names(value)
            inner = value.values() if isinstance(value, dict) else value
            below.extend(each for each in inner if isinstance(each, dict | list))
        if not below:
            return
        level = below
    raise Invalid("The document is nested too deeply.")


def _check_names(node: dict[str, Any]) -> None:
    if not _REFUSED.isdisjoint(node):
        raise Invalid("The document uses JSON-LD keywords that are not supported.")
    if any(one in node and other in node for one, other in _TWINS):
        raise Invalid("The document names a thing in two ways.")
    if any(sum(name in node for name in names(short)) > 1 for short in map(_short, node)):
        raise Invalid("The document gives a property under two names.")
    contexts = node.get("@context")
    for context in contexts if isinstance(contexts, list) else [contexts]:
        if isinstance(context, dict):
            _check_context(context)


def _check_context(context: dict[str, Any]) -> None:
    for name, meaning in context.items():
        if isinstance(meaning, dict) and "@context" in meaning:
            raise Invalid("The document's context has contexts of its own.")
        told = meaning.get("@id", name) if isinstance(meaning, dict) else meaning
        if name in _TRUSTED and told not in (name, *_TRUSTED[name]):
            raise Invalid(f"The document's context gives another meaning to {name}.")
        if name in ("as", "sec", "@vocab", "@base") and not _is_harmless(name, told):
            raise Invalid("The document's context gives another meaning to all names.")


def _is_harmless(name: str, told: object) -> bool:
    if name == "sec":
        return told in _SECURITY
    return told == f"{AS2}#" or (name == "@vocab" and told == "_:")


def _short(name: str) -> str:
    prefixes = (*_PREFIXES, *_SECURITY)
    return next((name.removeprefix(each) for each in prefixes if name.startswith(each)), name)
