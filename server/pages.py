"""Everything that Quart serves: the rooms of the wings, wired, on one application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import structlog
from quart import Blueprint, Quart, Response, request

from adapters.atproto import face as atproto
from adapters.console import face as console
from adapters.http import blobs, media_proxy, problem, views
from adapters.http.hosts import Hosts
from adapters.http.record_views import RECORD_VIEWS
from adapters.identity import face as identity
from adapters.solid import face as solid
from pod.access.acl import Mode
from pod.keys.passkey import Site
from pod.model.ids import Iri
from pod.model.member import Member
from pod.passkeys import Passkeys
from server.credentials import SessionCredentials
from server.ground import Ground
from server.hosts import App
from server.parts import Parts
from storage.delivery_queue import SqlActivityLog
from storage.edges import SqlEdges
from storage.grants import StoredGrants
from storage.oauth_clients import SqlClients

log = structlog.get_logger()

BODY_LIMIT = 64 * 1024 * 1024
"""What Quart reads of a body at most; each route has its own, lower limit."""


def make_pages(rooms: Iterable[Blueprint], nonce: Callable[[], str]) -> Quart:
    """One application of all rooms. Paths have one spelling: nothing is merged or redirected.

    Whoever shows a token with a proof is told the ``nonce`` for the next one.
    """
    app = Quart("commonpod", static_folder=None)
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    for blueprint in rooms:
        app.register_blueprint(blueprint)
    problem.install(app)

    async def tell_nonce(response: Response) -> Response:
        if request.headers.get("Authorization", "")[:5].lower() == "dpop ":
            response.headers["DPoP-Nonce"] = nonce()
        return response

    app.after_request(tell_nonce)

    async def on_fault(error: Exception) -> Response:
        log.error("request failed", exc_info=error)
        return Response("Internal Server Error\n", status=500, content_type="text/plain")

    app.register_error_handler(Exception, on_fault)
    return app


def pages_of(
    ground: Ground[Any], parts: Parts, did_document: Callable[[Member], dict[str, Any]]
) -> App:
    """Every page and resource of the house, wired; ``did_document`` tells of a member's account."""
    services, fediverse, apps, devices = parts.services, parts.fediverse, parts.apps, parts.devices
    settings, store, shown, clock = ground.settings, ground.store, ground.shown, ground.clock
    policy = ground.policy
    hosts = Hosts(store, settings.origin)
    issuer = Iri(settings.origin)
    credentials = SessionCredentials(
        atproto.authenticator_of(services),
        solid.SolidTokens(
            issuer,
            services.oauth,
            store,
            solid.Issuers(ground.fetch, clock, is_dev=settings.dev),
            clock,
        ),
        issuer,
    )
    suffixes = [domain.handle_suffix for domain in settings.service_domains]
    faces = console.Console(
        hosts=hosts,
        reader=shown,
        read=ground.read,
        edges=SqlEdges(ground.database),
        presence=fediverse.presences.get,
        welcome=console.Welcome(
            handle_suffix=suffixes[0] if suffixes else "",
            open_sign_up=settings.open_sign_up,
            contact=settings.contact_email,
            lists_members=settings.dev,
        ),
    )
    linked_data = solid.Wing(
        hosts=hosts,
        authenticator=credentials,
        reader=shown,
        policy=policy,
        write=ground.write,
        media=ground.media,
        records=solid.RecordViews(shown, fediverse.words, issuer),
        mint=ground.drafts.mint_rkey,
        clock=clock,
        lexicons=ground.lexicons,
        hidden=ground.moderation.hidden,
    )
    admin = console.AdminPages(
        hosts,
        lambda authorization: atproto.check_administrator(services, authorization),
        lambda: atproto.relay_report(services),
        parts.domains,
    )
    browser = identity.Browser(settings.origin, ground.keyring.oauth_secret(), clock)
    consent = identity.ConsentPages(hosts, services.oauth, browser, devices, store, clock)
    passkeys = Passkeys(store, apps, clock, Site(settings.origin))
    sign_in = identity.SignIn(store, ground.passwords, services.factor, passkeys, services.throttle)
    addresses = identity.Addresses(services.accounts, ground.fetch.get)
    account_pages = identity.AccountPages(
        hosts=hosts,
        browser=browser,
        consent=consent,
        sign_in=sign_in,
        devices=devices,
        acts=identity.AccountActs(
            sign_in=sign_in,
            sessions=apps,
            clients=SqlClients(ground.database),
            registrations=services.oauth.registrations,
            grants=StoredGrants(store),
            passwords=ground.passwords,
            factor=services.factor,
            passkeys=passkeys,
            accounts=services.accounts,
            addresses=addresses,
            confirmations=services.confirmations,
            farewell=services.farewell,
            reader=store,
            clock=clock,
            check_lives_here=lambda member: atproto.check_did_points_here(services, member),
        ),
        reader=store,
        clock=clock,
    )
    sign_up = identity.SignUpPages(
        hosts=hosts,
        browser=browser,
        pages=account_pages,
        invites=services.invites,
        domains=tuple(suffixes),
        is_open=settings.open_sign_up,
    )
    corner = identity.Corner(
        hosts,
        store,
        did_document,
        services.version,
        addresses.leads_to,
        identity.Usage(store, SqlActivityLog(ground.database).count, ground.clock),
        open_sign_up=settings.open_sign_up,
        server_actor=identity.ServerActor(
            settings.host_name.split(":")[0], Iri(f"{settings.origin}/actor")
        ),
    )
    remote_media = media_proxy.MediaProxy(
        hosts, ground.fetch, ground.keyring.oauth_secret(), fediverse.takes_media
    )
    one_url = views.Views(
        [faces.view, fediverse.view, *solid.views(linked_data), *RECORD_VIEWS],
        [solid.record_links],
    )
    made = make_pages(
        [
            identity.rooms(corner),
            identity.oauth_rooms(hosts, services.oauth),
            identity.OpenIdRooms(hosts, services.oauth, browser, devices, store).rooms(),
            consent.rooms(),
            account_pages.rooms(),
            identity.FediversePages(hosts, browser, account_pages, fediverse.desk).rooms(),
            sign_up.rooms(),
            fediverse.routes(hosts, credentials, solid.letter_box(linked_data), ground.media),
            faces.rooms(),
            admin.rooms(),
            console.FederationPages(hosts, admin, fediverse.administration).rooms(),
            fediverse.client_api(
                hosts,
                services.oauth,
                ground.media,
                remote_media.address,
                is_limited=settings.rate_limits,
            ),
            solid.rooms(linked_data),
            solid.notification_rooms(linked_data, parts.notifications, issuer),
            blobs.rooms(hosts, ground.media),
            remote_media.rooms(),
            views.rooms(
                hosts=hosts,
                reader=shown,
                authenticator=credentials,
                allow=lambda agent, owner, path: policy.require(agent, Mode.READ, owner, path),
                views=one_url,
                front_door=faces.front_door,
                absent=fediverse.absent,
            ),
        ],
        services.oauth.proofs.nonce,
    )
    return cast("App", made)
