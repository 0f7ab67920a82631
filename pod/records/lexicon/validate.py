"""Lexicon schemas compiled to closures that check record data.

A check takes a value and returns nothing, or raises `Wrong`. The way to the wrong value is put
together while the exception climbs, so that what is right pays nothing for it.

Spec: https://atproto.com/specs/lexicon
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from pod.errors import Invalid
from pod.model.richtext import graphemes
from pod.records.data import LEGACY_SIZE, Data, Link, blob_ref
from pod.records.lexicon.formats import FORMATS

Schema: TypeAlias = Mapping[str, Any]
Check: TypeAlias = Callable[[Data], None]
Lookup: TypeAlias = Callable[[str], Check]

PARAM_KINDS: Final = ("boolean", "integer", "string")


class Wrong(Exception):
    """A value does not fit its schema; ``path`` leads to it, innermost step first."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        self.path: list[str] = []

    def said_of(self, *root: str) -> str:
        """The complaint with its path, such as ``Record/text must be a string``."""
        return f"{'/'.join((*root, *reversed(self.path)))} {self.text}"


def full_name(ref: str, home: str) -> str:
    """The absolute form ``nsid#name`` of a reference in the lexicon ``home``."""
    if ref.startswith("#"):
        return home + ref
    return ref if "#" in ref else f"{ref}#main"


def compile_schema(schema: Schema, home: str, lookup: Lookup) -> Check:
    """The check of a schema in the lexicon ``home``; ``lookup`` finds the check of a full name.

    References are looked up when they are first used. Raises Invalid if the schema is none.
    """
    match schema.get("type"):
        case "object":
            return _object(schema, home, lookup)
        case "array":
            return _array(schema, home, lookup)
        case "ref":
            return _ref(schema, home, lookup)
        case "union":
            return _union(schema, home, lookup)
        case "string":
            return _string(schema)
        case "integer":
            return _integer(schema)
        case "boolean":
            return _boolean(schema)
        case "bytes":
            return _bytes(schema)
        case "blob":
            return _blob(schema)
        case "cid-link":
            return _cid_link
        case "unknown":
            return _unknown
        case "token":
            return _token
        case other:
            raise Invalid(f"{home} has a schema of an unknown type: {other!r}")


def _object(schema: Schema, home: str, lookup: Lookup) -> Check:
    inner_schemas = schema.get("properties", {})
    # What has a default may lack, required or not.
    required = tuple(
        name for name in schema.get("required", ()) if "default" not in inner_schemas.get(name, ())
    )
    nullable = frozenset(schema.get("nullable", ()))
    properties = {
        name: compile_schema(inner, home, lookup) for name, inner in inner_schemas.items()
    }

    def check(value: Data) -> None:
        if type(value) is not dict:
            raise Wrong("must be an object")
        for name in required:
            if name not in value:
                raise Wrong(f'must have the property "{name}"')
        for name, item in value.items():
            inner = properties.get(name)
            if inner is None or (item is None and name in nullable):
                continue
            try:
                inner(item)
            except Wrong as wrong:
                wrong.path.append(name)
                raise

    return check


def _array(schema: Schema, home: str, lookup: Lookup) -> Check:
    inner = compile_schema(schema["items"], home, lookup)
    least, most = schema.get("minLength", 0), schema.get("maxLength")

    def check(value: Data) -> None:
        if type(value) is not list:
            raise Wrong("must be an array")
        if most is not None and len(value) > most:
            raise Wrong(f"must not have more than {most} elements")
        if len(value) < least:
            raise Wrong(f"must not have fewer than {least} elements")
        for place, item in enumerate(value):
            try:
                inner(item)
            except Wrong as wrong:
                wrong.path.append(str(place))
                raise

    return check


def _ref(schema: Schema, home: str, lookup: Lookup) -> Check:
    target = full_name(schema["ref"], home)

    def check(value: Data) -> None:
        lookup(target)(value)

    return check


def _union(schema: Schema, home: str, lookup: Lookup) -> Check:
    targets = {full_name(ref, home) for ref in schema["refs"]}
    is_closed = schema.get("closed", False)

    def check(value: Data) -> None:
        name = value.get("$type") if type(value) is dict else None
        if type(name) is not str:
            raise Wrong('must be an object which includes the "$type" property')
        target = full_name(name, "")
        if target in targets:
            lookup(target)(value)
        elif is_closed:
            raise Wrong(f"$type must be one of {', '.join(schema['refs'])}")

    return check


