"""The inbox as its owner sees it: a container of what arrived, each notification as it came.

What arrives is posted by the ActivityPub wing's door; here it is read and thrown away.

Spec: https://www.w3.org/TR/ldn/#consumer, https://solidproject.org/TR/protocol#server-ldn
"""

from __future__ import annotations

from quart import Response

from adapters.http.views import Ask, Rendered, View
from adapters.solid.paths import INBOX
from adapters.solid.routes.storage import answer_with, missing, show_container
from adapters.solid.wing import Target, Wing, empty
from pod.access.acl import Mode
from pod.write import Delete


async def show(wing: Wing, target: Target) -> Response:
    """Answer GET and HEAD; the owner only."""
    wing.require(target, Mode.READ)
    if target.path == INBOX:
        return await show_container(wing, target)
    resource = target.resource
    if resource is None:
        raise missing(wing, target)
    body, media = resource.body, resource.media_type

    async def render(_: Ask) -> Rendered:
        return Rendered(body, media)

    return await answer_with(target, [View("native", (media, "application/ld+json"), render)])


async def delete(wing: Wing, target: Target) -> Response:
    """Throw a notification away."""
    wing.require(target, Mode.WRITE)
    if target.resource is None:
        raise missing(wing, target)
    await wing.write.apply(target.agent, target.member.id, [Delete(target.path)])
    return empty(204)
