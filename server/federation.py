"""``commonpod federation``: the administrator's rules for other servers, at the running pod."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import orjson
from rich.console import Console
from rich.table import Table

from adapters.http.fetch import Fetch, Fetched
from pod.errors import Forbidden, Invalid, PeerUnavailable
from pod.settings import Egress, Settings
from server import options

LoadSettings = Callable[[Path | None, bool], Settings]
domain_ = click.argument("domain")
allowed_ = click.option("--allowed", is_flag=True, help="Allowed domains instead of blocks.")

_PAGE = "/admin/federation"


def commands(settings: LoadSettings) -> click.Group:
    """The commands; ``settings`` reads a file and says whether it is a trial."""

    @click.group("federation")
    def app() -> None:
        """Rules for other servers, and reports."""

    def ask(file: Path | None, dev: bool, path: str = _PAGE, **form: str) -> Fetched:
        return asyncio.run(_ask(settings(file, dev), path, form))

    @app.command("list")
    @options.file
    @options.dev
    @options.as_json
    def list_(file: Path | None, *, dev: bool, as_json: bool) -> None:
        """Show the rules."""
        rules = orjson.loads(ask(file, dev).body)["rules"]
        if as_json:
            click.echo(json.dumps(rules, indent=2))
            return
        columns = ("domain", "severity", "reject_media", "reject_reports", "public_comment")
        Console().print(_table(rules, columns))

    @app.command()
    @domain_
    @click.option("--severity", default="suspend", help="suspend, silence or noop.")
    @click.option("--public-comment", default="", help="Why, for everybody.")
    @click.option("--private-comment", default="", help="Why, for administrators.")
    @options.file
    @click.option("--reject-media", is_flag=True, help="Show none of its media.")
    @click.option("--reject-reports", is_flag=True, help="Take none of its reports.")
    @click.option("--obfuscate", is_flag=True, help="Do not publish its name.")
    @options.dev
    def block(
        domain: str,
        severity: str,
        public_comment: str,
        private_comment: str,
        file: Path | None,
        *,
        reject_media: bool,
        reject_reports: bool,
        obfuscate: bool,
        dev: bool,
    ) -> None:
        """Shut a server out, or keep it from strangers; so for all below DOMAIN, too."""
        chosen = {
            "reject_media": reject_media, "reject_reports": reject_reports, "obfuscate": obfuscate,
        }  # fmt: skip
        form = {name: "yes" for name, value in chosen.items() if value}
        form |= {"public_comment": public_comment, "private_comment": private_comment}
        click.echo(_told(ask(file, dev, do="set", domain=domain, severity=severity, **form)))

    @app.command()
    @domain_
    @options.file
    @options.dev
    def allow(domain: str, file: Path | None, *, dev: bool) -> None:
        """Let a server in, where only allowed ones are talked to."""
        click.echo(_told(ask(file, dev, do="set", domain=domain, severity="allow")))

    @app.command()
    @domain_
    @options.file
    @options.dev
    def drop(domain: str, file: Path | None, *, dev: bool) -> None:
        """Drop the rule for a domain."""
        click.echo(_told(ask(file, dev, do="drop", domain=domain)))

    @app.command("export")
    @options.file
    @allowed_
    @options.dev
    def export(file: Path | None, *, allowed: bool, dev: bool) -> None:
        """Print the rules as a CSV file that Mastodon reads."""
        name = "domain_allows" if allowed else "domain_blocks"
        click.echo(ask(file, dev, f"{_PAGE}/{name}.csv").body.decode(), nl=False)

    @app.command("import")
    @click.argument("path", type=options.PATH)
    @options.file
    @allowed_
    @options.dev
    def import_(path: Path, file: Path | None, *, allowed: bool, dev: bool) -> None:
        """Take in rules from a CSV file of Mastodon, in place of those for the same domains."""
        kind = "allows" if allowed else "blocks"
        click.echo(_told(ask(file, dev, do="import", list=kind, csv=path.read_text())))

    @app.command()
    @options.file
    @click.option("--all", "all_", is_flag=True, help="Closed ones, too.")
    @options.dev
    @options.as_json
    def reports(file: Path | None, *, all_: bool, dev: bool, as_json: bool) -> None:
        """Show what members and other servers complain of."""
        path = f"{_PAGE}?reports=all" if all_ else _PAGE
        found = orjson.loads(ask(file, dev, path).body)["reports"]
        if as_json:
            click.echo(json.dumps(found, indent=2))
            return
        Console().print(_table(found, ("id", "at", "subjects", "comment", "reporter")))

    @app.command("rotate-keys")
    @click.argument("handle", default="")
    @options.file
    @options.dev
    def rotate_keys(handle: str, file: Path | None, *, dev: bool) -> None:
        """Give a member's actor, or the server's own, new keys; followers' servers are told."""
        click.echo(_told(ask(file, dev, do="rotate", handle=handle)))

    @app.command()
    @click.argument("report")
    @options.file
    @options.dev
    def resolve(report: str, file: Path | None, *, dev: bool) -> None:
        """Close a report."""
        click.echo(_told(ask(file, dev, do="resolve", report=report)))

    return app


async def _ask(settings: Settings, path: str, form: dict[str, str]) -> Fetched:
    """Ask the running pod as its administrator.

    Raises Invalid without an admin password and for what the pod refuses, Forbidden if it does not
    take the password, PeerUnavailable if it does not answer.
    """
    if settings.admin_password is None:
        raise Invalid("Set admin_password: only the admin may do this.")
    fetch = Fetch(Egress(may_reach_private=True, fetch_timeout_s=600.0))
    secret = b64encode(f"admin:{settings.admin_password}".encode()).decode()
    headers = {"authorization": f"Basic {secret}", "accept": "application/json"}
    url = settings.origin + path
    try:
        if form:
            kind = {"content-type": "application/x-www-form-urlencoded"}
            answer = await fetch.post(url, urlencode(form).encode(), headers | kind)
        else:
            answer = await fetch.get(url, headers)
    finally:
        await fetch.close()
    if answer.status == 401:
        raise Forbidden("The pod does not take this admin password.")
    if 400 <= answer.status < 500:
        raise Invalid(str(orjson.loads(answer.body).get("detail", answer.status)))
    if answer.status != 200:
        raise PeerUnavailable(f"The pod answers {answer.status}.")
    return answer


def _told(answer: Fetched) -> str:
    return str(orjson.loads(answer.body)["told"])


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> Table:
    table = Table(*columns)
    for row in rows:
        values = (row[name] for name in columns)
        table.add_row(*("\n".join(v) if isinstance(v, list) else str(v) for v in values))
    return table
