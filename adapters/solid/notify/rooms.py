"""Subscription services, the channels that they made, streams of changes, and who sends webhooks.

Spec: https://solidproject.org/TR/notifications-protocol#subscription,
https://solid.github.io/notifications/streaming-http-channel-2023
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Final

import orjson
from pyoxigraph import NamedNode
from quart import Blueprint, Response, request

from adapters.http.cors import preflight
from adapters.http.incoming import fields, small_body
from adapters.http.negotiate import choose
from adapters.solid.channel_terms import (
    CONTEXT,
    FEATURES,
    GATEWAY,
    NOTIFY,
    RECEIVE,
    ROOT,
    STREAM,
    STREAMING,
    TYPES,
    WEBHOOK,
    WEBSOCKET,
    channel_url,
    moment_text,
    receive_from,
    sender,
    service,
    span_text,
)
from adapters.solid.lens.edit import facts
from adapters.solid.notify.face import Notifications
from adapters.solid.notify.feed import Feed
from adapters.solid.notify.message import JSONLD, OFFERED, media_of
from adapters.solid.notify.subscribe import holds
from adapters.solid.notify.wish import MAX_BODY, wish_of
from adapters.solid.paths import canonical_path
from adapters.solid.rdf.parse import TURTLE, parse_rdf
from adapters.solid.rdf.vocab import SOLID
from adapters.solid.rdf.write import write_rdf, write_turtle
from adapters.solid.routes.storage import show_graph
from adapters.solid.wing import Wing, across_origins, content_type, empty
from pod.access.acl import Mode
from pod.channel import Channel
from pod.errors import Forbidden, Invalid, NotFound, Unauthenticated, Unprocessable
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import ResourcePath

_JSON: Final = "application/json"
_SERVICE: Final = {"Allow": "GET, HEAD, OPTIONS, POST", "Accept-Post": f"{JSONLD}, {TURTLE}"}
_CHANNEL: Final = {"Allow": "GET, HEAD, OPTIONS, DELETE"}
_ANY_KIND: Final = f"<any({', '.join(TYPES)}):kind>"


def rooms(wing: Wing, notifications: Notifications, issuer: Iri) -> Blueprint:
    """Every route under ``/.notifications/`` but the WebSockets, which are no requests."""
    blueprint = Blueprint("notifications", __name__)
    blueprint.after_request(across_origins)
    _service_rooms(blueprint, wing, notifications)
    _channel_rooms(blueprint, wing, notifications)
    _stream_rooms(blueprint, wing, notifications)

    @blueprint.get(f"{ROOT}{WEBHOOK}/webId")
    async def webhook_sender() -> Response:
        target = await wing.target()
        webid = NamedNode(sender(target.member))
        told = write_turtle(facts(webid, (SOLID.oidcIssuer, NamedNode(issuer))))
        return await show_graph(wing, target, "fixed", told)

    return blueprint


def _service_rooms(blueprint: Blueprint, wing: Wing, notifications: Notifications) -> None:
    rule = blueprint.route

    @rule(f"{ROOT}{_ANY_KIND}/", methods=["GET"], provide_automatic_options=False)
    async def describe(kind: str) -> Response:
        member = (await wing.target()).member
        told = {"channelType": NOTIFY + kind, "feature": list(FEATURES)}
        return _shown({"id": service(member, kind), **told})

    @rule(f"{ROOT}{_ANY_KIND}/", methods=["POST"], provide_automatic_options=False)
    async def subscribe(kind: str) -> Response:
        target = await wing.target()
        media = content_type()
        wish = wish_of(await small_body(MAX_BODY), media, kind)
        channel = await notifications.subscriptions.subscribe(
            target.agent, target.member, kind, wish
        )
        if kind == WEBHOOK:
            notifications.webhooks.start(channel)
        if media.essence == _JSON and kind == WEBSOCKET:
            return _negotiated(receive_from(target.member, kind, channel.secret))
        return _shown(described(target.member, channel))

    @rule(f"{ROOT}{_ANY_KIND}/", methods=["OPTIONS"], provide_automatic_options=False)
    async def options(kind: str) -> Response:  # noqa: ARG001  all are alike
        return _options(_SERVICE)

    @rule(GATEWAY, methods=["POST"], provide_automatic_options=False)
    async def negotiate() -> Response:
        """Clients of before the channel types: which endpoint speaks a protocol they know."""
        member = (await wing.target()).member
        try:
            asked = orjson.loads(await small_body(MAX_BODY))
            protocols, features = asked["protocols"], asked.get("features", [])
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as err:
            raise Invalid("Say which protocols you speak: {protocols, features}") from err
        if "ws" not in protocols or not isinstance(features, list):
            raise Unprocessable("The one protocol here is ws")
        return _negotiated(service(member, WEBSOCKET), [f for f in features if f in FEATURES])

    @rule(GATEWAY, methods=["OPTIONS"], provide_automatic_options=False)
    async def gateway_options() -> Response:
        return _options({"Allow": "OPTIONS, POST", "Accept-Post": _JSON})


def _channel_rooms(blueprint: Blueprint, wing: Wing, notifications: Notifications) -> None:
    rule = blueprint.route

    async def found(kind: str, ident: str) -> tuple[Member, Channel]:
        target = await wing.target()
        channel = notifications.feeds.channels.get(ident)
        if channel is None or channel.type != kind or channel.member != target.member.id:
            raise NotFound
        if target.agent.member != channel.member and not holds(target.agent, channel):
            raise Forbidden if target.agent.is_authenticated else Unauthenticated
        return target.member, channel

    @rule(f"{ROOT}{_ANY_KIND}/<ident>", methods=["GET"], provide_automatic_options=False)
    async def show(kind: str, ident: str) -> Response:
        return _shown(described(*await found(kind, ident)), _CHANNEL)

    @rule(f"{ROOT}{_ANY_KIND}/<ident>", methods=["DELETE"], provide_automatic_options=False)
    async def unsubscribe(kind: str, ident: str) -> Response:
        _, channel = await found(kind, ident)
        await notifications.feeds.drop(channel.id)
        return empty(204)

    @rule(f"{ROOT}{_ANY_KIND}/<ident>", methods=["OPTIONS"], provide_automatic_options=False)
    async def channel_options(kind: str, ident: str) -> Response:  # noqa: ARG001  all are alike
        return _options(_CHANNEL)


def _stream_rooms(blueprint: Blueprint, wing: Wing, notifications: Notifications) -> None:
    feeds = notifications.feeds

    def stream(feed: Feed) -> Response:
        media_type = media_of(feed.channel.accept) or JSONLD

        async def told() -> AsyncIterator[bytes]:
            async with aclosing(feeds.messages(feed)) as messages:
                async for message in messages:
                    yield message.written(media_type) + b"\n"

        response = Response(told(), content_type=media_type)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"
        response.timeout = None
        return response

    @blueprint.get(f"{ROOT}{STREAMING}/{RECEIVE}/<secret>")
    async def receive(secret: str) -> Response:
        member = (await wing.target()).member
        channel = feeds.channels.by_secret(secret)
        if channel is None or channel.type != STREAMING or channel.member != member.id:
            raise NotFound
        if request.method == "HEAD":
            return Response(b"", content_type=media_of(channel.accept) or JSONLD)
        return stream(feeds.open(channel))

    @blueprint.get(f"{STREAM}/")
    @blueprint.get(f"{STREAM}/<path:rest>")
    async def follow(rest: str = "") -> Response:  # noqa: ARG001  the raw path decides
        """The stream that each resource's Link leads to: its state, and then its changes."""
        topic = canonical_path(request.scope["raw_path"]).removeprefix(STREAM)
        target = await wing.target(ResourcePath(topic))
        wing.require(target, Mode.READ)
        media_type = choose(request.headers.get("Accept"), (TURTLE, *OFFERED))
        if media_type is None:
            return empty(406)
        if request.method == "HEAD":
            return Response(b"", content_type=media_type)
        channel = notifications.subscriptions.stream(
            target.agent, target.member, target.path, media_type
        )
        return stream(feeds.open(channel, lasts=False))


