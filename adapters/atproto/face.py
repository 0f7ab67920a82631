"""The face of the ATProto wing: all that the server may know of it.

Spec: https://atproto.com/specs/atp
"""

from __future__ import annotations

from adapters.atproto.auth import Authenticator, Shown
from adapters.atproto.crawl import Crawl
from adapters.atproto.did.client import Directory, MemberDids, PlcClient
from adapters.atproto.did.directory import PlcDirectory
from adapters.atproto.did.document import member_document
from adapters.atproto.did.handle import HandleResolver, dns_txt
from adapters.atproto.did.identities import NetworkIdentities
from adapters.atproto.did.plc import Entry
from adapters.atproto.firehose.audit import RepoAudit
from adapters.atproto.firehose.consumers import Consumers
from adapters.atproto.firehose.outbox import Outbox
from adapters.atproto.lexicon_source import LexiconSource
from adapters.atproto.ports import Lexicons
from adapters.atproto.project import MemoryProjection
from adapters.atproto.proxy import Proxy
from adapters.atproto.repo.commit import tree_of_file
from adapters.atproto.service_jwt import ServiceTokens
from adapters.atproto.session_tokens import SessionTokens
from adapters.atproto.xrpc import (
    admin,
    admin_subject,
    app_services,
    blob,
    identity,
    identity_plc,
    local_view,
    moderation,
    preferences,
    read_after_write,
    relay_health,
    repo_import,
    repo_read,
    repo_write,
    server_account,
    server_email,
    server_invites,
    server_secrets,
    server_session,
    sync_blob,
    sync_repo,
)
from adapters.atproto.xrpc.call import Method
from adapters.atproto.xrpc.elsewhere import forward
from adapters.atproto.xrpc.relay_health import relay_report
from adapters.atproto.xrpc.router import Router
from adapters.atproto.xrpc.server_account import check_did_points_here
from adapters.atproto.xrpc.services import Services
from adapters.atproto.xrpc.subscribe_repos import NSID as SUBSCRIBE_REPOS
from adapters.atproto.xrpc.subscribe_repos import RUNS, SubscribeRepos

__all__ = [
    "METHODS",
    "RUNS",
    "Authenticator",
    "Consumers",
    "Crawl",
    "Directory",
    "Entry",
    "HandleResolver",
    "LexiconSource",
    "MemberDids",
    "MemoryProjection",
    "NetworkIdentities",
    "Outbox",
    "PlcClient",
    "PlcDirectory",
    "Proxy",
    "RepoAudit",
    "Services",
    "SessionTokens",
    "Shown",
    "authenticator_of",
    "check_administrator",
    "check_did_points_here",
    "dns_txt",
    "member_document",
    "relay_report",
    "tree_of_file",
    "xrpc",
]

_ROOMS = (
    admin,
    admin_subject,
    app_services,
    blob,
    identity,
    identity_plc,
    local_view,
    moderation,
    preferences,
    read_after_write,
    relay_health,
    repo_import,
    repo_read,
    repo_write,
    server_account,
    server_email,
    server_invites,
    server_secrets,
    server_session,
    sync_blob,
    sync_repo,
)

METHODS: tuple[Method, ...] = tuple(
    found for room in _ROOMS for found in vars(room).values() if isinstance(found, Method)
)
"""Every method that this server answers itself."""


def authenticator_of(services: Services) -> Authenticator:
    """What tells who sent a request, also for the other wings."""
    settings = services.settings
    return Authenticator(
        services.tokens,
        services.oauth,
        services.store,
        ServiceTokens(services.identities, settings.did, services.clock),
        admin_password=settings.admin_password,
        moderation=None if settings.moderation is None else settings.moderation.did,
    )


def check_administrator(services: Services, authorization: str | None) -> None:
    """Pass for an ``Authorization`` header with the administrator's password; Unauthenticated."""
    shown = None if authorization is None else authorization.encode("latin-1", "replace")
    authenticator_of(services).administrator(Shown(shown))


def xrpc(services: Services, lexicons: Lexicons, outbox: Outbox) -> Router:
    """All of XRPC as one ASGI application; `Router.serves` tells which paths are its own."""
    return Router(
        METHODS,
        {SUBSCRIBE_REPOS: SubscribeRepos(outbox, services.consumers)},
        services,
        authenticator_of(services),
        lexicons,
        forward,
    )
