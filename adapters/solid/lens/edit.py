"""Edits of a semantic view: what was shown, what is wanted, and which field each triple belongs to.

Spec: https://solidproject.org/TR/protocol#reading-writing-resources
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from adapters.solid.lens.generic import type_iri
from adapters.solid.ports import Speech
from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import XSD
from pod.errors import Conflict, Unprocessable
from pod.model.blob import BlobRef
from pod.model.ids import AtUri
from pod.model.member import Member
from pod.model.note import StrongRef
from pod.model.resource import Resource

Value = NamedNode | BlankNode | Literal
N = TypeVar("N")

_POSTS: Final = "app.bsky.feed.post/"
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_DATETIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class Place:
    """What a view is about: the ``topic`` node that carries its facts, and whose it is."""

    topic: NamedNode
    author: Member
    speech: Speech
    cite: Callable[[AtUri], tuple[StrongRef, Resource] | None]
    picture: Callable[[str], BlobRef | None] = lambda _: None
    said: Sequence[Triple] = ()
    """The whole graph from which something new is made."""


@dataclass(slots=True)
class Change:
    """What an edit does to one field: values that went and values that came."""

    removed: list[Value] = field(default_factory=list)
    added: list[Value] = field(default_factory=list)


Changes = Mapping[str, Change]


@dataclass(frozen=True)
class Lens(Generic[N]):
    """One noun as RDF.

    ``classes`` are those that every such thing has. ``editable`` names the field of each predicate
    that a writer may change, ``derived`` are the predicates of the topic that follow from the rest.
    ``blank`` makes an empty noun born at a time, which is whole once its ``required`` fields say
    something.
    """

    editable: Mapping[NamedNode, str]
    derived: frozenset[NamedNode]
    classes: tuple[NamedNode, ...]
    show: Callable[[N, Place], Graph]
    edit: Callable[[N, Changes, Place], N]
    blank: Callable[[str], N] | None = None
    required: tuple[str, ...] = ()


def spoken(text: str, language: str | None) -> Literal:
    """A text with its language, where that is known and well formed."""
    if language is not None and _LANGUAGE.fullmatch(language):
        return Literal(text, language=language.lower())
    return Literal(text)


def moment(text: str) -> Literal:
    """A time as a typed literal where it is one."""
    return Literal(text, datatype=XSD.dateTime) if _DATETIME.fullmatch(text) else Literal(text)


def integer(number: int) -> Literal:
    """A number."""
    return Literal(str(number), datatype=XSD.integer)


def value_of(triple: Triple) -> Value:
    """The object of a triple that is not quoted."""
    assert isinstance(triple.object, NamedNode | BlankNode | Literal)
    return triple.object


def iri(text: str) -> NamedNode | None:
    """A text as an IRI, None where it is not one."""
    try:
        return NamedNode(text)
    except ValueError:
        return None


def facts(topic: NamedNode, *pairs: tuple[NamedNode, Value | None]) -> Graph:
    """The facts about a topic that have a value."""
    return [Triple(topic, predicate, value) for predicate, value in pairs if value is not None]


def object_link(uri: str, place: Place) -> NamedNode | None:
    """Where the thing of an at-uri is shown: here, or for posts elsewhere on a page for people."""
    url: str | None = place.speech.object_url(uri)
    did, _, rest = uri.removeprefix("at://").partition("/")
    person = place.speech.profile_url(did)
    if url is None and rest.startswith(_POSTS) and person.endswith(did):
        url = f"{person}/post/{rest.removeprefix(_POSTS)}"
    return iri(url) if url is not None else None


def record_class(collection: str) -> NamedNode:
    """The class of a record in the default view, the same as in the generic one."""
    return type_iri(collection)


def one_text(
    name: str, change: Change, *, kinds: Sequence[NamedNode] = (XSD.string,)
) -> Literal | None:
    """The literal of one of the ``kinds`` that a field is changed to; None removes it.

    Raises Conflict when the new values disagree, Unprocessable for anything that the field could
    not show again: an IRI, another datatype, a language where the field knows none.
    """
    texts: dict[str, Literal] = {}
    for value in change.added:
        if not isinstance(value, Literal) or value.datatype not in kinds:
            raise Unprocessable(f"{value} cannot be the {name}")
        texts[value.value] = value
    if len(texts) > 1:
        raise Conflict(f"The new values of {name} disagree: {', '.join(sorted(texts))[:200]}")
    return next(iter(texts.values()), None)


def texts_after(before: Sequence[str], name: str, change: Change) -> tuple[str, ...]:
    """The texts of a field with several values after a change, in their order."""
    for value in change.added:
        if not isinstance(value, Literal) or value.datatype != XSD.string:
            raise Unprocessable(f"{value} cannot be the {name}")
    gone = {value.value for value in change.removed if isinstance(value, Literal)}
    came = [value.value for value in change.added if isinstance(value, Literal)]
    kept = [text for text in before if text not in gone]
    return tuple(dict.fromkeys([*kept, *came]))
