"""The house rules that no other tool watches: captions, specs, sizes, addresses, links."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pod", "storage", "adapters", "server")
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-compiled.lock",
    "tests/blackbox/peers/package-lock.json",
    "bench/reference/package-lock.json",
)
# Dots are escaped and slashes bracketed, so that this file does not hold what it forbids.
ADDRESS = re.compile(r"registry\.npmjs\.org|files\.pythonhosted\.org|pypi\.org|deb\.debian\.org")
MACHINE_PATH = re.compile(r"(?<![\w.])[/](work|opt[/]pypi|opt[/]wheels|tmp[/]bash_jobs)[/]")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def tracked() -> list[Path]:
    """Every file that git keeps, as it stands in the work tree."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if names.returncode:
        pytest.skip("not a git work tree")
    files = [ROOT / name for name in names.stdout.decode().split("\0") if name]
    return [file for file in files if file.is_file() and not file.is_symlink()]


def texts() -> dict[str, str]:
    """Tracked text files by their name from the root; pictures and other binaries left out."""
    found = {}
    for file in tracked():
        body = file.read_bytes()
        if b"\0" not in body:
            found[str(file.relative_to(ROOT))] = body.decode()
    return found


def modules() -> dict[str, str]:
    """Every module of the four packages, by its name from the root."""
    return {
        str(file.relative_to(ROOT)): file.read_text()
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
    }


def test_every_module_opens_with_a_caption() -> None:
    wrong = []
    for name, source in modules().items():
        caption = (ast.get_docstring(ast.parse(source)) or "").split("\n", 1)[0]
        if not 0 < len(caption) <= 100:
            wrong.append(name)
    assert wrong == []


def test_every_module_of_a_wing_names_its_specification() -> None:
    """The console shows pages to people and implements no specification."""
    wrong = []
    for name, source in modules().items():
        tree = ast.parse(source)
        if not name.startswith("adapters/") or name.startswith("adapters/console/"):
            continue
        if name.endswith("__init__.py") and len(tree.body) <= 1:
            continue
        if not re.search(r"^Spec: \S", ast.get_docstring(tree) or "", re.MULTILINE):
            wrong.append(name)
    assert wrong == []


def test_no_source_file_is_longer_than_a_reader_bears() -> None:
    long = {
        name: lines
        for name, text in texts().items()
        if name.endswith((".py", ".mjs")) and (lines := text.count("\n")) >= 500
    }
    assert long == {}


def test_nothing_is_left_for_later() -> None:
    marked = [
        name
        for name, text in texts().items()
        if name.endswith((".py", ".mjs")) and UNFINISHED.search(text)
    ]
    assert marked == []


def test_no_tracked_file_names_a_registry_host_or_a_path_of_one_machine() -> None:
    wrong = [
        (name, found.group())
        for name, text in texts().items()
        for pattern in (ADDRESS, MACHINE_PATH)
        if (found := pattern.search(text))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    if name.endswith(".json"):
        assert '"integrity": "sha512-' in text
        assert '"resolved"' not in text
    else:
        pins = re.findall(r"^[a-z0-9][\w.-]*==", text, re.MULTILINE)
        hashed = re.findall(r"^[a-z0-9][\w.-]*==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)
        assert len(pins) == len(hashed) > 0
        assert "://" not in text


def test_the_development_lock_pins_what_the_runtime_lock_pins() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_the_locks_pin_every_library_that_the_project_asks_for() -> None:
    """A library that no lock pins is missing wherever `./run` or `./check` make the environment."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = {
        "requirements.lock": project["dependencies"],
        "requirements-dev.lock": [*project["dependencies"], *extras["fast"], *extras["dev"]],
    }
    for lock, wanted in asked.items():
        pins = set(re.findall(r"^([a-z0-9][\w.-]*)==", (ROOT / lock).read_text(), re.MULTILINE))
        assert {re.split(r"[<>=]", text)[0] for text in wanted} - pins == set(), lock


def test_every_library_that_the_pod_runs_on_is_used() -> None:
    named = set(re.findall(r"\b[A-Za-z]\w+", "\n".join(modules().values())))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in project["dependencies"]:
        name = re.split(r"[<>=]", text)[0]
        found = {
            module
            for module, owners in packages_distributions().items()
            if name in {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners}
        }
        assert found & named, name


def test_the_import_contracts_hold() -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout
    assert "0 broken" in outcome.stdout


def test_every_link_between_documents_leads_somewhere() -> None:
    dead = []
    for name, text in texts().items():
        if not name.endswith(".md"):
            continue
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in target and not (ROOT / name).parent.joinpath(target).exists():
                dead.append((name, target))
    assert dead == []
