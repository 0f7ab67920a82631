"""Records whose keys are the fields of their noun, one for one: the lens is a table.

Spec: https://atproto.com/specs/lexicon
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final, Generic, TypeVar, cast

from pod.errors import Conflict
from pod.model.blob import BlobRef
from pod.model.note import StrongRef
from pod.records.data import Data
from pod.records.lens.shape import (
    Record,
    blob_at,
    blob_data,
    ref_at,
    ref_data,
    set_or_drop,
    text_at,
    texts_at,
)

N = TypeVar("N")


@dataclass(frozen=True, slots=True)
class Shape:
    """How a value lies under a key. ``write`` is given what lay there before."""

    read: Callable[[Record, str], Any]
    write: Callable[[Any, Data], Data]


def _ref(ref: StrongRef, old: Data) -> Data:
    return cast("Data", ref_data(ref, old if isinstance(old, dict) else None))


def _blob(blob: BlobRef, _: Data) -> Data:
    return cast("Data", blob_data(blob))


TEXT: Final = Shape(text_at, lambda value, _: value)
TEXTS: Final = Shape(texts_at, lambda value, _: list(value))
REF: Final = Shape(ref_at, _ref)
BLOB: Final = Shape(blob_at, _blob)


@dataclass(frozen=True, slots=True)
class Flat(Generic[N]):
    """One collection: ``keys`` gives key and shape of each field of the noun."""

    collection: str
    noun: type[N]
    keys: dict[str, tuple[str, Shape]]

    def get(self, record: Record) -> N | None:
        """The noun that a record means, None where a field that it needs is missing."""
        found = {field: shape.read(record, key) for field, (key, shape) in self.keys.items()}
        needed = (field.name for field in fields(cast("Any", self.noun)) if _is_needed(field))
        if any(found[name] is None for name in needed):
            return None
        return self.noun(**found)

    def put(self, noun: N, source: Record | None = None) -> Record:
        """The record that means a noun; of ``source`` only what differs is written anew.

        Raises Conflict where the lexicon cannot hold the noun.
        """
        record: Record = dict(source) if source is not None else {"$type": self.collection}
        before = self.get(record)
        for field, (key, shape) in self.keys.items():
            value = getattr(noun, field)
            if before is None or value != getattr(before, field):
                is_nothing = value is None or value == ()
                set_or_drop(
                    record, key, None if is_nothing else shape.write(value, record.get(key))
                )
        if self.get(record) != noun:
            raise Conflict(f"A {self.collection} record cannot hold this.")
        return record


def _is_needed(field: Any) -> bool:
    return field.default is MISSING
