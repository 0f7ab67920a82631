"""The demo member of ``commonpod run``: made the first time, found again every time after."""

from __future__ import annotations

import io
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from PIL import Image, ImageDraw
from rich.console import Console
from rich.table import Table

from pod.access.agent import Agent, Credential
from pod.account import Application
from pod.model.ids import Handle, Nsid
from pod.model.member import Member
from pod.records.data import Link
from pod.write import PutRecord
from server.wire import House

HANDLE: Final = Handle("alice.test")
PASSWORD_FILE: Final = "demo-password"  # noqa: S105  a file name
POST: Final = Nsid("app.bsky.feed.post")


async def greet(house: House) -> None:
    """Make the demo member if there is none, then print where to look."""
    member = house.store.member_by_handle(HANDLE)
    if member is None:
        member = await _make(house)
    password = (house.settings.data_dir / PASSWORD_FILE).read_text()
    _print(house, member, password)


async def _make(house: House) -> Member:
    password = secrets.token_urlsafe(12)
    member = await house.accounts.create(
        Application(HANDLE, await house.passwords.hash(password), email="alice@example.org")
    )
    file = house.settings.data_dir / PASSWORD_FILE
    file.touch(mode=0o600)
    file.write_text(password)
    agent = Agent(Credential.SESSION, member.id, member.webid)
    picture = await house.media.keep(member.id, _sunflower(), "image/png")
    blob = {
        "$type": "blob",
        "ref": Link(picture.cid),
        "mimeType": picture.media_type,
        "size": picture.size,
    }
    profile: dict[str, Any] = {
        "displayName": "Alice",
        "description": "Gardener, cyclist, member of the co-op. One pod, three networks.",
        "avatar": blob,
    }
    await house.write.apply(
        agent, member.id, [PutRecord(Nsid("app.bsky.actor.profile"), None, profile)]
    )
    for post in _posts(member, blob):
        await house.write.apply(agent, member.id, [PutRecord(POST, None, post)])
    return member


def _posts(member: Member, blob: dict[str, Any]) -> list[dict[str, Any]]:
    begin = datetime.now(UTC) - timedelta(hours=3)
    words = "Moved in: one domain, one copy, three networks. Solid: https://solidproject.org"
    link = "https://solidproject.org"
    start = len(words.encode()) - len(link)
    facet = {
        "index": {"byteStart": start, "byteEnd": start + len(link)},
        "features": [{"$type": "app.bsky.richtext.facet#link", "uri": link}],
    }
    picture = {
        "$type": "app.bsky.embed.images",
        "images": [
            {
                "image": blob,
                "alt": "A drawing of a sunflower in front of a blue sky",
                "aspectRatio": {"width": 800, "height": 600},
            }
        ],
    }
    texts: list[dict[str, Any]] = [
        {"text": words, "facets": [facet]},
        {"text": "First sunflower of the year in the co-op garden 🌻", "embed": picture},
        {"text": f"You can follow me as @{member.acct} or @{member.handle}. It is the same me."},
    ]
    return [
        {
            "createdAt": f"{begin + timedelta(hours=i):%Y-%m-%dT%H:%M:%S.000Z}",
            "langs": ["en"],
            **text,
        }
        for i, text in enumerate(texts)
    ]


def _sunflower() -> bytes:
    image = Image.new("RGB", (800, 600), "#8fc7e8")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 470, 800, 600), fill="#6b8f3a")
    draw.rectangle((392, 300, 408, 520), fill="#3f6b2a")
    for dx, dy in (
        (0, -95),
        (67, -67),
        (95, 0),
        (67, 67),
        (0, 95),
        (-67, 67),
        (-95, 0),
        (-67, -67),
    ):
        x, y = 400 + dx, 250 + dy
        draw.ellipse((x - 55, y - 55, x + 55, y + 55), fill="#f4b400")
    draw.ellipse((330, 180, 470, 320), fill="#5b3a1a")
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _print(house: House, member: Member, password: str) -> None:
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("page", f"{member.origin}/"),
        ("actor, WebID", member.webid),
        ("fediverse", f"@{member.acct}"),
        ("handle, DID", f"@{member.handle}  {member.did}"),
        ("XRPC", f"{house.settings.origin}/xrpc/"),
        ("Solid storage", f"{member.origin}/data/"),
        ("login", f"{member.handle} / {password}"),
    ):
        table.add_row(f"[bold]{name}[/bold]", value)
    console = Console(soft_wrap=True)
    console.print("\nCommonpod is running. Ctrl-C ends it; the data stays.\n", style="green")
    console.print(table)
    console.print()
