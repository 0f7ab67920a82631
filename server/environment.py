"""Settings from the environment and one TOML file, read once and checked.

``COMMONPOD_PORT=2583`` sets ``port``, ``COMMONPOD_LIMITS__BLOB_BYTES=1000000`` sets
``limits.blob_bytes``; lists and tables are written as JSON. The environment wins over the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import msgspec
import orjson

from pod.errors import Invalid
from pod.model.ids import Origin
from pod.settings import ServiceDomain, Settings

PREFIX: Final = "COMMONPOD_"


def load(
    environment: Mapping[str, str],
    file: Path | None,
    given: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings tree; ``given`` (the command line) wins over environment and file.

    ``defaults`` stand in for what nobody sets.

    Raises Invalid, naming the setting, for unknown names and values of the wrong type.
    """
    tree: dict[str, Any] = {}
    if file is not None:
        tree = tomllib.loads(file.read_text())
    for name, value in environment.items():
        if name.startswith(PREFIX):
            _set(tree, name.removeprefix(PREFIX).lower().split("__"), _value(value))
    tree.update({name: value for name, value in given.items() if value is not None})
    _fill(tree, defaults or {})
    _refuse_unknown(tree, Settings, "")
    try:
        settings = msgspec.convert(tree, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as err:
        raise Invalid(f"The settings are not valid: {err}") from err
    if not settings.dev and not settings.origin.startswith("https://"):
        raise Invalid("origin must be an https:// address (dev = true lifts this).")
    return settings


def for_development(data_dir: Path, port: int) -> dict[str, Any]:
    """Defaults of a pod on this machine: open sign-up, plain http, names in localhost."""
    return {
        "origin": Origin(f"http://localhost:{port}"),
        "data_dir": data_dir,
        "port": port,
        "dev": True,
        "open_sign_up": True,
        "plc_url": "",
        "service_domains": (ServiceDomain(".test", f"http://{{name}}.localhost:{port}"),),
        "egress": {"may_reach_private": True},
    }


@dataclass(frozen=True, slots=True)
class Described:
    """One setting as the documentation shows it."""

    name: str
    kind: str
    default: str
    meaning: str


def describe(tree: type = Settings, prefix: str = "") -> list[Described]:
    """Every setting, in the order of the tree."""
    rows: list[Described] = []
    hints = get_type_hints(tree, include_extras=True)
    for each in fields(tree):
        hint, meaning = hints[each.name], ""
        if get_origin(hint) is Annotated:
            hint, meaning = get_args(hint)
        if isinstance(hint, type) and is_dataclass(hint):
            rows += describe(hint, f"{prefix}{each.name}.")
            continue
        default = "required" if each.default is MISSING else f"`{each.default!r}`"
        rows.append(Described(prefix + each.name, _kind(hint), default, meaning))
    return rows


def reference() -> str:
    """The settings as a Markdown table: what ``docs/configuration.md`` shows."""
    lines = ["| setting | environment | what | type | default |", "|---|---|---|---|---|"]
    for row in describe():
        variable = PREFIX + row.name.upper().replace(".", "__")
        cells = (f"`{row.name}`", f"`{variable}`", row.meaning, row.kind, row.default)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _kind(hint: Any) -> str:
    name = hint.__name__ if isinstance(hint, type) else str(hint)
    for module in ("pod.model.ids.", "pod.settings.", "pathlib."):
        name = name.replace(module, "")
    return name


def _set(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


def _fill(tree: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    for name, value in defaults.items():
        kept = tree.setdefault(name, dict(value) if isinstance(value, Mapping) else value)
        if isinstance(value, Mapping) and isinstance(kept, dict):
            _fill(kept, value)


def _value(text: str) -> Any:
    return orjson.loads(text) if text[:1] in ("[", "{") else text


def _refuse_unknown(tree: Mapping[str, Any], kind: type, prefix: str) -> None:
    hints = get_type_hints(kind)
    for name, value in tree.items():
        if name not in hints:
            raise Invalid(f"There is no setting {prefix}{name}.")
        hint = hints[name]
        if isinstance(hint, type) and is_dataclass(hint) and isinstance(value, Mapping):
            _refuse_unknown(value, hint, f"{prefix}{name}.")


def _path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)
