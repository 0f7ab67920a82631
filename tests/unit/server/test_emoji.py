"""``commonpod emoji``: what the operator offers, a pod that serves sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pod.errors import Invalid, NotFound
from pod.settings import Settings
from server import emoji
from tests.kit.whole import quick_settings

PNG = b"\x89PNG\r\n\x1a\n picture"


def test_emoji_are_offered_listed_and_removed(tmp_path: Path) -> None:
    settings: Settings = quick_settings(tmp_path / "data")
    serving = emoji.folder(settings)
    commands = emoji.commands(lambda _file, _dev: settings)
    picture = tmp_path / "party.png"
    picture.write_bytes(PNG)

    def run(*args: str) -> str:
        result = CliRunner().invoke(commands, args)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output

    assert serving.all() == {}
    assert run("list") == ""
    assert run("add", ":party:", str(picture)) == ":party: is offered.\n"
    (held,) = serving.all().values()
    assert (held.name, held.media_type, serving.body(held)) == ("party", "image/png", PNG)
    assert ":party:  image/png" in run("list")
    with pytest.raises(Invalid):
        run("add", "no-name", str(picture))
    assert run("remove", "party").startswith(":party: is not")
    assert serving.all() == {}
    with pytest.raises(NotFound):
        run("remove", "party")
    with pytest.raises(NotFound):
        serving.body(held)