def described(member: Member, channel: Channel) -> dict[str, Any]:
    """A channel as its holder sees it."""
    kind = channel.type
    is_pushed = channel.send_to is not None
    return {
        "id": channel_url(member, kind, channel.id),
        "type": NOTIFY + kind,
        "topic": member.url(channel.topic),
        "receiveFrom": None if is_pushed else receive_from(member, kind, channel.secret),
        "sendTo": channel.send_to,
        "sender": sender(member) if is_pushed else None,
        "startAt": moment_text(channel.start_at) if channel.start_at else None,
        "endAt": moment_text(channel.end_at),
        "rate": span_text(channel.rate) if channel.rate else None,
        "accept": channel.accept,
        "state": channel.state,
    }


def _shown(told: dict[str, Any], headers: Mapping[str, str] = _SERVICE) -> Response:
    """A document of the notifications vocabulary, in the syntax that was asked for."""
    media_type = choose(request.headers.get("Accept"), (*OFFERED, _JSON))
    if media_type is None:
        return empty(406)
    present = {name: value for name, value in told.items() if value is not None}
    body = orjson.dumps({"@context": [CONTEXT], **present})
    if media_type not in (JSONLD, _JSON):
        body = write_rdf(parse_rdf(body, JSONLD, told["id"]), media_type)
    response = Response(body, content_type=media_type, headers=dict(headers))
    response.headers["Vary"] = "Accept, Authorization"
    response.headers["Cache-Control"] = "no-store"
    return response


def _negotiated(endpoint: str, features: list[str] | None = None) -> Response:
    told = {"endpoint": endpoint, "protocol": "ws"}
    body = orjson.dumps(told if features is None else {**told, "features": features})
    return Response(body, content_type=_JSON, headers={"Cache-Control": "no-store"})


def _options(headers: Mapping[str, str]) -> Response:
    more = {}
    if "Access-Control-Request-Method" in request.headers:
        more = preflight(fields(), headers["Allow"])
    return empty(204, {**headers, **more})