def _string(schema: Schema) -> Check:
    rules = [
        *_fixed(schema),
        *_length(schema),
        *_grapheme_length(schema),
        *_format(schema.get("format")),
    ]

    def check(value: Data) -> None:
        if type(value) is not str:
            raise Wrong("must be a string")
        for rule in rules:
            rule(value)

    return check


def _fixed(schema: Schema) -> list[Callable[[Any], None]]:
    """The rules for ``const`` and ``enum``; ``knownValues`` are no rule."""
    rules: list[Callable[[Any], None]] = []
    if "const" in schema:
        only = schema["const"]

        def is_the_one(value: Any) -> None:
            if value != only:
                raise Wrong(f"must be {str(only).lower() if isinstance(only, bool) else only}")

        rules.append(is_the_one)
    if "enum" in schema:
        choices = tuple(schema["enum"])

        def is_one_of_them(value: Any) -> None:
            if value not in choices:
                raise Wrong(f"must be one of ({'|'.join(map(str, choices))})")

        rules.append(is_one_of_them)
    return rules


def _length(schema: Schema) -> list[Callable[[str], None]]:
    """The rule for the length in UTF-8 bytes, measured only where characters cannot tell."""
    least, most = schema.get("minLength", 0), schema.get("maxLength")

    def fits(value: str) -> None:
        if most is not None and len(value) * 4 > most and _utf8_length(value) > most:
            raise Wrong(f"must not be longer than {most} characters")
        if len(value) < least and _utf8_length(value) < least:
            raise Wrong(f"must not be shorter than {least} characters")

    return [fits] if least or most is not None else []


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def _grapheme_length(schema: Schema) -> list[Callable[[str], None]]:
    """The rule for the length in characters as a person counts them."""
    least, most = schema.get("minGraphemes", 0), schema.get("maxGraphemes")

    def fits(value: str) -> None:
        if most is not None and len(value) > most and graphemes(value) > most:
            raise Wrong(f"must not be longer than {most} graphemes")
        if least and graphemes(value) < least:
            raise Wrong(f"must not be shorter than {least} graphemes")

    return [fits] if least or most is not None else []


def _format(name: str | None) -> list[Callable[[str], None]]:
    if name is None:
        return []
    if name not in FORMATS:
        raise Invalid(f"unknown string format: {name}")
    parse, complaint = FORMATS[name]

    def fits(value: str) -> None:
        try:
            parse(value)
        except Invalid:
            raise Wrong(complaint) from None

    return [fits]


def _integer(schema: Schema) -> Check:
    rules = _fixed(schema)
    least, most = schema.get("minimum"), schema.get("maximum")

    def check(value: Data) -> None:
        if type(value) is not int:
            raise Wrong("must be an integer")
        if most is not None and value > most:
            raise Wrong(f"can not be greater than {most}")
        if least is not None and value < least:
            raise Wrong(f"can not be less than {least}")
        for rule in rules:
            rule(value)

    return check


def _boolean(schema: Schema) -> Check:
    rules = _fixed(schema)

    def check(value: Data) -> None:
        if type(value) is not bool:
            raise Wrong("must be a boolean")
        for rule in rules:
            rule(value)

    return check


def _bytes(schema: Schema) -> Check:
    least, most = schema.get("minLength", 0), schema.get("maxLength")

    def check(value: Data) -> None:
        if type(value) is not bytes:
            raise Wrong("must be a byte array")
        if most is not None and len(value) > most:
            raise Wrong(f"must not be larger than {most} bytes")
        if len(value) < least:
            raise Wrong(f"must not be smaller than {least} bytes")

    return check


def _blob(schema: Schema) -> Check:
    most, accept = schema.get("maxSize"), tuple(schema.get("accept", ("*/*",)))

    def check(value: Data) -> None:
        blob = blob_ref(value)
        if blob is None or blob.size == LEGACY_SIZE:
            raise Wrong("should be a blob ref")
        if most is not None and blob.size > most:
            raise Wrong(f"must not be larger than {most} bytes")
        if not any(_accepts(kind, blob.media_type) for kind in accept):
            raise Wrong(f"must have a mimeType of {', '.join(accept)}, not {blob.media_type}")

    return check


def _accepts(kind: str, media_type: str) -> bool:
    """Whether a media type is of an accepted kind, such as ``image/*``."""
    return kind in ("*/*", media_type) or (kind.endswith("/*") and media_type.startswith(kind[:-1]))


def _cid_link(value: Data) -> None:
    if type(value) is not Link:
        raise Wrong("must be a CID")


def _unknown(value: Data) -> None:
    if type(value) is not dict or value.get("$type") == "blob":
        raise Wrong("must be an object")


def _token(value: Data) -> None:
    if type(value) is not str:
        raise Wrong("must be a token")
