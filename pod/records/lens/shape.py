"""Reading record data without trusting it: the shapes that several lexicons share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pod.model.blob import BlobRef
from pod.model.ids import AtUri
from pod.model.note import StrongRef
from pod.records.data import LEGACY_SIZE, Data, Link, blob_ref

Record = dict[str, Data]

SELF_LABELS: Final = "com.atproto.label.defs#selfLabels"


def text_at(record: Record, key: str) -> str | None:
    """A string property, or None for anything else."""
    value = record.get(key)
    return value if isinstance(value, str) else None


def texts_at(record: Record, key: str) -> tuple[str, ...]:
    """The strings of a list property."""
    value = record.get(key)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def object_at(record: Record, key: str) -> Record | None:
    """An object property, or None for anything else."""
    value = record.get(key)
    return value if isinstance(value, dict) else None


def objects_at(record: Record, key: str) -> tuple[Record, ...]:
    """The objects of a list property."""
    value = record.get(key)
    return tuple(v for v in value if isinstance(v, dict)) if isinstance(value, list) else ()


def blob_at(record: Record, key: str) -> BlobRef | None:
    """A blob property; legacy blobs (``cid`` and ``mimeType`` only) count as none."""
    found = blob_ref(record.get(key))
    return found if found is not None and found.size != LEGACY_SIZE else None


def blob_data(blob: BlobRef) -> Record:
    """The data of a blob reference; the inverse of `blob_at`."""
    return {"$type": "blob", "ref": Link(blob.cid), "mimeType": blob.media_type, "size": blob.size}


def ref_at(record: Record, key: str) -> StrongRef | None:
    """A strong reference property (``com.atproto.repo.strongRef``)."""
    value = object_at(record, key)
    if value is None:
        return None
    uri, cid = value.get("uri"), value.get("cid")
    return StrongRef(AtUri(uri), cid) if isinstance(uri, str) and isinstance(cid, str) else None


def ref_data(ref: StrongRef, source: Record | None = None) -> Record:
    """The data of a strong reference, over what stood there before."""
    return {**(source or {}), "uri": ref.uri, "cid": ref.cid}


def labels_at(record: Record) -> tuple[str, ...]:
    """The values of a record's self-labels."""
    labels = object_at(record, "labels")
    if labels is None:
        return ()
    return tuple(v for v in (text_at(o, "val") for o in objects_at(labels, "values")) if v)


def set_labels(record: Record, labels: Iterable[str]) -> None:
    """Write self-labels; no labels means no property."""
    values: list[Data] = [{"val": label} for label in labels]
    set_or_drop(record, "labels", {"$type": SELF_LABELS, "values": values} if values else None)


def set_or_drop(record: Record, key: str, value: Data) -> None:
    """Write a property, or remove it where there is no value."""
    if value is None:
        record.pop(key, None)
    else:
        record[key] = value
