"""``commonpod federation``: the administrator's rules for other servers, at the running pod."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
import typer
from rich.console import Console
from rich.table import Table

from adapters.http.fetch import Fetch, Fetched
from pod.errors import Forbidden, Invalid, PeerUnavailable
from pod.settings import Egress, Settings

LoadSettings = Callable[[Path | None, bool], Settings]
File = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")]
Dev = Annotated[bool, typer.Option(help="The pod of a trial.")]
Domain = Annotated[str, typer.Argument(help="A domain; the rule holds for all below it, too.")]
Allowed = Annotated[bool, typer.Option("--allowed", help="Allowed domains instead of blocks.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_PAGE = "/admin/federation"


def commands(settings: LoadSettings) -> typer.Typer:
    """The commands; ``settings`` reads a file and says whether it is a trial."""
    app = typer.Typer(no_args_is_help=True, help="Rules for other servers, and reports.")

    def ask(file: Path | None, dev: bool, path: str = _PAGE, **form: str) -> Fetched:
        return asyncio.run(_ask(settings(file, dev), path, form))

    @app.command("list")
    def list_(file: File = None, *, dev: Dev = False, as_json: AsJson = False) -> None:
        """Show the rules."""
        rules = orjson.loads(ask(file, dev).body)["rules"]
        if as_json:
            typer.echo(json.dumps(rules, indent=2))
            return
        columns = ("domain", "severity", "reject_media", "reject_reports", "public_comment")
        Console().print(_table(rules, columns))

    @app.command()
    def block(
        domain: Domain,
        severity: Annotated[str, typer.Option(help="suspend, silence or noop.")] = "suspend",
        public_comment: Annotated[str, typer.Option(help="Why, for everybody.")] = "",
        private_comment: Annotated[str, typer.Option(help="Why, for administrators.")] = "",
        file: File = None,
        *,
        reject_media: Annotated[bool, typer.Option(help="Show none of its media.")] = False,
        reject_reports: Annotated[bool, typer.Option(help="Take none of its reports.")] = False,
        obfuscate: Annotated[bool, typer.Option(help="Do not publish its name.")] = False,
        dev: Dev = False,
    ) -> None:
        """Shut a server out, or keep it from strangers."""
        chosen = {
            "reject_media": reject_media, "reject_reports": reject_reports, "obfuscate": obfuscate,
        }  # fmt: skip
        form = {name: "yes" for name, value in chosen.items() if value}
        form |= {"public_comment": public_comment, "private_comment": private_comment}
        typer.echo(_told(ask(file, dev, do="set", domain=domain, severity=severity, **form)))

    @app.command()
    def allow(domain: Domain, file: File = None, *, dev: Dev = False) -> None:
        """Let a server in, where only allowed ones are talked to."""
        typer.echo(_told(ask(file, dev, do="set", domain=domain, severity="allow")))

    @app.command()
    def drop(domain: Domain, file: File = None, *, dev: Dev = False) -> None:
        """Drop the rule for a domain."""
        typer.echo(_told(ask(file, dev, do="drop", domain=domain)))

    @app.command("export")
    def export(file: File = None, *, allowed: Allowed = False, dev: Dev = False) -> None:
        """Print the rules as a CSV file that Mastodon reads."""
        name = "domain_allows" if allowed else "domain_blocks"
        typer.echo(ask(file, dev, f"{_PAGE}/{name}.csv").body.decode(), nl=False)

    @app.command("import")
    def import_(
        path: Annotated[Path, typer.Argument(help="A CSV file as Mastodon writes it.")],
        file: File = None,
        *,
        allowed: Allowed = False,
        dev: Dev = False,
    ) -> None:
        """Take in rules; they replace those for the same domains."""
        kind = "allows" if allowed else "blocks"
        typer.echo(_told(ask(file, dev, do="import", list=kind, csv=path.read_text())))

    @app.command()
    def reports(
        file: File = None,
        *,
        all_: Annotated[bool, typer.Option("--all", help="Closed ones, too.")] = False,
        dev: Dev = False,
        as_json: AsJson = False,
    ) -> None:
        """Show what members and other servers complain of."""
        path = f"{_PAGE}?reports=all" if all_ else _PAGE
        found = orjson.loads(ask(file, dev, path).body)["reports"]
        if as_json:
            typer.echo(json.dumps(found, indent=2))
            return
        Console().print(_table(found, ("id", "at", "subjects", "comment", "reporter")))

    @app.command("rotate-keys")
    def rotate_keys(
        handle: Annotated[str, typer.Argument(help="Whose; the server's own if nobody's.")] = "",
        file: File = None,
        *,
        dev: Dev = False,
    ) -> None:
        """Give a member's actor new keys; the servers of their followers are told."""
        typer.echo(_told(ask(file, dev, do="rotate", handle=handle)))

    @app.command()
    def resolve(
        report: Annotated[str, typer.Argument(help="The id of a report.")],
        file: File = None,
        *,
        dev: Dev = False,
    ) -> None:
        """Close a report."""
        typer.echo(_told(ask(file, dev, do="resolve", report=report)))

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
