"""The wiring: every name of the house, in one file. Opened once, closed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, cast

from adapters.activitypub import face as activitypub
from adapters.atproto import face as atproto
from adapters.http.limited import limited
from adapters.http.passwords import Passwords
from adapters.http.throttle import Throttle
from adapters.solid.notify.face import Notifications
from pod.access.agent import Agent
from pod.account import Accounts
from pod.confirm import Confirmations
from pod.domains import Domains
from pod.farewell import Farewell
from pod.media import Media
from pod.model.ids import Did, Handle, Iri, Origin
from pod.model.member import Member
from pod.oauth.ports import SIGN_IN_LASTS
from pod.oauth.server import assembled
from pod.second_factor import SecondFactor
from pod.settings import Settings
from pod.transfer import Transfer
from pod.write import Write
from server import emoji
from server.brought import believed, leads_here, seen_from_outside
from server.deferred import Deferred
from server.elsewhere import Elsewhere
from server.ground import Ground, open_ground
from server.hosts import App, Receive, Rooms, Scope, Send
from server.mail import mailbox, unwanted
from server.parts import Parts
from server.plc_log import VaultLog
from server.workers import Workers
from storage.accounts import StoredAccounts
from storage.channels import SqlChannels
from storage.confirmations import StoredConfirmations
from storage.delivery_queue import SqlActivityLog, SqlDeliveryQueue
from storage.devices import SqlDevices
from storage.domain_rules import StoredDomainRules
from storage.domains import SqlDomains
from storage.edges import SqlEdges, SqlSeen
from storage.farewells import StoredFarewells
from storage.followers import SqlFollowers
from storage.grants import StoredGrants
from storage.imports import SqlImports
from storage.invites import StoredInvites
from storage.listings import SqlListings
from storage.oauth import SqlOAuth
from storage.oauth_clients import SqlClients
from storage.peer_hosts import SqlPeerHosts
from storage.preferences import StoredPreferences
from storage.remote_cache import SqlRemoteCache
from storage.reports import SqlReports
from storage.store import SqlStore
from storage.timelines import SqlTimelines

TIDY_EVERY_S: Final = 600.0
POLLS_EVERY_S: Final = 5.0
SWEEP_EVERY_S: Final = 86_400.0

_Ground = Ground[atproto.MemoryProjection]


@dataclass(frozen=True, slots=True)
class House:
    """An open house: what the front door serves, and what the demo and the tools use."""

    settings: Settings
    store: SqlStore
    accounts: Accounts
    write: Write
    media: Media
    passwords: Passwords
    rooms: Rooms


async def open_house(settings: Settings) -> House:
    """Wire everything over the data folder of ``settings``; needs a running event loop."""
    ground = await open_ground(settings, atproto.MemoryProjection)
    own_plc = (
        None if settings.plc_url else atproto.PlcDirectory(VaultLog(ground.store), ground.clock)
    )
    directory: atproto.Directory = own_plc or atproto.PlcClient(ground.fetch, settings.plc_url)
    apps = SqlOAuth(ground.database)
    services = _services(ground, directory, apps)
    outbox = atproto.Outbox(ground.store, buffer=settings.limits.firehose_buffer)
    xrpc = atproto.xrpc(services, ground.lexicons, outbox)
    domains = Domains(
        ground.shown,
        SqlDomains(ground.database),
        seen_from_outside(settings.did, ground.fetch),
        services.mailbox,
        ground.clock,
    )
    watches = settings.watches_domains and not settings.dev
    fediverse = _fediverse(ground, services, domains.rests_until if watches else lambda _: None)
    devices = SqlDevices(ground.database)
    ground.store.subscribe(outbox.on_changes)
    ground.store.subscribe(services.crawl.on_changes)
    notifications = _notifications(ground, apps)
    workers = _workers(ground, services, fediverse, apps, devices)
    workers.every("notification channels", TIDY_EVERY_S, notifications.tidy)
    workers.keep_running("webhooks", notifications.run)
    if watches:
        workers.keep_running("domains", domains.run)
    parts = Parts(services, fediverse, apps, devices, notifications, domains)
    pages = Deferred(lambda: _pages(ground, parts))

    is_stream = activitypub.ActivityPub.serves_socket

    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        await (pages if is_stream(scope["path"]) else notifications.socket)(scope, receive, send)

    def end_streams() -> None:
        outbox.close()
        notifications.close()
        fediverse.live.close()

    def held(app: App) -> App:
        return limited(app, services.throttle) if settings.rate_limits else app

    async def close() -> None:
        await workers.stop()
        await ground.fetch.close()
        ground.passwords.close()
        await ground.database.close()

    return House(
        settings=settings,
        store=ground.store,
        accounts=services.accounts,
        write=ground.write,
        media=ground.media,
        passwords=ground.passwords,
        rooms=Rooms(
            xrpc=held(xrpc),
            serves_xrpc=xrpc.serves,
            pages=held(pages),
            socket=held(socket),
            serves_socket=lambda path: notifications.serves_socket(path) or is_stream(path),
            end_streams=end_streams,
            close=close,
            plc=cast("App | None", own_plc),
        ),
    )


def _did_document(ground: _Ground, member: Member) -> dict[str, Any]:
    key = ground.keyring.repo_key(member.id)
    return atproto.member_document(member, key.did_key, ground.settings.origin)


def _identities(ground: _Ground, directory: atproto.Directory) -> atproto.NetworkIdentities:
    def local_did(handle: Handle) -> Did | None:
        member = ground.store.member_by_handle(handle)
        return member.did if member is not None else None

    def own_document(did: Did) -> dict[str, Any] | None:
        member = ground.store.member_by_did(did)
        if member is None or did != "did:web:" + member.host.replace(":", "%3A"):
            return None
        return _did_document(ground, member)

    return atproto.NetworkIdentities(
        directory,
        atproto.HandleResolver(local_did, atproto.dns_txt, ground.fetch),
        ground.fetch,
        ground.clock,
        own=own_document,
    )


def _services(ground: _Ground, directory: atproto.Directory, apps: SqlOAuth) -> atproto.Services:
    settings, clock, store, fetch = ground.settings, ground.clock, ground.store, ground.fetch
    keyring, projection = ground.keyring, ground.projection
    identities = _identities(ground, directory)

    async def leads_to(handle: Handle, did: Did) -> bool:
        return await identities.resolve_handle(handle) == did

    book = StoredAccounts(ground.database)
    accounts = Accounts(
        store,
        book,
        projection,
        atproto.MemberDids(
            directory, keyring.rotation_key(), settings.origin, settings.recovery_key
        ),
        clock,
        settings,
        keyring.prime,
        controls_domain=believed
        if settings.dev
        else leads_here(settings.did, atproto.dns_txt, fetch),
        resolves_to=leads_to,
        refuses_mail_of=unwanted(settings),
    )
    oauth = assembled(
        issuer=settings.origin,
        store=apps,
        registered=SqlClients(ground.database),
        schemas=apps,
        resolve=atproto.LexiconSource(atproto.dns_txt, identities, fetch).schema,
        members=store,
        egress=fetch,
        secret=keyring.oauth_secret(),
        token_keys=keyring.token_keys,
        clock=clock,
    )
    letters = mailbox(settings)
    return atproto.Services(
        settings=settings,
        version=_version(),
        clock=clock,
        store=store,
        shown=ground.shown,
        read=ground.read,
        write=ground.write,
        media=ground.media,
        transfer=Transfer(
            store,
            ground.policy,
            projection,
            ground.tids,
            clock,
            quota_bytes=settings.limits.quota_bytes,
        ),
        accounts=accounts,
        keyring=keyring,
        repos=projection,
        tokens=atproto.SessionTokens(keyring.session_secret(), settings.did, clock),
        grants=StoredGrants(store),
        passwords=ground.passwords,
        preferences=StoredPreferences(ground.database),
        identities=identities,
        crawl=atproto.Crawl(settings.relays, settings.host_name, fetch, clock),
        consumers=atproto.Consumers(clock),
        proxy=atproto.Proxy(
            settings.appview, identities, fetch, keyring, clock, moderation=settings.moderation
        ),
        oauth=oauth,
        factor=SecondFactor(store, apps, clock),
        book=book,
        confirmations=Confirmations(StoredConfirmations(ground.database), letters, clock),
        mailbox=letters,
        invites=StoredInvites(ground.database),
        moderation=ground.moderation,
        reports=SqlReports(ground.database),
        farewell=Farewell(store, book, projection, ground.media, keyring, clock),
        directory=directory,
        egress=fetch,
        throttle=Throttle(enabled=settings.rate_limits),
    )


def _fediverse(
    ground: _Ground,
    services: atproto.Services,
    rests_until: Callable[[Member], datetime | None],
) -> activitypub.ActivityPub:
    database = ground.database
    return activitypub.ActivityPub(
        server=ground.settings.origin,
        store=ground.store,
        reader=ground.shown,
        write=ground.write,
        keys=ground.keyring,
        clock=ground.clock,
        tids=ground.tids,
        egress=ground.fetch,
        cache=SqlRemoteCache(database),
        followers=SqlFollowers(database),
        edges=SqlEdges(database),
        seen=SqlSeen(database),
        queue=SqlDeliveryQueue(database),
        log=SqlActivityLog(database),
        blobs=ground.media,
        elsewhere=Elsewhere(services.identities, ground.fetch),
        peer_hosts=SqlPeerHosts(database),
        throttle=Throttle(enabled=ground.settings.rate_limits),
        rules=StoredDomainRules(database),
        reports=SqlReports(database),
        imports=SqlImports(database),
        timelines=SqlTimelines(database),
        listings=SqlListings(database),
        farewells=StoredFarewells(database),
        allow_list=ground.settings.federation_allow_list,
        secure=ground.settings.authorized_fetch,
        rests_until=rests_until,
        emojis=emoji.folder(ground.settings),
    )


def _notifications(ground: _Ground, apps: SqlOAuth) -> Notifications:
    clients = SqlClients(ground.database)

    def is_let_in(agent: Agent) -> bool:
        """Apps by their sessions, members' programs for as long as they exist."""
        member = ground.store.member_by_origin(Origin((agent.iri or "").removesuffix("/me")))
        if agent.client is None or member is None or agent.issuer != Iri(ground.settings.origin):
            return True
        sessions = apps.sessions(member.id)
        is_in = any(session.client_id == agent.client for session in sessions)
        made = clients.client(agent.client)
        return is_in or (made is not None and made.member == member.id)

    return Notifications(
        store=ground.store,
        reader=ground.shown,
        policy=ground.policy,
        channels=SqlChannels(ground.database),
        egress=ground.fetch,
        key=ground.keyring.token_key(),
        clock=ground.clock,
        issuer=ground.settings.origin,
        is_let_in=is_let_in,
        dev=ground.settings.dev,
    )


