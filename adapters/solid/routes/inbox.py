"""The inbox as its owner sees it, and as others write to it without being ActivityPub servers.

It is a container of what arrived, each notification as it came. Signed activities come by the
ActivityPub wing's door; here are letters in RDF from agents with a WebID.

Spec: https://www.w3.org/TR/ldn/#receiver https://solidproject.org/TR/protocol#server-ldn
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from quart import Response

from adapters.http.views import Ask, Rendered, View
from adapters.solid.paths import INBOX
from adapters.solid.rdf.parse import JSONLD, TURTLE, aside, parse_rdf
from adapters.solid.routes.storage import answer_with, show_container, show_document
from adapters.solid.wing import (
    AS2,
    RDF_TYPES,
    Target,
    Wing,
    content_type,
    empty,
    headers_of,
    sent,
)
from pod.access.acl import Mode
from pod.access.agent import SYSTEM
from pod.errors import NotFound, TooLarge, Unsupported
from pod.model.resource import ABSENT, ResourcePath
from pod.write import Delete, PutDocument

MAX_LETTER_BYTES: Final = 256 * 1024


async def show(wing: Wing, target: Target) -> Response:
    """Answer GET and HEAD; the owner only."""
    wing.require(target, Mode.READ)
    if target.path == INBOX:
        return await show_container(wing, target)
    resource = target.resource
    if resource is None:
        raise NotFound
    if resource.media_type in RDF_TYPES:
        return await show_document(wing, target, resource, "letter")
    body, media = resource.body, resource.media_type
    headers = headers_of("letter", target)

    async def render(_: Ask) -> Rendered:
        return Rendered(body, media, headers)

    return await answer_with(target, [View("native", (media, JSONLD), render)])


def letter_box(wing: Wing) -> Callable[[], Awaitable[Response]]:
    """What answers a POST to an inbox that is no signed activity."""

    async def take() -> Response:
        target = await wing.target()
        return await receive(wing, replace(target, path=INBOX))

    return take


async def receive(wing: Wing, target: Target) -> Response:
    """Keep a notification; activities in plain AS2 JSON are kept as such."""
    wing.require(target, Mode.APPEND)
    media_type = content_type().essence
    if media_type not in (JSONLD, TURTLE, AS2):
        raise Unsupported("Notifications are JSON-LD or Turtle")
    body = await sent()
    if len(body) > MAX_LETTER_BYTES:
        raise TooLarge("A notification may have 256 KiB")
    path = ResourcePath(INBOX + secrets.token_hex(12))
    url = target.member.url(path)
    syntax = JSONLD if media_type == AS2 else media_type
    await aside(len(body), lambda: parse_rdf(body, syntax, url, only_default=True))
    op = PutDocument(path, media_type, body, ABSENT)
    await wing.write.apply(SYSTEM, target.member.id, [op])
    return empty(201, {"Location": url})


async def delete(wing: Wing, target: Target) -> Response:
    """Throw a notification away."""
    wing.require(target, Mode.WRITE)
    if target.resource is None:
        raise NotFound
    await wing.write.apply(target.agent, target.member.id, [Delete(target.path)])
    return empty(205)
