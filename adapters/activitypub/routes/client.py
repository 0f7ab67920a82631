"""What a member's own ActivityPub client finds besides the outbox: inbox, proxy, uploads.

Spec: https://www.w3.org/TR/activitypub/#inbox (GET), #actor-objects (proxyUrl) and
https://www.w3.org/wiki/SocialCG/ActivityPub/MediaUpload
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import orjson
from quart import Blueprint, Response, request

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import AS2, MEDIA_TYPE, PROFILED_TYPE, with_context
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens.collection import collection, page
from adapters.activitypub.moderation import INBOX, WAITING
from adapters.activitypub.outbox import Outbox
from adapters.activitypub.wing import Wing
from adapters.http.credentials import Authenticator
from adapters.http.hosts import Hosts, absence
from adapters.http.incoming import presented
from adapters.http.negotiate import choose
from pod.access.agent import Agent
from pod.errors import Forbidden, Invalid, TooLarge, Unauthenticated
from pod.model.ids import MemberId
from pod.model.member import Member
from pod.model.resource import ResourcePath
from pod.ports import BlobRow
from pod.records.cid import cid_text

MAX_FILE: Final = 50 * 1024 * 1024
_PAGE: Final = 20
AS2_TYPES: Final = (MEDIA_TYPE, PROFILED_TYPE)
# JSON-LD without the profile is the container, too.
OFFERED: Final = ("text/turtle", "application/ld+json", *AS2_TYPES)


class Uploads(Protocol):
    """Where files go (`pod.media.Media` fits)."""

    async def keep(self, member: MemberId, body: bytes, declared_type: str | None) -> BlobRow: ...


def add_client_routes(
    blueprint: Blueprint,
    wing: Wing,
    hosts: Hosts,
    authenticator: Authenticator,
    outbox: Outbox,
    uploads: Uploads | None,
) -> None:
    """Routes on members' origins, for the member alone."""

    async def owner() -> tuple[Member, Agent]:
        member = hosts.member(request.host)
        if not member.is_active:
            raise absence(member)
        agent = await authenticator.agent(presented(hosts))
        if not agent.is_authenticated:
            raise Unauthenticated
        if agent.member != member.id:
            raise Forbidden("Only the member's own clients are served here.")
        return member, agent

    async def read_inbox() -> Response | None:
        # The same URL is an LDP container, which is another wing's: only what asks for AS2 is here.
        is_asked = request.method in ("GET", "HEAD") and request.path == INBOX
        if not is_asked or hosts.is_server(request.host):
            return None
        if choose(request.headers.get("Accept", "*/*"), OFFERED) not in AS2_TYPES:
            return None
        member, _ = await owner()
        found = inbox(wing, member, request.args)
        headers = {"Vary": "Accept, Authorization", "Cache-Control": "private, no-store"}
        return Response(orjson.dumps(found), 200, headers, content_type=MEDIA_TYPE)

    blueprint.before_app_request(read_inbox)

    @blueprint.post("/proxyUrl")
    async def proxy() -> Response:
        await owner()
        iri = read.iri({"id": (await request.form).get("id")}, "id")
        if iri is None:
            raise Invalid("The form has an id, which is a web address.")
        found = await wing.actors.document(iri)
        return Response(orjson.dumps(found), content_type=MEDIA_TYPE)

    if uploads is None:
        return

    @blueprint.post("/uploadMedia")
    async def upload() -> Response:
        member, agent = await owner()
        if (request.content_length or 0) > MAX_FILE:
            raise TooLarge
        file = (await request.files).get("file")
        told = (await request.form).get("object")
        if file is None or told is None:
            raise Invalid("The form has a file, and an object that shows it.")
        node = read.parse(told.encode())
        row = await uploads.keep(member.id, file.read(), file.content_type)
        kind = row.media_type.partition("/")[0].capitalize()
        part = {
            "type": kind,
            "mediaType": row.media_type,
            "url": member.url(ResourcePath(f"/blobs/{cid_text(row.cid)}")),
            "name": read.text(node, "name") or "",
        }
        words = read.text(node, "content") or read.text(node, "summary") or ""
        audience: Node = {key: node[key] for key in ("to", "cc", "bto", "bcc") if key in node}
        note: Node = {"type": "Note", "content": words, "attachment": [part], **audience}
        made = await outbox.post(agent, member, note)
        return Response(b"", 201, {"Location": made})


def inbox(wing: Wing, member: Member, query: Mapping[str, str]) -> dict[str, Any]:
    """What came for a member, newest first, without what waits to be let in."""
    inbox_id = f"{member.origin}{INBOX}"
    if "page" not in query:
        total = wing.log.count(member.id, INBOX) - wing.log.count(member.id, WAITING)
        return with_context(collection(inbox_id, total), AS2)
    at = query["page"]
    after = INBOX + at if at.isalnum() else WAITING
    rows = wing.reader.resources(member.id, INBOX, after=after, limit=_PAGE, reverse=True)
    items = []
    for row in rows:
        post = read.parse(row.body) if row.media_type == MEDIA_TYPE else {}
        author = read.author(post)
        if author is not None and not row.path.startswith(WAITING):
            items.append(
                {
                    "id": f"{member.url(row.path)}#create",
                    "type": "Create",
                    "actor": author,
                    "object": {key: value for key, value in post.items() if key != "@context"},
                }
            )
    following = rows[-1].path.removeprefix(INBOX) if len(rows) == _PAGE else None
    return with_context(page(inbox_id, at, items, following), AS2)
