"""The web routes of this wing: inboxes, collections, activities, and the server's own actor.

Spec: https://www.w3.org/TR/activitypub/#inbox and https://www.w3.org/TR/activitypub/#shared-inbox-delivery
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from quart import Blueprint, Response, request

from adapters.activitypub import circle
from adapters.activitypub.deliver.followers_digest import followers_of
from adapters.activitypub.jsonld.context import AS2, MEDIA_TYPE, with_context
from adapters.activitypub.jsonld.read import parse
from adapters.activitypub.jsonld.strict import MAX_BYTES
from adapters.activitypub.lens.collection import collection
from adapters.activitypub.outbox import Outbox
from adapters.activitypub.receive.dispatch import Receiver
from adapters.activitypub.routes import collections, objects
from adapters.activitypub.routes.acts import add_act_routes
from adapters.activitypub.routes.client import add_client_routes
from adapters.activitypub.routes.emoji import add_emoji_routes
from adapters.activitypub.routes.files import add_file_routes
from adapters.activitypub.routes.gate import Gate
from adapters.activitypub.routes.keys import add_key_routes
from adapters.activitypub.routes.objects import as2
from adapters.activitypub.signature.request import Request
from adapters.activitypub.wing import Wing
from adapters.http.credentials import Authenticator
from adapters.http.hosts import Hosts, absence
from adapters.http.incoming import presented
from adapters.http.negotiate import parse_media_type
from pod.errors import NotFound, TooLarge, Unauthenticated, Unsupported
from pod.media import Media
from pod.model.member import Member
from pod.model.resource import ResourcePath

_ACCEPTED: Final = frozenset({MEDIA_TYPE, "application/ld+json", "application/json"})
"""What an activity may be posted as; ActivityPods says plain JSON."""


OtherMail = Callable[[], Awaitable[Response]]
"""Answers the current request, a letter that is no signed activity."""


def routes(
    wing: Wing,
    hosts: Hosts,
    authenticator: Authenticator,
    outbox: Outbox,
    gate: Gate,
    other_mail: OtherMail | None,
    files: Media | None = None,
) -> Blueprint:
    """All routes of the wing that are its alone.

    ``other_mail`` takes what is posted to a member's inbox with other credentials than a signature.
    """
    blueprint = Blueprint("activitypub", __name__)
    receiver = Receiver(wing, wing.throttle)
    add_act_routes(blueprint, wing, hosts, gate)
    add_key_routes(blueprint, wing, hosts, authenticator)
    add_client_routes(blueprint, wing, hosts, authenticator, outbox, files)
    add_file_routes(blueprint, wing, hosts, files)
    add_emoji_routes(blueprint, wing, hosts)

    @blueprint.post("/inbox")
    @blueprint.post("/inbox/")
    async def inbox() -> Response:
        if not hosts.is_server(request.host):
            _active(hosts)
            scheme = request.headers.get("Authorization", "").partition(" ")[0].lower()
            if other_mail is not None and scheme in ("bearer", "dpop"):
                return await other_mail()
        sent = presented(hosts, await _body())
        headers = list(sent.headers.items())
        await receiver.receive(Request(sent.method, sent.url, headers, sent.body))
        return Response(b"", status=202)

    @blueprint.post("/outbox")
    async def post() -> Response:
        member = _active(hosts)
        body = await _body()
        agent = await authenticator.agent(presented(hosts, body))
        if not agent.is_authenticated:
            raise Unauthenticated
        made = await outbox.post(agent, member, parse(body))
        return Response(b"", status=201, headers={"Location": made})

    @blueprint.get("/actor")
    async def actor() -> Response:
        _require_server(hosts)
        return as2(await objects.server_actor(wing))

    @blueprint.get("/actor/outbox")
    async def actor_outbox() -> Response:
        _require_server(hosts)
        empty = collection(f"{wing.server}/actor/outbox", 0, items=[])
        return as2(with_context(empty, AS2))

    @blueprint.get("/outbox/<name>")
    async def activity(name: str) -> Response:
        await gate.require(_active(hosts))
        return as2(collections.activity(wing, _active(hosts), name))

    @blueprint.get("/notes/<name>")
    async def circle_note(name: str) -> Response:
        member = _active(hosts)
        agent = await authenticator.agent(presented(hosts))
        reader = member.webid if agent.member == member.id else await gate.visitor()
        return as2(circle.shown(wing, member, member.url(ResourcePath(f"/notes/{name}")), reader))

    @blueprint.get("/followers_synchronization")
    async def followers_there() -> Response:
        member, visitor = _active(hosts), await gate.visitor()
        if visitor is None:
            raise Unauthenticated("Which followers are meant is told by the signature.")
        return as2(with_context(followers_of(wing, member, visitor), AS2))

    def serve(name: str, show: Callable[[Member], dict[str, Any]]) -> None:
        async def view() -> Response:
            await gate.require(_active(hosts))
            return as2(with_context(show(_active(hosts)), AS2))

        blueprint.add_url_rule(f"/{name}", name, view, methods=["GET"])

    serve("outbox", lambda member: collections.outbox(wing, member, request.args.get("page")))
    serve("followers", lambda member: collections.followers(wing, member, request.args.get("page")))
    serve("following", lambda member: collections.following(wing, member, request.args.get("page")))
    serve("liked", lambda member: collections.liked(wing, member, request.args.get("page")))
    serve("featured-tags", lambda member: collections.featured_tags(wing, member))
    serve("featured", lambda member: collections.featured(wing, member))
    return blueprint


async def _body() -> bytes:
    """The posted activity; raises Unsupported and TooLarge."""
    media = parse_media_type(request.headers.get("Content-Type", ""))
    if media is None or media.essence not in _ACCEPTED:
        raise Unsupported("Activities are posted as application/activity+json.")
    if (request.content_length or 0) > MAX_BYTES:
        raise TooLarge("An activity may take at most 256 KiB.")
    return await request.get_data(cache=False, as_text=False, parse_form_data=False)


def _active(hosts: Hosts) -> Member:
    member = hosts.member(request.host)
    if not member.is_active:
        raise absence(member)
    return member


def _require_server(hosts: Hosts) -> None:
    if not hosts.is_server(request.host):
        raise NotFound
