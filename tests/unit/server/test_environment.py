"""Settings come from one place each and are refused when they make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from pod.errors import Invalid
from server.environment import describe, for_development, load, reference


def test_the_environment_sets_nested_settings_by_their_names(tmp_path: Path) -> None:
    environment = {
        "COMMONPOD_ORIGIN": "https://pods.example",
        "COMMONPOD_DATA_DIR": str(tmp_path),
        "COMMONPOD_LIMITS__BLOB_BYTES": "1000",
        "COMMONPOD_RELAYS": '["https://relay.example"]',
    }
    settings = load(environment, None, {})
    assert settings.limits.blob_bytes == 1000
    assert settings.relays == ("https://relay.example",)
    assert settings.data_dir == tmp_path
    assert settings.did == "did:web:pods.example"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "commonpod.toml"
    file.write_text('origin = "https://file.example"\nport = 1\nhost = "0.0.0.0"\n')
    environment = {"COMMONPOD_PORT": "2", "COMMONPOD_ORIGIN": "https://env.example"}
    settings = load(environment, file, {"data_dir": tmp_path, "port": 3})
    assert (settings.host, settings.origin, settings.port) == ("0.0.0.0", "https://env.example", 3)


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"COMMONPOD_NO_SUCH": "1"}, "no_such"),
        ({"COMMONPOD_LIMITS__NO_SUCH": "1"}, "limits.no_such"),
        ({"COMMONPOD_PORT": "many"}, "port"),
        ({"COMMONPOD_ORIGIN": "http://plain.example", "COMMONPOD_DEV": "false"}, "https"),
    ],
)
def test_a_wrong_setting_is_named(environment: dict[str, str], word: str, tmp_path: Path) -> None:
    given = {k: v for k, v in for_development(tmp_path, 2583).items() if k == "data_dir"}
    base = {"COMMONPOD_ORIGIN": "https://pods.example"}
    with pytest.raises(Invalid, match=word):
        load(base | environment, None, given)


def test_development_only_stands_in_for_what_nobody_set(tmp_path: Path) -> None:
    chosen = {"COMMONPOD_OPEN_SIGN_UP": "false", "COMMONPOD_EGRESS__FETCH_BYTES": "5"}
    settings = load(chosen, None, {}, for_development(tmp_path, 2583))
    assert (settings.dev, settings.open_sign_up) == (True, False)
    assert (settings.egress.fetch_bytes, settings.egress.may_reach_private) == (5, True)


def test_a_password_never_shows_when_settings_are_printed(tmp_path: Path) -> None:
    given = for_development(tmp_path, 2583) | {"admin_password": "hunter2"}
    assert "hunter2" not in repr(load({}, None, given))


def test_every_setting_is_described_once() -> None:
    rows = describe()
    assert "limits.blob_bytes" in {row.name for row in rows}
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.meaning for row in rows)


def test_the_documentation_lists_the_settings_as_they_are() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"
    assert reference() in page.read_text()
