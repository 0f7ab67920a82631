"""What a member wrote lately, as the AppView will show it once it has seen it.

Spec: lexicons app.bsky.feed.defs, app.bsky.embed.*
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from adapters.atproto.errors import XrpcError
from adapters.atproto.firehose.frames import time_text
from adapters.atproto.proxy import Request
from adapters.atproto.xrpc.call import Call
from adapters.atproto.xrpc.services import Services
from pod.errors import PodError
from pod.model.member import Member
from pod.read import PROFILE_PATH
from pod.records.cbor import decode_trusted
from pod.records.cid import cid_text
from pod.records.data import data_to_json

View = dict[str, Any]

MOST: Final = 10
POSTS: Final = "/repo/app.bsky.feed.post/"
_IMAGES: Final = "app.bsky.embed.images"
_EXTERNAL: Final = "app.bsky.embed.external"
_RECORD: Final = "app.bsky.embed.record"
_BOTH: Final = "app.bsky.embed.recordWithMedia"


@dataclass(frozen=True, slots=True)
class Written:
    """A record that the AppView has not seen yet; ``record`` in its JSON form."""

    uri: str
    cid: str
    record: View
    indexed_at: str


@dataclass(frozen=True, slots=True)
class Lately:
    """The latest writes, oldest first; ``count`` includes those that no view shows."""

    count: int = 0
    profile: Written | None = None
    posts: tuple[Written, ...] = ()


def since(services: Services, member: Member, rev: str) -> Lately:
    """What a member wrote after a revision, of their last few commits.

    Nothing for a revision before all that is here, as of an account that moved in: then the AppView
    speaks of another server's repository.
    """
    if _rev_of_first(services, member) > rev:
        return Lately()
    ops = [
        op
        for change in reversed(services.store.recent_changes(member.id, limit=MOST))
        if change.kind == "commit" and change.rev is not None and change.rev > rev
        for op in change.ops
        if op.action != "delete"
    ]
    profile, posts = None, {}
    for path in dict.fromkeys(op.path for op in ops):
        found = services.shown.resource(member.id, path)
        if found is None or not (path == PROFILE_PATH or path.startswith(POSTS)):
            continue
        record = data_to_json(decode_trusted(found.body))
        written = Written(
            member.at_uri(path), cid_text(found.cid), record, time_text(found.updated_at)
        )
        if path == PROFILE_PATH:
            profile = written
        else:
            posts[path] = written
    return Lately(len(ops), profile, tuple(posts.values())[:MOST])


class Viewer:
    """Builds views of the caller's own records."""

    def __init__(self, call: Call, services: Services) -> None:
        self._call = call
        self._services = services
        self._member = call.member

    async def post(self, written: Written) -> View:
        """A post as it looks to everybody: nobody has liked it yet."""
        embed = written.record.get("embed")
        shown = await self._embed(embed) if isinstance(embed, dict) else None
        return {
            "uri": written.uri,
            "cid": written.cid,
            "likeCount": 0,
            "replyCount": 0,
            "repostCount": 0,
            "quoteCount": 0,
            "author": self._author(),
            "record": written.record,
            "indexedAt": written.indexed_at,
        } | ({} if shown is None else {"embed": shown})

    def basic(self, view: View, record: View) -> View:
        """Somebody's view with what their own record says of name and picture."""
        return _without_nothing(
            view
            | {
                "displayName": record.get("displayName"),
                "avatar": self._image(record.get("avatar")),
            }
        )

    def detailed(self, view: View, record: View) -> View:
        """The same with description and banner."""
        more = {
            "description": record.get("description"),
            "banner": self._image(record.get("banner")),
        }
        return _without_nothing(self.basic(view, record) | more)

    def _author(self) -> View:
        found = self._services.shown.resource(self._member.id, PROFILE_PATH)
        record = data_to_json(decode_trusted(found.body)) if found is not None else {}
        return self.basic({"did": self._member.did, "handle": self._member.handle}, record)

    def _image(self, blob: Any) -> str | None:
        try:
            cid = blob["ref"]["$link"]
        except (KeyError, TypeError):
            return None
        origin = self._services.settings.origin
        return f"{origin}/xrpc/com.atproto.sync.getBlob?did={self._member.did}&cid={cid}"

    async def _embed(self, embed: View) -> View | None:
        kind = embed.get("$type")
        if kind in (_IMAGES, _EXTERNAL):
            return self._media(embed)
        if kind == _RECORD:
            return await self._quote(embed)
        if kind == _BOTH:
            media, quote = self._media(embed["media"]), await self._quote(embed["record"])
            if media is not None:
                return {"$type": f"{_BOTH}#view", "record": quote, "media": media}
        return None

    def _media(self, embed: View) -> View | None:
        if embed.get("$type") == _IMAGES:
            images = [
                _without_nothing(
                    {
                        "thumb": self._image(image["image"]),
                        "fullsize": self._image(image["image"]),
                        "aspectRatio": image.get("aspectRatio"),
                        "alt": image["alt"],
                    }
                )
                for image in embed["images"]
            ]
            return {"$type": f"{_IMAGES}#view", "images": images}
        if embed.get("$type") == _EXTERNAL:
            told = embed["external"]
            shown = {name: told[name] for name in ("uri", "title", "description")}
            thumb = self._image(told.get("thumb"))
            shown |= {} if thumb is None else {"thumb": thumb}
            return {"$type": f"{_EXTERNAL}#view", "external": shown}
        return None

    async def _quote(self, embed: View) -> View:
        uri = embed["record"]["uri"]
        how = _QUOTED.get(uri.split("/")[3]) if uri.count("/") == 4 else None
        view = None
        if how is not None:
            nsid, parameter, pick = how
            view = await self._asked(nsid, parameter, uri, pick)
        lost = {"$type": f"{_RECORD}#viewNotFound", "uri": uri, "notFound": True}
        return {"$type": f"{_RECORD}#view", "record": view or lost}

    async def _asked(
        self, nsid: str, parameter: str, uri: str, pick: Callable[[Any], View | None]
    ) -> View | None:
        """What the AppView says of something quoted, None if it says nothing."""
        query = f"{parameter}={uri}".encode()
        request = Request(nsid, query, {})
        try:
            _, _, body = await self._services.proxy.forward(
                request, self._member, self._call.agent.credential
            )
            return pick(orjson.loads(body))
        except (PodError, XrpcError, orjson.JSONDecodeError, KeyError, IndexError, TypeError):
            return None


