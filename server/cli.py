"""The ``commonpod`` command."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, get_args

import click
from rich.console import Console

from pod.errors import PodError
from pod.settings import Settings
from server import emoji, environment, federation, observe, options
from server.hosts import FrontDoor, Rooms
from server.options import PATH
from server.serve import ServerName, serve
from server.wire import open_house

_DATA_HELP: Final = "Where the data is kept."
data_dir_ = click.option("--data-dir", type=PATH, help=_DATA_HELP)
given_data_dir = click.option("--data-dir", type=PATH, required=True, help=_DATA_HELP)
port_ = click.option("--port", type=int, help="Port to listen on.")
server_ = click.option(
    "--server",
    type=click.Choice(get_args(ServerName)),
    default="hypercorn",
    show_default=True,
    help="hypercorn, or uvicorn for a busy host.",
)


@click.group()
def app() -> None:
    """A pod that speaks three tongues."""


@app.group()
def identity() -> None:
    """The names of a member."""


@app.group()
def config() -> None:
    """The settings."""


@app.group()
def relay() -> None:
    """Relays and other readers of the firehose."""


def main() -> None:
    """Run the command line; what a person can mend ends in one line, not in a traceback."""
    try:
        app()
    except PodError as err:
        console = Console(stderr=True, soft_wrap=True)
        console.print(f"commonpod: {err.safe_text}", style="red", highlight=False)
        raise SystemExit(1) from err


@app.command("serve")
@data_dir_
@port_
@click.option("--host", help="Address to listen on.")
@click.option("--plc", help="URL of a PLC directory.")
@click.option("--rate-limits/--no-rate-limits", default=None, help="Whether to limit rates.")
@options.file
@server_
@options.dev
def serve_(
    data_dir: Path | None,
    port: int | None,
    host: str | None,
    plc: str | None,
    rate_limits: bool | None,
    file: Path | None,
    server: ServerName,
    *,
    dev: bool,
) -> None:
    """Serve the pod; ready when /xrpc/_health answers 200."""
    given = {
        "data_dir": data_dir,
        "port": port,
        "host": host,
        "plc_url": plc,
        "rate_limits": rate_limits,
    }
    settings = _settings(file, given, dev=dev)
    observe.configure()

    async def opening() -> Rooms:
        return (await open_house(settings)).rooms

    serve(FrontDoor(opening), settings, server)


@app.command()
@data_dir_
@port_
@server_
def run(data_dir: Path | None, port: int | None, server: ServerName) -> None:
    """Serve a pod for trying out, with a demo member."""
    from server import demo  # draws pictures, which no other command needs

    settings = _settings(None, {"data_dir": data_dir, "port": port}, dev=True)
    observe.configure()

    async def opening() -> Rooms:
        house = await open_house(settings)
        await demo.greet(house)
        return house.rooms

    serve(FrontDoor(opening), settings, server)


@app.command("check")
@given_data_dir
def check_(data_dir: Path) -> None:
    """Check that all the data fits together; prints what does not, and ends with 1 then."""
    from server.check import check

    findings = 0
    for finding in check(data_dir):
        click.echo(finding)
        findings += 1
    click.echo("All is well." if not findings else f"{findings} findings.")
    raise SystemExit(1 if findings else 0)


@app.command("migrate")
@click.argument("handle")
@click.option("--from", "from_", required=True, help="URL of the old host.")
@click.option("--to", required=True, help="URL of the new host.")
@click.option(
    "--password",
    prompt="Password at the old host",
    hide_input=True,
    envvar="MIGRATE_PASSWORD",
    help="Password at the old host; asked for if not given.",
)
@click.option(
    "--new-password",
    prompt="Password at the new host",
    hide_input=True,
    envvar="MIGRATE_NEW_PASSWORD",
    help="Password at the new host; likewise.",
)
@click.option("--new-handle", help="Another handle there.")
@click.option("--email", help="Another email address there.")
@click.option("--invite", help="Invite code of the new host.")
@click.option("--folder", type=PATH, default=Path(), help="Where notes and the repository lie.")
@options.dev
def migrate_(
    handle: str,
    from_: str,
    to: str,
    password: str,
    new_password: str,
    new_handle: str | None,
    email: str | None,
    invite: str | None,
    folder: Path,
    *,
    dev: bool,
) -> None:
    """Move an account from one host to another, any two PDSes; run it again to go on.

    HANDLE is the account's handle at the old host.
    """
    from server.move_shown import move

    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(
        move(
            from_,
            to,
            handle,
            password=password,
            new_password=new_password,
            new_handle=new_handle,
            email=email,
            invite=invite,
            folder=folder,
            is_local=dev,
        )
    )


@app.command("restore")
@given_data_dir
@click.option("--seq", type=int, help="Where the event sequence goes on; far ahead if not said.")
def restore_(data_dir: Path, seq: int | None) -> None:
    """Make a pod that came back from a backup fit for relays. Before the first start of it."""
    from server.restore import restore

    first, told = asyncio.run(restore(data_dir, seq=seq))
    click.echo(f"{told} repositories tell their state from sequence number {first} on.")


@app.command("rebuild")
@given_data_dir
def rebuild_(data_dir: Path) -> None:
    """Make all that is only derived anew. Stop the server first."""
    from server.rebuild import rebuild

    asyncio.run(rebuild(data_dir))


@app.command("new-token-key")
@given_data_dir
def new_token_key_(data_dir: Path) -> None:
    """Sign with a new key from now on; the last one stays good. Stop the server first."""
    from server.new_token_key import new_token_key

    click.echo(f"The key is now {asyncio.run(new_token_key(data_dir))}.")


@relay.command("status")
@options.file
@options.dev
@options.as_json
def relay_status_(file: Path | None, *, dev: bool, as_json: bool) -> None:
    """Say how relays were asked to come, and who reads the firehose of the running pod."""
    from server.relays import relay_status, tables

    report = asyncio.run(relay_status(_settings(file, {}, dev=dev)))
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    for table in tables(report):
        Console().print(table)


@identity.command("verify")
@click.argument("name")
@click.option("--plc", help="URL of a PLC directory.")
@click.option("--pod", help="Origin of a development pod.")
def identity_verify(name: str, plc: str | None, pod: str | None) -> None:
    """Walk the claims between all names of a member, from any one of them.

    NAME is a handle, DID, fediverse address, actor or WebID.
    """
    from server.identity import verify_name

    text, holds = asyncio.run(verify_name(name, plc=plc, pod=pod))
    click.echo(text)
    raise SystemExit(0 if holds else 1)


@config.command("show")
@options.file
@options.dev
def config_show(file: Path | None, *, dev: bool) -> None:
    """Print the settings in force, without secrets."""
    shown: dict[str, Any] = asdict(_settings(file, {}, dev=dev))
    for secret in ("admin_password", "smtp_url"):
        shown.pop(secret)
    click.echo(json.dumps(shown, indent=2, default=str))


@config.command("check")
@options.file
@options.dev
def config_check(file: Path | None, *, dev: bool) -> None:
    """Say whether the settings are valid."""
    _settings(file, {}, dev=dev)
    click.echo("The settings are valid.")


@config.command("example")
def config_example() -> None:
    """Print every setting with its type and default, as docs/configuration.md lists them."""
    click.echo(environment.reference(), nl=False)


def _settings(file: Path | None, given: dict[str, Any], *, dev: bool) -> Settings:
    defaults: dict[str, Any] = {}
    if dev:
        port = given.get("port") or int(os.environ.get("COMMONPOD_PORT", "2583"))
        data_dir = given.get("data_dir") or Path(os.environ.get("COMMONPOD_DATA_DIR", "data"))
        defaults = environment.for_development(data_dir, port)
    return environment.load(os.environ, file, given, defaults)


for room in (federation, emoji):
    app.add_command(room.commands(lambda file, dev: _settings(file, {}, dev=dev)))
