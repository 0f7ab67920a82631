"""``commonpod emoji``: pictures that the members of a pod may use for a word between colons."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pod.settings import Settings
from storage.emoji import EmojiFolder

LoadSettings = Callable[[Path | None, bool], Settings]
File = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")]
Dev = Annotated[bool, typer.Option(help="The pod of a trial.")]
Name = Annotated[str, typer.Argument(help="The word, without colons.")]
Picture = Annotated[Path, typer.Argument(help="A PNG, GIF, WebP, AVIF or JPEG file.", exists=True)]


def folder(settings: Settings) -> EmojiFolder:
    """Where a pod keeps them."""
    return EmojiFolder(settings.data_dir / "emoji")


def commands(settings: LoadSettings) -> typer.Typer:
    """The commands; a pod that serves sees at once what they change."""
    app = typer.Typer(no_args_is_help=True, help="Custom emoji.")

    @app.command("list")
    def list_(file: File = None, *, dev: Dev = False) -> None:
        """Show what is offered."""
        for emoji in folder(settings(file, dev)).all().values():
            typer.echo(f":{emoji.name}:  {emoji.media_type}  {emoji.updated_at:%Y-%m-%d}")

    @app.command()
    def add(name: Name, picture: Picture, file: File = None, *, dev: Dev = False) -> None:
        """Offer a picture, in place of an older one of that name."""
        made = folder(settings(file, dev)).add(name.strip(":"), picture.read_bytes())
        typer.echo(f":{made.name}: is offered.")

    @app.command()
    def remove(name: Name, file: File = None, *, dev: Dev = False) -> None:
        """Offer a picture no more: posts show the word again."""
        folder(settings(file, dev)).remove(name.strip(":"))
        typer.echo(f":{name.strip(':')}: is not offered any more.")

    return app
