"""A headless Chromium that looks at one page at a time; screenshots are kept under build/."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.kit.process import ROOT

SCREENSHOTS = ROOT / "build" / "screenshots"
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)
COMPLAINTS = ("Content Security Policy", "Failed to load resource")


@dataclass(frozen=True)
class Looked:
    """What the browser saw: the picture, and what its console complained of."""

    picture: Image.Image
    complaints: list[str]

    def colours(self) -> set[tuple[int, int, int]]:
        """Every colour on the page."""
        counted = self.picture.getcolors(maxcolors=1 << 24)
        assert counted is not None
        return {colour for _, colour in counted if isinstance(colour, tuple)}  # type: ignore[misc]


def look(
    url: str, name: str, *, width: int = 900, height: int = 1400, dark: bool = False
) -> Looked:
    """Open a page and keep its screenshot as ``name``; skips where there is no Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    file = SCREENSHOTS / f"{name}.png"
    file.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        seen = subprocess.run(
            [
                chromium,
                *QUIET,
                f"--user-data-dir={profile}",
                f"--window-size={width},{height}",
                f"--blink-settings=preferredColorScheme={0 if dark else 1}",
                f"--screenshot={file}",
                url,
            ],
            capture_output=True,
            timeout=60,
            check=True,
        )
    told = seen.stderr.decode("utf-8", "replace").splitlines()
    complaints = [line for line in told if any(word in line for word in COMPLAINTS)]
    with Image.open(Path(file)) as picture:
        return Looked(picture.convert("RGB"), complaints)
