"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

PATH: Final = click.Path(path_type=Path)

file = click.option("--config", "file", type=PATH, help="A TOML file of settings.")
dev = click.option("--dev", is_flag=True, help="Open sign-up, plain http, names in localhost.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
