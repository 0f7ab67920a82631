"""The wiring: every name of the house, in one file. Opened once, closed once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, cast

from adapters.activitypub import face as activitypub
from adapters.atproto import face as atproto
from adapters.http.fetch import Fetch
from adapters.http.hosts import Hosts
from adapters.http.limited import limited
from adapters.http.passwords import Passwords
from adapters.http.throttle import Throttle
from pod.access.acl import Acl, Mode
from pod.access.policy import AclReader, Policy
from pod.account import Accounts
from pod.confirm import Confirmations
from pod.draft import Drafts
from pod.farewell import Farewell
from pod.keys.keyring import KeyRing
from pod.keys.passkey import Site
from pod.media import Media
from pod.model.ids import Did, Handle, Iri
from pod.model.member import Member
from pod.model.resource import Resource
from pod.moderate import Moderation
from pod.oauth.ports import SIGN_IN_LASTS
from pod.oauth.server import assembled
from pod.passkeys import Passkeys
from pod.read import Read
from pod.records.lexicon.registry import Registry
from pod.records.tid import TidClock
from pod.second_factor import SecondFactor
from pod.settings import Settings
from pod.transfer import Transfer
from pod.write import Write
from server.brought import believed, leads_here
from server.credentials import SessionCredentials
from server.deferred import Deferred
from server.hosts import App, Rooms
from server.mail import mailbox
from server.plc_log import VaultLog
from server.workers import Workers
from storage.accounts import StoredAccounts
from storage.blobs import FolderBlobs
from storage.confirmations import StoredConfirmations
from storage.delivery_queue import SqlActivityLog, SqlDeliveryQueue
from storage.devices import SqlDevices
from storage.edges import SqlEdges, SqlSeen
from storage.engine import Database
from storage.followers import SqlFollowers
from storage.grants import StoredGrants
from storage.invites import StoredInvites
from storage.key_vault import Seal
from storage.migrate import upgrade
from storage.oauth import SqlOAuth
from storage.preferences import StoredPreferences
from storage.remote_cache import SqlRemoteCache
from storage.shown import ShownReader
from storage.store import SqlStore
from storage.takedowns import StoredTakedowns

TIDY_EVERY_S: Final = 600.0
SWEEP_EVERY_S: Final = 86_400.0


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """The current time."""
        return datetime.now(UTC)


class _AccessDocuments:
    """The policy's `AclReader`: the Solid wing's, which is loaded with the first document."""

    @cached_property
    def _wing(self) -> AclReader:
        from adapters.solid.face import WacDocuments

        return WacDocuments()

    def acl(self, document: Resource, base: Iri) -> Acl:
        """The rules of an access control document."""
        return self._wing.acl(document, base)

    def group(self, document: Resource, base: Iri, group: Iri) -> frozenset[Iri]:
        """The members of a group that a document describes."""
        return self._wing.group(document, base, group)


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
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = settings.data_dir / "pod.sqlite"
    upgrade(path)
    database = Database(path)
    store = SqlStore(database, Seal.open(settings.data_dir / "seal.key"))
    clock = SystemClock()
    tids = TidClock(clock)
    keyring = KeyRing(store)
    await keyring.open()
    lexicons = Registry.load()
    projection = atproto.MemoryProjection(keyring.repo_key, tids)
    policy = Policy(store, _AccessDocuments())
    limits = settings.limits
    drafts = Drafts(lexicons, tids, limits)
    moderation = Moderation(StoredTakedowns(database), clock)
    write = Write(
        store,
        policy,
        projection,
        drafts,
        tids,
        clock,
        quota_bytes=limits.quota_bytes,
        hides=moderation.hides_blob,
    )
    shown = ShownReader(store, moderation)
    read = Read(shown, policy)
    media = Media(
        store, FolderBlobs(settings.data_dir / "blobs"), clock, limits, hides=moderation.hides_blob
    )
    fetch = Fetch(settings.egress)
    passwords = Passwords(settings.hashing)

    own_plc = None if settings.plc_url else atproto.PlcDirectory(VaultLog(store), clock)
    directory: atproto.Directory = own_plc or atproto.PlcClient(fetch, settings.plc_url)

    def local_did(handle: Handle) -> Did | None:
        member = store.member_by_handle(handle)
        return member.did if member is not None else None

    def did_document(member: Member) -> dict[str, Any]:
        key = keyring.repo_key(member.id)
        return atproto.member_document(member, key.did_key, settings.origin)

    def own_document(did: Did) -> dict[str, Any] | None:
        member = store.member_by_did(did)
        if member is None or did != "did:web:" + member.host.replace(":", "%3A"):
            return None
        return did_document(member)

    identities = atproto.NetworkIdentities(
        directory,
        atproto.HandleResolver(local_did, atproto.dns_txt, fetch),
        fetch,
        clock,
        own=own_document,
    )

    async def leads_to(handle: Handle, did: Did) -> bool:
        return await identities.resolve_handle(handle) == did

    book = StoredAccounts(database)
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
    )

    outbox = atproto.Outbox(store, buffer=limits.firehose_buffer)
    crawl = atproto.Crawl(settings.relays, settings.host_name, fetch, clock)
    tokens = atproto.SessionTokens(keyring.session_secret(), settings.did, clock)
    apps = SqlOAuth(database)
    oauth = assembled(
        issuer=settings.origin,
        store=apps,
        schemas=apps,
        resolve=atproto.LexiconSource(atproto.dns_txt, identities, fetch).schema,
        members=store,
        egress=fetch,
        secret=keyring.oauth_secret(),
        clock=clock,
    )
    factor = SecondFactor(store, apps, clock)
    grants = StoredGrants(store)
    letters = mailbox(settings)
    throttle = Throttle(enabled=settings.rate_limits)
    services = atproto.Services(
        settings=settings,
        version=_version(),
        clock=clock,
        store=store,
        shown=shown,
        read=read,
        write=write,
        media=media,
        transfer=Transfer(store, policy, projection, tids, clock, quota_bytes=limits.quota_bytes),
        accounts=accounts,
        keyring=keyring,
        repos=projection,
        tokens=tokens,
        grants=grants,
        passwords=passwords,
        preferences=StoredPreferences(database),
        identities=identities,
        crawl=crawl,
        consumers=atproto.Consumers(clock),
        proxy=atproto.Proxy(
            settings.appview, identities, fetch, keyring, clock, moderation=settings.moderation
        ),
        oauth=oauth,
        factor=factor,
        book=book,
        confirmations=Confirmations(StoredConfirmations(database), letters, clock),
        mailbox=letters,
        invites=StoredInvites(database),
        moderation=moderation,
        farewell=Farewell(store, book, projection, media, keyring, clock),
        directory=directory,
        egress=fetch,
        throttle=throttle,
    )
    xrpc = atproto.xrpc(services, lexicons, outbox)
    hosts = Hosts(store, settings.origin)
    edges = SqlEdges(database)
    fediverse = activitypub.ActivityPub(
        server=settings.origin,
        store=store,
        reader=shown,
        write=write,
        keys=keyring,
        clock=clock,
        tids=tids,
        egress=fetch,
        cache=SqlRemoteCache(database),
        followers=SqlFollowers(database),
        edges=edges,
        seen=SqlSeen(database),
        queue=SqlDeliveryQueue(database),
        log=SqlActivityLog(database),
    )
    credentials = SessionCredentials(atproto.authenticator_of(services))
    devices = SqlDevices(database)

    def pages() -> App:
        # Quart, RDF and templates: a pod that nobody looks at does without them.
        from adapters.console import face as console
        from adapters.http import blobs, views
        from adapters.http.record_views import RECORD_VIEWS
        from adapters.identity import face as identity
        from adapters.solid import face as solid
        from server.pages import make_pages

        faces = console.Console(
            hosts=hosts,
            reader=shown,
            read=read,
            edges=edges,
            welcome=console.Welcome(
                handle_suffix=settings.service_domains[0].handle_suffix
                if settings.service_domains
                else "",
                open_sign_up=settings.open_sign_up,
                contact=settings.contact_email,
                lists_members=settings.dev,
            ),
        )
        issuer = Iri(settings.origin)
        linked_data = solid.Wing(
            hosts=hosts,
            authenticator=credentials,
            reader=shown,
            policy=policy,
            write=write,
            media=media,
            records=solid.RecordViews(shown, fediverse.words, issuer),
            mint=drafts.mint_rkey,
            clock=clock,
        )
        browser = identity.Browser(settings.origin, keyring.oauth_secret(), clock)
        consent = identity.ConsentPages(hosts, oauth, browser, devices, store, clock)
        passkeys = Passkeys(store, apps, clock, Site(settings.origin))
        sign_in = identity.SignIn(store, passwords, factor, passkeys, throttle)
        accounts_pages = identity.AccountPages(
            hosts=hosts,
            browser=browser,
            consent=consent,
            sign_in=sign_in,
            devices=devices,
            acts=identity.AccountActs(
                sign_in=sign_in,
                sessions=apps,
                grants=grants,
                passwords=passwords,
                factor=factor,
                passkeys=passkeys,
                accounts=accounts,
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
            pages=accounts_pages,
            invites=services.invites,
            domains=tuple(domain.handle_suffix for domain in settings.service_domains),
            is_open=settings.open_sign_up,
        )
        made = make_pages(
            [
                identity.rooms(
                    identity.Corner(
                        hosts,
                        store,
                        did_document,
                        _version(),
                        open_sign_up=settings.open_sign_up,
                        server_actor=identity.ServerActor(
                            settings.host_name.split(":")[0], Iri(f"{settings.origin}/actor")
                        ),
                    )
                ),
                identity.oauth_rooms(hosts, oauth),
                consent.rooms(),
                accounts_pages.rooms(),
                sign_up.rooms(),
                fediverse.routes(hosts, credentials),
                faces.rooms(),
                solid.rooms(linked_data, read, issuer),
                blobs.rooms(hosts, media),
                views.rooms(
                    hosts=hosts,
                    reader=shown,
                    authenticator=credentials,
                    allow=lambda agent, owner, path: policy.require(agent, Mode.READ, owner, path),
                    views=views.Views(
                        [faces.view, fediverse.view, *solid.views(linked_data), *RECORD_VIEWS],
                        [solid.record_links],
                    ),
                    front_door=faces.front_door,
                ),
            ],
            oauth.proofs.nonce,
        )
        return cast("App", made)

    store.subscribe(outbox.on_changes)
    store.subscribe(crawl.on_changes)

    async def tidy_sign_ins() -> None:
        await apps.drop_expired(clock.now())
        await devices.drop_expired(clock.now() - SIGN_IN_LASTS)

    workers = Workers()
    workers.every("sign-in tidying", TIDY_EVERY_S, tidy_sign_ins)
    workers.every("blob collector", TIDY_EVERY_S, media.collect)
    workers.every("blob sweep", SWEEP_EVERY_S, media.sweep)
    workers.every("accounts that go", TIDY_EVERY_S, services.farewell.delete_due)
    window = timedelta(seconds=limits.firehose_window_s)
    workers.every("firehose window", TIDY_EVERY_S, lambda: store.drop_frames(clock.now() - window))
    workers.every("fediverse tidying", TIDY_EVERY_S, fediverse.tidy)
    workers.keep_running("relays", crawl.run)
    workers.keep_running("fediverse reactor", fediverse.react)
    workers.keep_running("fediverse delivery", fediverse.deliver)

    def held(app: App) -> App:
        return limited(app, throttle) if settings.rate_limits else app

    async def close() -> None:
        await workers.stop()
        await fetch.close()
        passwords.close()
        await database.close()

    return House(
        settings=settings,
        store=store,
        accounts=accounts,
        write=write,
        media=media,
        passwords=passwords,
        rooms=Rooms(
            xrpc=held(xrpc),
            serves_xrpc=xrpc.serves,
            pages=held(Deferred(pages)),
            end_streams=outbox.close,
            close=close,
            plc=cast("App | None", own_plc),
        ),
    )


def _version() -> str:
    try:
        return version("commonpod")
    except PackageNotFoundError:
        return "0"
