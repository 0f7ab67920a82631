"""JSON in its one canonical form, as signatures inside documents need it.

Spec: https://www.rfc-editor.org/rfc/rfc8785
"""

from __future__ import annotations

import json
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from pod.errors import Invalid

_SAFE: Final = 2**53
_PLAIN: Final = range(-5, 22)
"""Where the point may stand, counted from the first digit, so that no exponent is written."""


def canonical(value: Any) -> bytes:
    """The canonical bytes of parsed JSON; raises Invalid for what has none."""
    try:
        return _text(value).encode()
    except UnicodeEncodeError as err:
        raise Invalid("The document holds half a character.") from err


def _text(value: Any) -> str:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_text(key)}:{_text(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, bool | str) or value is None:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and -_SAFE < value < _SAFE:
        return str(value)
    try:
        return _number(float(value))
    except OverflowError as err:
        raise Invalid("The document holds a number that is too large.") from err


def _number(value: float) -> str:
    """A number as ECMAScript writes it."""
    if not isfinite(value):
        raise Invalid("The document holds a number that is none.")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    point = len(text) + exponent
    if point not in _PLAIN:
        mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
        shown = f"{mantissa}e{point - 1:+d}"
    elif exponent >= 0:
        shown = text + "0" * exponent
    elif point > 0:
        shown = f"{text[:point]}.{text[point:]}"
    else:
        shown = "0." + "0" * -point + text
    return ("-" if sign else "") + shown
