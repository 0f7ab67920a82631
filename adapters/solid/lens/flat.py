"""Nouns whose fields are plain facts: the lens is a table of which field shows under which names.

An edit of one name of a field is an edit of all of them.

Spec: https://solidproject.org/TR/protocol#writing-resources
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Final, TypeVar

from pyoxigraph import Literal, NamedNode

from adapters.solid.lens.edit import (
    Change,
    Changes,
    Lens,
    Place,
    Value,
    facts,
    iri,
    moment,
    object_link,
    one_text,
    texts_after,
)
from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import AS, RDF, XSD
from pod.errors import Conflict, Unprocessable
from pod.model.ids import AtUri
from pod.model.note import StrongRef
from pod.records.cid import cid_text

N = TypeVar("N")


@dataclass(frozen=True, slots=True)
class Kind:
    """How a field's value shows, and how one that was written is read; None reads nothing.

    ``is_lasting``: once said, it stays.
    """

    show: Callable[[Any, Place], Value | None]
    read: Callable[[str, Change, Place], Any] | None
    is_lasting: bool = False


def _only(name: str, change: Change) -> Value | None:
    """The one value that a field is changed to; Conflict where there are several."""
    values = list(dict.fromkeys(change.added))
    if len(values) > 1:
        raise Conflict(f"The new values of {name} disagree")
    return values[0] if values else None


def read_text(name: str, change: Change, _: Place) -> str | None:
    """A plain text."""
    found = one_text(name, change)
    return found.value if found is not None else None


def _read_moment(name: str, change: Change, _: Place) -> str | None:
    found = one_text(name, change, kinds=[XSD.dateTime])
    return found.value if found is not None else None


def read_link(name: str, change: Change, _: Place) -> str | None:
    """An address, as an IRI or as text."""
    value = _only(name, change)
    if value is None or isinstance(value, NamedNode):
        return value.value if value is not None else None
    if isinstance(value, Literal) and value.datatype == XSD.string and iri(value.value) is None:
        return value.value
    raise Unprocessable(f"{value} cannot be the {name}; write it as an IRI")


def read_picture(name: str, change: Change, place: Place) -> Any:
    """A picture that the member keeps here."""
    value = _only(name, change)
    if value is None:
        return None
    found = place.picture(value.value) if isinstance(value, NamedNode) else None
    if found is None:
        raise Unprocessable(f"{value} is not a picture of this pod; put it into the storage first")
    return found


def _read_person(name: str, change: Change, place: Place) -> str | None:
    value = _only(name, change)
    did = place.speech.did_at(value.value) if isinstance(value, NamedNode) else None
    if did is None or NamedNode(place.speech.profile_url(did)) != value:
        raise Unprocessable(f"{value} is nobody whose DID is known; it cannot be the {name}")
    return did


def _read_thing(name: str, change: Change, place: Place) -> StrongRef:
    value = _only(name, change)
    uri = place.speech.at_uri(value.value) if isinstance(value, NamedNode) else None
    found = place.cite(AtUri(uri)) if uri is not None else None
    if found is None:
        raise Unprocessable(f"{value} is no record of this pod; it cannot be the {name}")
    return found[0]


def show_picture(blob: Any, place: Place) -> NamedNode:
    """Where a picture is served."""
    return NamedNode(place.author.url(f"/blobs/{cid_text(blob.cid)}"))


def choice(words: Mapping[str, NamedNode]) -> Kind:
    """A word of a lexicon that other vocabularies have a name for; others show as they are."""
    back = {term: word for word, term in words.items()}

    def read(name: str, change: Change, _: Place) -> str | None:
        value = _only(name, change)
        if isinstance(value, NamedNode) and value in back:
            return back[value]
        is_other = isinstance(value, Literal) and value.datatype == XSD.string
        if value is not None and not (is_other and value.value not in words):
            raise Unprocessable(f"{value} cannot be the {name}")
        return value.value if value is not None else None

    return Kind(lambda word, _: words.get(word) or Literal(word), read)


TEXT: Final = Kind(lambda value, _: Literal(value), read_text)
MOMENT: Final = Kind(lambda value, _: moment(value), _read_moment)
LINK: Final = Kind(lambda value, _: iri(value) or Literal(value), read_link)
PICTURE: Final = Kind(show_picture, read_picture)
PERSON: Final = Kind(
    lambda did, place: iri(place.speech.profile_url(did)), _read_person, is_lasting=True
)
THING: Final = Kind(lambda ref, place: object_link(ref.uri, place), _read_thing, is_lasting=True)
RECORD: Final = Kind(
    lambda uri, place: object_link(uri, place),
    lambda name, change, place: _read_thing(name, change, place).uri,
    is_lasting=True,
)
TEXTS: Final = Kind(lambda value, _: Literal(value), None)
"""Several texts; read by what came and what went."""


@dataclass(frozen=True)
class Table:
    """A noun as facts: its classes, and kind and names of each field that shows.

    ``by`` are the names under which the author shows, ``more`` what else is said.
    """

    classes: tuple[NamedNode, ...]
    shown: Mapping[str, tuple[Kind, Sequence[NamedNode]]]
    by: tuple[NamedNode, ...] = (AS.attributedTo,)
    more: Callable[[Any, Place], Graph] = lambda _, __: []
    derived: frozenset[NamedNode] = field(default_factory=frozenset)

    def show(self, noun: Any, place: Place) -> Graph:
        """The facts of a noun."""
        webid = NamedNode(place.author.webid)
        pairs: list[tuple[NamedNode, Value | None]] = [(RDF.type, kind) for kind in self.classes]
        pairs += [(name, webid) for name in self.by]
        for attribute, (kind, names) in self.shown.items():
            value = getattr(noun, attribute)
            values = dict.fromkeys(value) if kind is TEXTS else [value]
            pairs += [
                (name, kind.show(each, place))
                for each in values
                if each is not None
                for name in names
            ]
        return [*facts(place.topic, *pairs), *self.more(noun, place)]

    def edit(self, noun: N, changes: Changes, place: Place) -> N:
        """The noun after an edit; see `Lens.edit`."""
        needed = _needed(noun)
        for attribute, change in changes.items():
            kind, names = self.shown[attribute]
            if kind is TEXTS:
                value: Any = texts_after(getattr(noun, attribute), attribute, change)
            else:
                assert kind.read is not None
                if kind.is_lasting and not place.said:
                    raise Conflict(f"The {attribute} stays; delete this and make another")
                value = kind.read(attribute, change, place)
            if value is None and attribute in needed:
                raise Conflict(f"The {attribute} stays, as nothing takes its place")
            if value is None and len(set(change.removed)) and len(change.removed) < len(names):
                raise Unprocessable(f"To remove the {attribute}, remove every name it shows under")
            noun = replace(noun, **{attribute: value})  # type: ignore[type-var]
        return noun

    def lens(self, blank: Callable[[str], Any]) -> Lens[Any]:
        """The lens of the table; ``blank`` makes a noun that as yet says nothing."""
        editable = {
            name: attribute for attribute, (_, names) in self.shown.items() for name in names
        }
        return Lens(
            classes=self.classes,
            editable=editable,
            derived=self.derived | frozenset(self.by),
            show=self.show,
            edit=self.edit,
            blank=blank,
            required=tuple(sorted(_needed(blank("")) & self.shown.keys())),
        )


def _needed(noun: Any) -> set[str]:
    """The fields that every such noun has."""
    return {f.name for f in fields(noun) if f.default is MISSING}
