"""The well-known corner of every origin: WebFinger, host-meta, NodeInfo, DIDs, names.

Spec: RFC 8615, RFC 7033, RFC 6415, https://atproto.com/specs/handle#handle-resolution
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson
from quart import Blueprint, Response, request

from adapters.http.cors import open_to_all
from adapters.http.hosts import Hosts
from adapters.http.negotiate import choose
from adapters.identity import host_meta, nodeinfo
from adapters.identity.documents import did_web, member_document, names_of, server_document
from adapters.identity.usage import Usage
from adapters.identity.webfinger import (
    ServerActor,
    is_about,
    is_about_server,
    jrd_of,
    server_jrd,
)
from pod.errors import Invalid, NotFound
from pod.model.ids import Handle, Origin
from pod.model.member import Member
from pod.ports import Reader

_JRD: Final = "application/jrd+json"
_XRD: Final = "application/xrd+xml"


@dataclass(frozen=True, slots=True)
class Corner:
    """What the well-known corner needs.

    ``did_document`` builds the document of a member's account DID, ``software`` is the version of
    the pod. ``is_address`` tells whether a WebFinger resource is an address of a member.
    ``server_actor`` is named where the server has an actor of its own.
    """

    hosts: Hosts
    reader: Reader
    did_document: Callable[[Member], dict[str, Any]]
    software: str
    is_address: Callable[[str, Member], bool]
    usage: Usage
    open_sign_up: bool = False
    server_actor: ServerActor | None = None


def rooms(corner: Corner) -> Blueprint:
    """All routes of the corner, readable from any origin."""
    blueprint = Blueprint("identity", __name__)
    open_to_all(blueprint)
    _add_names(blueprint, corner)
    _add_dids(blueprint, corner)
    _add_nodeinfo(blueprint, corner)
    _add_certificates(blueprint, corner)
    return blueprint


def _json(data: Any, media_type: str = "application/json") -> Response:
    return Response(orjson.dumps(data), content_type=media_type)


def _active(corner: Corner) -> Member:
    member = corner.hosts.member(request.host)
    if not member.is_active:
        raise NotFound
    return member


def _add_names(blueprint: Blueprint, corner: Corner) -> None:
    hosts = corner.hosts

    @blueprint.get("/.well-known/webfinger")
    async def webfinger() -> Response:
        resource = request.args.get("resource")
        if not resource:
            raise Invalid("the parameter 'resource' is missing")
        actor = corner.server_actor
        if hosts.is_server(request.host):
            if actor is None or not is_about_server(resource, actor, request.host):
                raise NotFound
            return _json(server_jrd(actor, request.host), _JRD)
        member = _active(corner)
        if not corner.is_address(resource, member) and not is_about(resource, member):
            raise NotFound
        return _json(jrd_of(member, issuer=hosts.server, rels=request.args.getlist("rel")), _JRD)

    @blueprint.get("/.well-known/host-meta")
    async def host_meta_xrd() -> Response:
        origin = _inhabited(corner)
        wanted = choose(request.headers.get("Accept"), (_XRD, "application/xml", _JRD))
        if wanted == _JRD:
            return _json(host_meta.jrd(origin), _JRD)
        return Response(host_meta.xrd(origin), content_type=f"{_XRD}; charset=utf-8")

    @blueprint.get("/.well-known/host-meta.json")
    async def host_meta_json() -> Response:
        return _json(host_meta.jrd(_inhabited(corner)), _JRD)

    @blueprint.get("/identity.json")
    async def identity() -> Response:
        return _json(names_of(_active(corner)))


def _inhabited(corner: Corner) -> Origin:
    """The origin asked, if somebody lives there; raises NotFound."""
    hosts = corner.hosts
    return hosts.server if hosts.is_server(request.host) else _active(corner).origin


def _add_dids(blueprint: Blueprint, corner: Corner) -> None:
    @blueprint.get("/.well-known/atproto-did")
    async def atproto_did() -> Response:
        name = request.host.split(":")[0].lower()
        member = corner.reader.member_by_handle(Handle(name))
        if member is None:
            member = corner.hosts.member(request.host)
        if not member.is_active:
            raise NotFound
        return Response(member.did, content_type="text/plain; charset=utf-8")

    @blueprint.get("/.well-known/commonpod")
    async def server_did() -> Response:
        """On any host: tells that a brought domain leads here before anybody lives there."""
        return Response(did_web(corner.hosts.server), content_type="text/plain; charset=utf-8")

    @blueprint.get("/.well-known/change-password")
    async def change_password() -> Response:
        """On any host: where password managers lead their people."""
        return Response("", 302, {"Location": f"{corner.hosts.server}/account#security"})

    @blueprint.get("/.well-known/did.json")
    async def did_json() -> Response:
        if corner.hosts.is_server(request.host):
            return _json(server_document(corner.hosts.server))
        # Also of who rests: without it nobody could move in, nor return.
        member = corner.hosts.member(request.host)
        return _json(member_document(member, corner.did_document(member)))


def _add_certificates(blueprint: Blueprint, corner: Corner) -> None:
    @blueprint.get("/tls-check")
    async def tls_check() -> Response:
        """Whether a reverse proxy should get a certificate for a name: somebody lives there."""
        domain = request.args.get("domain", "").lower()
        if not domain:
            raise Invalid("the parameter 'domain' is missing")
        if not corner.hosts.is_server(domain):
            corner.hosts.member(domain)
        return _json({"success": True})


def _add_nodeinfo(blueprint: Blueprint, corner: Corner) -> None:
    @blueprint.get("/.well-known/nodeinfo")
    async def discovery() -> Response:
        return _json(nodeinfo.discovery(_inhabited(corner), corner.server_actor))

    @blueprint.get("/nodeinfo/<version>")
    async def document(version: str) -> Response:
        if version not in nodeinfo.VERSIONS:
            raise NotFound
        _inhabited(corner)
        is_server = corner.hosts.is_server(request.host)
        shown = nodeinfo.document(
            version,
            host=request.host,
            software=corner.software,
            used=await corner.usage.of_all()
            if is_server
            else corner.usage.of(corner.hosts.member(request.host)),
            open_sign_up=corner.open_sign_up and is_server,
        )
        return _json(shown, nodeinfo.media_type(version))
