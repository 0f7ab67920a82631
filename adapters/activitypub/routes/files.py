"""Files of posts that no record holds: for whoever was told their unguessable address.

Spec: https://www.w3.org/TR/capability-urls/
"""

from __future__ import annotations

from quart import Blueprint, Response, request

from adapters.activitypub import files
from adapters.activitypub.wing import Wing
from adapters.http.blobs import serve
from adapters.http.hosts import Hosts
from adapters.http.incoming import fields
from pod.errors import NotFound
from pod.media import Media


def add_file_routes(blueprint: Blueprint, wing: Wing, hosts: Hosts, media: Media | None) -> None:
    """GET and HEAD on members' origins; see `adapters.activitypub.lens.circle.shows`."""
    if media is None:
        return

    @blueprint.get("/notes/media/<name>")
    async def circle_file(name: str) -> Response:
        member = hosts.member(request.host)
        if not member.is_active:
            raise NotFound
        held = files.find(wing, member, name)
        row = media.held(member.id, held.cid)
        response = serve(row, media, fields(), is_public=False)
        response.headers["Referrer-Policy"] = "no-referrer"
        return response
