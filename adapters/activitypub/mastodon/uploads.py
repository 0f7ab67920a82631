"""Media that wait for their post: a blob of the member, with what is said of it.

Spec: https://docs.joinmastodon.org/methods/media/
"""

from __future__ import annotations

import asyncio
import io
import secrets
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from PIL import Image, UnidentifiedImageError

from adapters.activitypub.blurhash import blurhash_of
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.mastodon.frame import Asked, Frame
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.pictures import Entity, attachment
from adapters.activitypub.mastodon.ports import Media
from adapters.activitypub.wing import Wing
from pod.errors import Invalid, NotFound, Unprocessable
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import ResourcePath
from pod.model.timeline import Heard
from pod.records.cid import cid_text

MAX_FILE: Final = 50 * 1024 * 1024
MAX_WORDS: Final = 1_500
_NAME: Final = "upload:"


@dataclass(frozen=True, slots=True)
class Uploads:
    """Takes files; a draft of an attachment is kept for as long as posts of others are."""

    wing: Wing
    library: Library
    media: Media

    def add(self, frame: Frame) -> None:
        """All routes."""
        for version in ("v1", "v2"):
            frame.add("POST", f"/api/{version}/media", "write:media", self.take, form=MAX_FILE)
        frame.add("GET", "/api/v1/media/<id>", "write:media", self.show)
        frame.add("PUT", "/api/v1/media/<id>", "write:media", self.describe)

    async def take(self, asked: Asked) -> Entity:
        """Keep a file."""
        file = asked.files.get("file")
        if file is None:
            raise Invalid("File can't be blank")
        body = file.read()
        row = await self.media.keep(asked.me.id, body, file.content_type)
        kind = row.media_type.partition("/")[0]
        if kind not in ("image", "video", "audio"):
            raise Unprocessable("File has contents that are not supported")
        url = asked.me.url(ResourcePath(f"/blobs/{cid_text(row.cid)}"))
        facts = await asyncio.to_thread(_facts, body) if kind == "image" else {}
        part = {
            "type": kind.capitalize(),
            "mediaType": row.media_type,
            "url": url,
            **facts,
            **said(asked.fields),
        }
        return await self.anew(asked.me, part)

    async def anew(self, member: Member, part: Node) -> Entity:
        """Let a file wait for its post: a new one, or that of a post which is written anew."""
        iri = Iri(f"{_NAME}{secrets.token_urlsafe(16)}")
        await self._keep(member, iri, part)
        return self._shown(await self.library.id_of(iri, self.wing.clock.now()), part)

    async def show(self, asked: Asked) -> Entity:
        """A file that waits."""
        return self._shown(asked.path["id"], self.part(asked.me, asked.path["id"]))

    async def describe(self, asked: Asked) -> Entity:
        """Say what a file shows."""
        part = {**self.part(asked.me, asked.path["id"]), **said(asked.fields)}
        await self._keep(asked.me, self.library.iri_of(asked.path["id"]), part)
        return self._shown(asked.path["id"], part)

    def part(self, member: Member, number: str) -> Node:
        """The attachment that a post is to have; raises NotFound for others' and unknown ones."""
        iri = self.library.iri_of(number)
        held = self.library.timelines.heard(iri)
        if held is None or not iri.startswith(_NAME) or held.author != member.webid:
            raise NotFound
        found: Node = orjson.loads(held.body)
        return found

    async def _keep(self, member: Member, iri: Iri, part: Node) -> None:
        at = self.wing.clock.now()
        await self.library.timelines.hear(Heard(iri, member.webid, at, orjson.dumps(part)))

    @staticmethod
    def _shown(number: str, part: Node) -> Entity:
        return attachment(number, part["type"].lower(), part["url"], part["url"], part)


def said(told: Mapping[str, Any]) -> Node:
    """What an app says of a file: description and focal point; raises Invalid."""
    found: Node = {}
    words, focus = told.get("description"), told.get("focus")
    if words is not None:
        if len(str(words)) > MAX_WORDS:
            raise Invalid(f"Description is too long (maximum is {MAX_WORDS} characters)")
        found["name"] = str(words)
    if focus:
        try:
            point = [float(side) for side in str(focus).split(",")]
        except ValueError as err:
            raise Invalid("Focus is two numbers") from err
        if len(point) != 2 or not all(-1 <= side <= 1 for side in point):
            raise Invalid("Focus is two numbers between -1 and 1")
        found["focalPoint"] = point
    return found


def _facts(body: bytes) -> dict[str, Any]:
    """Size and blurhash of a picture; raises Unprocessable for what is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(body)) as picture:
                width, height = picture.size
        return {"width": width, "height": height, "blurhash": blurhash_of(body)}
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        Image.DecompressionBombWarning,
        Image.DecompressionBombError,
    ) as err:
        raise Unprocessable("File is not a picture that can be read") from err
