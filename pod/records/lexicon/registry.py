"""All lexicons we know: read when first asked for, compiled to checks, held ready.

The schemas are the JSON files that the package ``lexrpc`` ships; none of its code is run.

Spec: https://atproto.com/specs/lexicon
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson

from pod.errors import Invalid, NotFound
from pod.model.ids import Nsid, parse_nsid
from pod.records.data import Data, json_to_data
from pod.records.lexicon.validate import PARAM_KINDS, Check, Wrong, compile_schema

Document: TypeAlias = dict[str, Any]
Param: TypeAlias = "bool | int | str | list[bool | int | str]"

_METHODS: Final = ("query", "procedure", "subscription")
_PRIMARY: Final = (*_METHODS, "record", "permission-set", "space")
_NEVER_DEFINED: Final = ("ref", "union", "unknown", "params")
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")


class Registry:
    """Checks records, parameters and inputs against their lexicons."""

    def __init__(self, files: dict[Nsid, Path]) -> None:
        self._files = files
        self._documents: dict[Nsid, Document] = {}
        self._checks: dict[str, Check] = {}
        self._inputs: dict[Nsid, tuple[Check, dict[str, Data]]] = {}
        self._params: dict[Nsid, dict[str, tuple[bool, str, Check]]] = {}

    @classmethod
    def load(cls, extra: Path | None = None) -> Registry:
        """The lexicons of the installed package, and those of all JSON files below ``extra``.

        Only names are read here. Raises Invalid when a file in ``extra`` is no valid lexicon.
        """
        files = dict(_installed())
        for path in sorted(extra.rglob("*.json")) if extra else ():
            document = orjson.loads(path.read_bytes())
            check_document(document)
            files[Nsid(document["id"])] = path
        return cls(files)

    def has(self, nsid: Nsid) -> bool:
        """Whether there is a lexicon of this name."""
        return nsid in self._files

    def names(self) -> Iterator[Nsid]:
        """The names of all lexicons."""
        return iter(self._files)

    def definition(self, nsid: Nsid) -> Document:
        """The lexicon as it was written; raises NotFound."""
        if nsid not in self._documents:
            if nsid not in self._files:
                raise NotFound(f"Lexicon not found: {nsid}")
            self._documents[nsid] = orjson.loads(self._files[nsid].read_bytes())
        return self._documents[nsid]

    def rkey_kind(self, collection: Nsid) -> str | None:
        """How records are keyed: ``tid``, ``nsid``, ``any``, ``literal:...``; None if unknown."""
        main = self._main(collection)
        return main["key"] if main.get("type") == "record" else None

    def validate_record(self, collection: Nsid, data: dict[str, Data]) -> bool:
        """True for a valid record, False if there is no such record type; raises Invalid."""
        if self._main(collection).get("type") != "record":
            return False
        if data.get("$type") != collection:
            raise Invalid(f"Record/$type must be {collection}")
        _run(self._check(f"{collection}#main"), data, "Record")
        return True

    def validate_input(self, nsid: Nsid, json: Any) -> Data:
        """The JSON body of a procedure as data, top-level defaults filled in; raises Invalid."""
        data = json_to_data(json)
        if nsid not in self._inputs:
            schema = self._main(nsid).get("input", {}).get("schema", {"type": "unknown"})
            check = compile_schema(schema, nsid, self._check)
            self._inputs[nsid] = check, _defaults(schema)
        check, defaults = self._inputs[nsid]
        _run(check, data, "Input")
        return {**defaults, **data} if isinstance(data, dict) else data

    def validate_params(self, nsid: Nsid, query: Iterable[tuple[str, str]]) -> dict[str, Param]:
        """The parameters of a method from its query string, typed, with their defaults.

        Unknown and empty parameters are left out, as the networks do. Raises Invalid.
        """
        schema = self._main(nsid).get("parameters", {})
        if nsid not in self._params:
            self._params[nsid] = {
                name: self._param(nsid, inner)
                for name, inner in schema.get("properties", {}).items()
            }
        known = self._params[nsid]
        given: dict[str, Any] = {}
        for name, text in query:
            if name not in known or not text:
                continue
            is_list, kind, _ = known[name]
            value = _coerced(name, kind, text)
            if is_list:
                given.setdefault(name, []).append(value)
            elif name in given:
                raise Invalid(f"{name} must not be repeated")
            else:
                given[name] = value
        whole = {**_defaults(schema), **given}
        for name in schema.get("required", ()):
            if name not in whole:
                raise Invalid(f'Params must have the property "{name}"')
        for name, value in given.items():
            _run(known[name][2], value, name)
        return whole

    def _param(self, nsid: Nsid, schema: Document) -> tuple[bool, str, Check]:
        is_list = schema["type"] == "array"
        kind = (schema["items"] if is_list else schema)["type"]
        if kind not in PARAM_KINDS:
            raise Invalid(f"{nsid} has a parameter of type {kind}")
        return is_list, kind, compile_schema(schema, nsid, self._check)

    def _main(self, nsid: Nsid) -> Document:
        main: Document = self.definition(nsid)["defs"].get("main", {}) if self.has(nsid) else {}
        return main

    def _check(self, name: str) -> Check:
        """The check of a definition by its full name; raises `Wrong` if there is none."""
        found = self._checks.get(name)
        if found is None:
            nsid, _, part = name.partition("#")
            home = Nsid(nsid)
            schema = self.definition(home)["defs"].get(part) if self.has(home) else None
            if schema is None:
                raise Wrong(f"is of an unknown lexicon: {name}")
            record = schema["record"] if schema["type"] == "record" else schema
            found = self._checks[name] = compile_schema(record, home, self._check)
        return found


def check_document(document: Any) -> None:
    """Whether a JSON document is a lexicon that we can follow; raises Invalid saying why not."""
    if not isinstance(document, dict) or document.get("lexicon") != 1:
        raise Invalid("not a lexicon of version 1")
    nsid, defs = document.get("id"), document.get("defs")
    if not isinstance(nsid, str) or not isinstance(defs, dict) or not defs:
        raise Invalid("a lexicon has an id and definitions")
    parse_nsid(nsid)
    for name, schema in defs.items():
        if not isinstance(schema, dict) or schema.get("type") in _NEVER_DEFINED:
            raise Invalid(f"{nsid}#{name} may not be defined")
        if schema.get("type") in _PRIMARY and name != "main":
            raise Invalid(f"{nsid}#{name} may only be the main definition")
        try:
            for inner in _schemas(schema):
                compile_schema(inner, nsid, _nowhere)
        except (KeyError, TypeError, AttributeError) as err:
            raise Invalid(f"{nsid}#{name} is malformed") from err


def _schemas(schema: Document) -> Iterator[Document]:
    """The schemas of data within a definition."""
    kind = schema["type"]
    if kind == "record":
        if schema["record"].get("type") != "object" or not isinstance(schema["key"], str):
            raise Invalid("a record has a key and is an object")
        yield schema["record"]
    elif kind in _METHODS:
        for name in ("input", "output", "message"):
            if "schema" in schema.get(name, {}):
                yield schema[name]["schema"]
        if "parameters" in schema:
            yield {**schema["parameters"], "type": "object"}
    elif kind not in _PRIMARY:
        yield schema


def _nowhere(name: str) -> Check:
    raise Wrong(f"is of an unknown lexicon: {name}")


def _installed() -> Iterator[tuple[Nsid, Path]]:
    """The lexicon files of the package, found without importing it."""
    spec = importlib.util.find_spec("lexrpc")
    for place in spec.submodule_search_locations or () if spec else ():
        root = Path(place, "lexicons")
        for path in root.rglob("*.json"):
            parts = path.relative_to(root).with_suffix("").parts
            # A few files lie one folder deeper than their name says.
            doubled = len(parts) > 3 and parts[-1] == parts[-2]
            yield (
                Nsid(orjson.loads(path.read_bytes())["id"] if doubled else ".".join(parts)),
                path,
            )


def _run(check: Callable[[Data], None], data: Data, root: str) -> None:
    try:
        check(data)
    except Wrong as wrong:
        raise Invalid(wrong.said_of(root)) from None


def _defaults(schema: Document) -> dict[str, Any]:
    return {
        name: inner["default"]
        for name, inner in schema.get("properties", {}).items()
        if "default" in inner
    }


def _coerced(name: str, kind: str, text: str) -> bool | int | str:
    """A parameter from its text in the query."""
    if kind == "integer":
        if not _INTEGER.fullmatch(text):
            raise Invalid(f"{name} must be an integer")
        return int(text)
    if kind == "boolean":
        if text not in ("true", "false"):
            raise Invalid(f"{name} must be a boolean")
        return text == "true"
    return text
