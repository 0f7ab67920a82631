"""Record data in memory, and its JSON form with ``$link`` and ``$bytes``.

Spec: https://atproto.com/specs/data-model
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, TypeAlias

import orjson

from pod.errors import Invalid
from pod.model.blob import BlobRef
from pod.model.ids import Cid
from pod.records.cid import cid_from_text, cid_text, is_cid

MAX_DEPTH = 128
MIN_INT = -(2**63)
MAX_INT = 2**63 - 1
LEGACY_SIZE = -1
"""The size of a blob in the legacy form, which does not tell it; such may be read, not written."""
_BLOB_KEYS = {"$type", "ref", "mimeType", "size"}
_JS_EXACT = 2**53


class Link(bytes):
    """A link to other data by CID, as opposed to a plain byte string."""

    __slots__ = ()

    @property
    def cid(self) -> Cid:
        """The CID that the link points to."""
        return Cid(bytes(self))


Data: TypeAlias = "bool | int | str | bytes | Link | list[Data] | dict[str, Data] | None"


def data_to_json(data: Data) -> Any:
    """The JSON form of record data, as a new structure."""
    match data:
        case dict():
            return {key: data_to_json(value) for key, value in data.items()}
        case list():
            return [data_to_json(value) for value in data]
        case bytes():
            return _special(data)
        case _:
            return data


def data_to_json_text(data: Data) -> bytes:
    """The JSON text of record data in UTF-8; the fast way for whole answers.

    ``data`` may be mixed with plain JSON values. Raises Invalid when it holds something else.
    """
    try:
        return orjson.dumps(data, default=_special)
    except TypeError as err:
        raise Invalid("the data has no JSON form") from err


def _special(value: object) -> dict[str, str]:
    if isinstance(value, Link):
        return {"$link": cid_text(value)}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).rstrip(b"=").decode()}
    raise TypeError


def json_to_data(json: Any) -> Data:
    """Record data from its JSON form, as a new structure.

    Raises Invalid on fractions, integers beyond 64 bits, nesting deeper than 128, a malformed
    ``$link``, ``$bytes`` or blob, and a ``$type`` that is not a filled string. A float without a
    fraction counts as an integer, as it does where JSON is read by JavaScript.
    """
    return _read(json, 0)


def json_to_record(json: Any) -> dict[str, Data]:
    """The data of a whole record, which must be a JSON object; raises Invalid."""
    data = json_to_data(json)
    if not isinstance(data, dict):
        raise Invalid("a record must be an object")
    return data


def _read(json: Any, depth: int) -> Data:
    kind = type(json)
    if kind is str or json is None or kind is bool:
        return json  # type: ignore[no-any-return] # told by the line above
    if depth >= MAX_DEPTH and kind in (dict, list):
        raise Invalid("the data is nested too deeply")
    if kind is dict:
        if "$link" in json or "$bytes" in json:
            return _read_special(json)
        read = {key: _read(value, depth + 1) for key, value in json.items()}
        if "$type" in read:
            _check_type(read)
        return read
    if kind is list:
        return [_read(value, depth + 1) for value in json]
    return _read_number(json)


def _read_number(number: Any) -> int:
    if isinstance(number, float) and number.is_integer() and abs(number) <= _JS_EXACT:
        return int(number)
    if type(number) is not int:
        raise Invalid("floating point numbers are not allowed in records")
    check_int(number)
    return number


def _read_special(json: dict[str, Any]) -> Link | bytes:
    if len(json) != 1:
        raise Invalid("$link and $bytes must stand alone in their object")
    [(key, text)] = json.items()
    if not isinstance(text, str):
        raise Invalid(f"{key} must be a string")
    if key == "$link":
        return Link(cid_from_text(text))
    try:
        return base64.b64decode(
            text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True
        )
    except (binascii.Error, ValueError) as err:
        raise Invalid("$bytes must be base64") from err


def _check_type(data: dict[str, Data]) -> None:
    name = data["$type"]
    if not isinstance(name, str) or not name:
        raise Invalid("$type must be a string that is not empty")
    if name == "blob" and (data.keys() != _BLOB_KEYS or blob_ref(data) is None):
        raise Invalid("a blob must have a ref, a mimeType and a size")


def check_int(number: int) -> None:
    """Raise Invalid for an integer that has no place in data."""
    if not MIN_INT <= number <= MAX_INT:
        raise Invalid("an integer must fit in 64 bits")


def blob_ref(data: Data) -> BlobRef | None:
    """What a blob object refers to, in the present or the legacy form; None if it is no blob."""
    match data:
        case {"$type": "blob", "ref": Link() as ref, "mimeType": str(mime_type), "size": int(size)}:
            is_whole = is_cid(ref) and not isinstance(size, bool) and size >= 0
            return BlobRef(ref.cid, mime_type, size) if is_whole else None
        case {"cid": str(text), "mimeType": str(mime_type), **rest} if not rest:
            try:
                return BlobRef(cid_from_text(text), mime_type, LEGACY_SIZE)
            except Invalid:
                return None
        case _:
            return None


def blobs_in(data: Data) -> Iterator[BlobRef]:
    """Every blob that record data refers to, in reading order, repeats included."""
    if isinstance(data, dict):
        if (blob := blob_ref(data)) is not None:
            yield blob
            return
        for value in data.values():
            yield from blobs_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from blobs_in(value)