def _quoted_post(answer: Any) -> View:
    post = answer["posts"][0]
    embeds = {"embeds": [post["embed"]]} if "embed" in post else {}
    kept = {name: post[name] for name in ("uri", "cid", "author", "labels") if name in post}
    return {
        "$type": f"{_RECORD}#viewRecord",
        **kept,
        "value": post["record"],
        "indexedAt": post["indexedAt"],
        **embeds,
    }


_QUOTED: Final[dict[str, tuple[str, str, Callable[[Any], View | None]]]] = {
    "app.bsky.feed.post": ("app.bsky.feed.getPosts", "uris", _quoted_post),
    "app.bsky.feed.generator": (
        "app.bsky.feed.getFeedGenerator",
        "feed",
        lambda answer: {"$type": "app.bsky.feed.defs#generatorView", **answer["view"]},
    ),
    "app.bsky.graph.list": (
        "app.bsky.graph.getList",
        "list",
        lambda answer: {"$type": "app.bsky.graph.defs#listView", **answer["list"]},
    ),
}


def _rev_of_first(services: Services, member: Member) -> str:
    """The revision with which a member's repository began here."""
    for change in services.store.changes(after=0, limit=9, member=member.id):
        if change.rev is not None:
            return change.rev
    return "z"


def _without_nothing(view: View) -> View:
    return {name: value for name, value in view.items() if value is not None}
