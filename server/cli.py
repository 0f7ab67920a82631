"""The ``commonpod`` command."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from pod.errors import PodError
from pod.settings import Settings
from server import emoji, environment, federation, observe
from server.hosts import FrontDoor, Rooms
from server.serve import ServerName, serve
from server.wire import open_house

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="A pod that speaks three tongues."
)
identity = typer.Typer(no_args_is_help=True, help="The names of a member.")
config = typer.Typer(no_args_is_help=True, help="The settings.")
relay = typer.Typer(no_args_is_help=True, help="Relays and other readers of the firehose.")
app.add_typer(relay, name="relay")
app.add_typer(identity, name="identity")
app.add_typer(config, name="config")

DataDir = Annotated[Path | None, typer.Option(help="Where the data is kept.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.")]
Dev = Annotated[bool, typer.Option(help="Open sign-up, plain http, names in localhost.")]
File = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Server = Annotated[ServerName, typer.Option(help="hypercorn, or uvicorn for a busy host.")]


def main() -> None:
    """Run the command line; what a person can mend ends in one line, not in a traceback."""
    try:
        app()
    except PodError as err:
        console = Console(stderr=True, soft_wrap=True)
        console.print(f"commonpod: {err.safe_text}", style="red", highlight=False)
        raise SystemExit(1) from err


@app.command("serve")
def serve_(
    data_dir: DataDir = None,
    port: Port = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    plc: Annotated[str | None, typer.Option(help="URL of a PLC directory.")] = None,
    rate_limits: Annotated[bool | None, typer.Option(help="Whether to limit rates.")] = None,
    file: File = None,
    server: Server = "hypercorn",
    *,
    dev: Dev = False,
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
def run(data_dir: DataDir = None, port: Port = None, server: Server = "hypercorn") -> None:
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
def check_(data_dir: Annotated[Path, typer.Option(help="Where the data is kept.")]) -> None:
    """Check that all the data fits together; prints what does not, and ends with 1 then."""
    from server.check import check

    findings = 0
    for finding in check(data_dir):
        typer.echo(finding)
        findings += 1
    typer.echo("All is well." if not findings else f"{findings} findings.")
    raise typer.Exit(1 if findings else 0)


@app.command("migrate")
def migrate_(
    handle: Annotated[str, typer.Argument(help="The account's handle at the old host.")],
    from_: Annotated[str, typer.Option("--from", help="URL of the old host.")],
    to: Annotated[str, typer.Option(help="URL of the new host.")],
    password: Annotated[
        str,
        typer.Option(prompt="Password at the old host", hide_input=True, envvar="MIGRATE_PASSWORD"),
    ],
    new_password: Annotated[
        str,
        typer.Option(
            prompt="Password at the new host", hide_input=True, envvar="MIGRATE_NEW_PASSWORD"
        ),
    ],
    new_handle: Annotated[str | None, typer.Option(help="Another handle there.")] = None,
    email: Annotated[str | None, typer.Option(help="Another email address there.")] = None,
    invite: Annotated[str | None, typer.Option(help="Invite code of the new host.")] = None,
    folder: Annotated[Path, typer.Option(help="Where notes and the repository lie.")] = Path(),
    *,
    dev: Dev = False,
) -> None:
    """Move an account from one host to another, any two PDSes; run it again to go on."""
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
def restore_(
    data_dir: Annotated[Path, typer.Option(help="Where the data is kept.")],
    seq: Annotated[
        int | None, typer.Option(help="Where the event sequence goes on; far ahead if not said.")
    ] = None,
) -> None:
    """Make a pod that came back from a backup fit for relays. Before the first start of it."""
    from server.restore import restore

    first, told = asyncio.run(restore(data_dir, seq=seq))
    typer.echo(f"{told} repositories tell their state from sequence number {first} on.")


@app.command("rebuild")
def rebuild_(data_dir: Annotated[Path, typer.Option(help="Where the data is kept.")]) -> None:
    """Make all that is only derived anew. Stop the server first."""
    from server.rebuild import rebuild

    asyncio.run(rebuild(data_dir))


@app.command("new-token-key")
def new_token_key_(data_dir: Annotated[Path, typer.Option(help="Where the data is kept.")]) -> None:
    """Sign with a new key from now on; the last one stays good. Stop the server first."""
    from server.new_token_key import new_token_key

    typer.echo(f"The key is now {asyncio.run(new_token_key(data_dir))}.")


@relay.command("status")
def relay_status_(file: File = None, *, dev: Dev = False, as_json: AsJson = False) -> None:
    """Say how relays were asked to come, and who reads the firehose of the running pod."""
    from server.relays import relay_status, tables

    report = asyncio.run(relay_status(_settings(file, {}, dev=dev)))
    if as_json:
        typer.echo(json.dumps(report, indent=2))
        return
    for table in tables(report):
        Console().print(table)


@identity.command("verify")
def identity_verify(
    name: Annotated[str, typer.Argument(help="A handle, DID, fediverse address, actor or WebID.")],
    plc: Annotated[str | None, typer.Option(help="URL of a PLC directory.")] = None,
    pod: Annotated[str | None, typer.Option(help="Origin of a development pod.")] = None,
) -> None:
    """Walk the claims between all names of a member, from any one of them."""
    from server.identity import verify_name

    text, holds = asyncio.run(verify_name(name, plc=plc, pod=pod))
    typer.echo(text)
    raise typer.Exit(0 if holds else 1)


@config.command("show")
def config_show(file: File = None, *, dev: Dev = False) -> None:
    """Print the settings in force, without secrets."""
    shown: dict[str, Any] = asdict(_settings(file, {}, dev=dev))
    for secret in ("admin_password", "smtp_url"):
        shown.pop(secret)
    typer.echo(json.dumps(shown, indent=2, default=str))


@config.command("check")
def config_check(file: File = None, *, dev: Dev = False) -> None:
    """Say whether the settings are valid."""
    _settings(file, {}, dev=dev)
    typer.echo("The settings are valid.")


@config.command("example")
def config_example() -> None:
    """Print every setting with its type and default, as docs/configuration.md lists them."""
    typer.echo(environment.reference(), nl=False)


def _settings(file: Path | None, given: dict[str, Any], *, dev: bool) -> Settings:
    defaults: dict[str, Any] = {}
    if dev:
        port = given.get("port") or int(os.environ.get("COMMONPOD_PORT", "2583"))
        data_dir = given.get("data_dir") or Path(os.environ.get("COMMONPOD_DATA_DIR", "data"))
        defaults = environment.for_development(data_dir, port)
    return environment.load(os.environ, file, given, defaults)


for name, room in (("federation", federation), ("emoji", emoji)):
    app.add_typer(room.commands(lambda file, dev: _settings(file, {}, dev=dev)), name=name)