def _workers(
    ground: _Ground,
    services: atproto.Services,
    fediverse: activitypub.ActivityPub,
    apps: SqlOAuth,
    devices: SqlDevices,
) -> Workers:
    clock, media = ground.clock, ground.media
    window = timedelta(seconds=ground.settings.limits.firehose_window_s)

    async def tidy_sign_ins() -> None:
        await apps.drop_expired(clock.now())
        await services.oauth.registrations.forget_unused()
        await devices.drop_expired(clock.now() - SIGN_IN_LASTS)

    async def prune_firehose() -> None:
        await ground.store.drop_frames(clock.now() - window)

    workers = Workers()
    workers.every("sign-in tidying", TIDY_EVERY_S, tidy_sign_ins)
    workers.every("blob collector", TIDY_EVERY_S, media.collect)
    workers.every("blob sweep", SWEEP_EVERY_S, media.sweep, at_once=True)
    workers.every("accounts that go", TIDY_EVERY_S, services.farewell.delete_due)
    workers.every("firehose window", TIDY_EVERY_S, prune_firehose)
    workers.every("fediverse tidying", TIDY_EVERY_S, fediverse.tidy)
    workers.every("polls", POLLS_EVERY_S, fediverse.count_polls)
    workers.keep_running("relays", services.crawl.run)
    workers.keep_running("fediverse reactor", fediverse.react)
    workers.keep_running("fediverse delivery", fediverse.deliver)
    workers.keep_running("fediverse lists", fediverse.lists.run)
    return workers


def _pages(ground: _Ground, parts: Parts) -> App:
    # Quart, RDF and templates: a pod that nobody looks at does without them.
    from server.pages import pages_of

    return pages_of(ground, parts, lambda member: _did_document(ground, member))


def _version() -> str:
    try:
        return version("commonpod")
    except PackageNotFoundError:
        return "0"
