"""``commonpod emoji``: pictures that the members of a pod may use for a word between colons."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from pod.settings import Settings
from server import options
from storage.emoji import EmojiFolder

LoadSettings = Callable[[Path | None, bool], Settings]
name_ = click.argument("name")


def folder(settings: Settings) -> EmojiFolder:
    """Where a pod keeps them."""
    return EmojiFolder(settings.data_dir / "emoji")


def commands(settings: LoadSettings) -> click.Group:
    """The commands; a pod that serves sees at once what they change."""

    @click.group("emoji")
    def app() -> None:
        """Custom emoji."""

    @app.command("list")
    @options.file
    @options.dev
    def list_(file: Path | None, *, dev: bool) -> None:
        """Show what is offered."""
        for emoji in folder(settings(file, dev)).all().values():
            click.echo(f":{emoji.name}:  {emoji.media_type}  {emoji.updated_at:%Y-%m-%d}")

    @app.command()
    @name_
    @click.argument("picture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @options.file
    @options.dev
    def add(name: str, picture: Path, file: Path | None, *, dev: bool) -> None:
        """Offer a picture (PNG, GIF, WebP, AVIF or JPEG), in place of an older one of that name."""
        made = folder(settings(file, dev)).add(name.strip(":"), picture.read_bytes())
        click.echo(f":{made.name}: is offered.")

    @app.command()
    @name_
    @options.file
    @options.dev
    def remove(name: str, file: Path | None, *, dev: bool) -> None:
        """Offer a picture no more: posts show the word again."""
        folder(settings(file, dev)).remove(name.strip(":"))
        click.echo(f":{name.strip(':')}: is not offered any more.")

    return app
