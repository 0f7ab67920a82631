"""The part of Structured Fields that HTTP message signatures use, read strictly and written.

Spec: https://www.rfc-editor.org/rfc/rfc8941 (dictionaries of inner lists and byte sequences)
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.activitypub.signature.request import decode_signature
from pod.errors import Unauthenticated

Bare = str | int | bool | bytes
Params = Mapping[str, Bare]

_KEY: Final = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_INTEGER: Final = re.compile(r"-?[0-9]{1,15}(?![0-9.])")
_STRING: Final = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BYTES: Final = re.compile(r":([A-Za-z0-9+/=]*):")


@dataclass(frozen=True, slots=True)
class InnerList:
    """A parenthesised list of strings, each with parameters, and parameters of its own."""

    items: Sequence[tuple[str, Params]]
    params: Params


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text.strip(" ")
        self._at = 0

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self._at)
        if match:
            self._at = match.end()
        return match

    def skip(self, text: str) -> bool:
        found = self._text.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def spaces(self, chars: str = " ") -> None:
        while self._at < len(self._text) and self._text[self._at] in chars:
            self._at += 1

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._text)


def read_dictionary(text: str) -> dict[str, InnerList | Bare]:
    """Members of a dictionary field, at most 16; a repeated key is refused (Unauthenticated)."""
    reader, members = _Reader(text), dict[str, InnerList | Bare]()
    while True:
        key = _key(reader)
        if key in members or len(members) == 16:
            raise Unauthenticated("A structured field repeats a key.")
        if reader.skip("="):
            members[key] = _member(reader)
        else:
            members[key] = True
        reader.spaces(" \t")
        if reader.at_end:
            return members
        if not reader.skip(","):
            raise _malformed()
        reader.spaces(" \t")


def write_inner_list(value: InnerList) -> str:
    """The canonical text of an inner list."""
    items = " ".join(write_bare(item) + _write_params(params) for item, params in value.items)
    return f"({items}){_write_params(value.params)}"


def write_bare(value: Bare) -> str:
    """The canonical text of one bare item; strings hold printable ASCII only."""
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return f":{b64encode(value).decode()}:"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _member(reader: _Reader) -> InnerList | Bare:
    if not reader.skip("("):
        value = _bare(reader)
        _params(reader)
        return value
    items: list[tuple[str, Params]] = []
    while True:
        reader.spaces()
        if reader.skip(")"):
            return InnerList(tuple(items), _params(reader))
        item = _bare(reader)
        if not isinstance(item, str) or len(items) == 64:
            raise _malformed()
        items.append((item, _params(reader)))


def _params(reader: _Reader) -> Params:
    params: dict[str, Bare] = {}
    while reader.skip(";"):
        reader.spaces()
        key = _key(reader)
        if key in params:
            raise Unauthenticated("A structured field repeats a parameter.")
        params[key] = _bare(reader) if reader.skip("=") else True
    return params


def _key(reader: _Reader) -> str:
    if not (match := reader.take(_KEY)):
        raise _malformed()
    return match.group()


def _bare(reader: _Reader) -> Bare:
    if match := reader.take(_STRING):
        return re.sub(r"\\(.)", r"\1", match.group(1))
    if match := reader.take(_INTEGER):
        return int(match.group())
    if match := reader.take(_BYTES):
        return decode_signature(match.group(1))
    if reader.skip("?1"):
        return True
    if reader.skip("?0"):
        return False
    raise _malformed()


def _write_params(params: Params) -> str:
    return "".join(
        f";{key}" if value is True else f";{key}={write_bare(value)}"
        for key, value in params.items()
    )


def _malformed() -> Unauthenticated:
    return Unauthenticated("A structured field of the signature is malformed.")
