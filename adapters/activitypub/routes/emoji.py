"""The server's custom emoji: each as AS2 under its id, and its picture.

Spec: https://docs.joinmastodon.org/spec/activitypub/#Emoji
"""

from __future__ import annotations

import asyncio

import orjson
from quart import Blueprint, Response, request

from adapters.activitypub.jsonld.context import EMOJI, MEDIA_TYPE, with_context
from adapters.activitypub.lens import emoji
from adapters.activitypub.wing import Wing
from adapters.http.hosts import Hosts
from pod.errors import NotFound


def add_emoji_routes(blueprint: Blueprint, wing: Wing, hosts: Hosts) -> None:
    """GET and HEAD on the server's origin, for everybody."""

    @blueprint.get("/emojis/<name>")
    async def custom_emoji(name: str) -> Response:
        held = wing.emojis.all().get(name.partition(".")[0])
        if not hosts.is_server(request.host) or held is None or name not in (held.name, held.file):
            raise NotFound
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": "public, max-age=3600",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }
        if name == held.name:
            shown = with_context(emoji.get(held, wing.server), EMOJI)
            return Response(orjson.dumps(shown), 200, headers, content_type=MEDIA_TYPE)
        body = await asyncio.to_thread(wing.emojis.body, held)
        return Response(body, 200, headers, content_type=held.media_type)
