"""The style sheet: contrast that everybody can read, by day and by night; nothing from elsewhere.

Spec: https://www.w3.org/TR/WCAG22/#contrast-minimum
"""

from __future__ import annotations

import re

import pytest

from adapters.console.pages import STYLE

CSS = STYLE.decode()
SCHEMES = [
    dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
def test_text_stands_out_from_every_ground(scheme: dict[str, str]) -> None:
    for ink in ("ink", "quiet", "accent"):
        for ground in ("ground", "sheet", "tint"):
            assert contrast(scheme[ink], scheme[ground]) >= 4.5, (ink, ground)


def test_there_is_a_light_and_a_dark_scheme() -> None:
    assert [set(scheme) for scheme in SCHEMES] == [set(SCHEMES[0])] * 2


def test_the_style_sheet_loads_nothing() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
