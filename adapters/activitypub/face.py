"""The ActivityPub wing as the server sees it: a view, routes, two workers, the acts of members.

Spec: https://www.w3.org/TR/activitypub/
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from adapters.activitypub.acts import Acts
from adapters.activitypub.administration import Administration
from adapters.activitypub.authoring import Authoring
from adapters.activitypub.blurhash import Blurhashes
from adapters.activitypub.deliver import crossing
from adapters.activitypub.deliver.account import FAREWELL
from adapters.activitypub.deliver.errands import Errands
from adapters.activitypub.deliver.reactor import Reactor
from adapters.activitypub.deliver.send import Sender
from adapters.activitypub.desk import Desk
from adapters.activitypub.federation import Federation, GuardedEgress
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens.names import member_at
from adapters.activitypub.lens.words import Words
from adapters.activitypub.lists import Lists
from adapters.activitypub.mastodon.gather import Gatherer
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.lister import Lister
from adapters.activitypub.mastodon.ports import Listings, Live, Media, MediaAddress, Timelines
from adapters.activitypub.neighbours import relate
from adapters.activitypub.outbox import Outbox
from adapters.activitypub.polls import Polls
from adapters.activitypub.ports import (
    ActivityLog,
    Blobs,
    DeliveryQueue,
    DomainRules,
    Edges,
    Egress,
    Elsewhere,
    Emojis,
    Farewells,
    Followers,
    Imports,
    Keys,
    PeerHosts,
    RemoteCache,
    Reports,
    Seen,
)
from adapters.activitypub.presence import Presences
from adapters.activitypub.receive import move, relation
from adapters.activitypub.receive.farewell import forget_member
from adapters.activitypub.remote.actor import Actors
from adapters.activitypub.remote.document import Documents
from adapters.activitypub.remote.hosts import Hosts as PeerStates
from adapters.activitypub.remote.webfinger import holds
from adapters.activitypub.shield import Shield
from adapters.activitypub.social import Social
from adapters.activitypub.wing import Wing
from adapters.http.credentials import Authenticator
from adapters.http.hosts import Hosts
from adapters.http.throttle import Throttle
from pod.media import Media as Files
from pod.model.ids import Origin
from pod.model.member import Member
from pod.oauth.server import AuthorizationServer
from pod.ports import Clock, Reader, Store
from pod.records.tid import TidClock
from pod.write import Write

if TYPE_CHECKING:  # the workers of this wing do without the page engine, until somebody comes
    from quart import Blueprint

    from adapters.activitypub.routes.inbox import OtherMail
    from adapters.http.views import Absent, View

SEEN_FOR: Final = timedelta(days=7)
"""How long ids of activities are kept: far longer than any signature lives."""

CACHED_FOR: Final = timedelta(days=30)

QUEUED_FOR: Final = timedelta(days=7)
"""How long a delivery waits at most, however seldom its host may be tried."""

STREAMING: Final = ("/api/v1/streaming", "/api/v1/streaming/")
"""Where the client API has its WebSocket."""

GATHERING_S: Final = 0.1
"""How long changes gather after a turn before the next: each turn costs a commit of its own."""


class ActivityPub:
    """The whole wing.

    ``view`` goes to content negotiation, ``routes`` to the application; `react` and `deliver` are
    to be kept running, `tidy` done once in a while.
    """

    def __init__(
        self,
        *,
        server: Origin,
        store: Store,
        write: Write,
        keys: Keys,
        clock: Clock,
        tids: TidClock,
        egress: Egress,
        cache: RemoteCache,
        followers: Followers,
        edges: Edges,
        seen: Seen,
        queue: DeliveryQueue,
        log: ActivityLog,
        blobs: Blobs,
        elsewhere: Elsewhere,
        peer_hosts: PeerHosts,
        rules: DomainRules,
        reports: Reports,
        imports: Imports,
        farewells: Farewells,
        allow_list: bool = False,
        secure: bool = False,
        reader: Reader | None = None,
        throttle: Throttle | None = None,
        rests_until: Callable[[Member], datetime | None] = lambda _: None,
        timelines: Timelines | None = None,
        listings: Listings | None = None,
        emojis: Emojis,
    ) -> None:
        """``reader`` is the store as others may see it, where that is less than the store.

        With ``allow_list`` the pod talks to nobody but those that a rule allows; in ``secure`` mode
        documents are for those who sign their requests.
        """
        self._secure = secure
        self._store = store
        self._cache = cache
        shown = reader or store
        federation = Federation(
            rules,
            lambda iri: read.same_origin(iri, server) or member_at(shown, iri) is not None,
            allow_list=allow_list,
        )
        egress = GuardedEgress(egress, federation)
        states = PeerStates(peer_hosts)
        self._wing = Wing(
            server=server,
            reader=shown,
            write=write,
            keys=keys,
            clock=clock,
            tids=tids,
            egress=egress,
            actors=Actors(
                Documents(egress, keys, clock, server, states),
                cache,
                clock,
                partial(holds, egress, server.partition("://")[0]),
            ),
            followers=followers,
            edges=edges,
            seen=seen,
            cache=cache,
            queue=queue,
            log=log,
            blurhashes=Blurhashes(cache, blobs, clock),
            hosts=states,
            throttle=throttle or Throttle(),
            rules=rules,
            federation=federation,
            reports=reports,
            farewells=farewells,
            emojis=emojis,
            rests_until=rests_until,
        )
        self._reactor = Reactor(self._wing, relate)
        across = crossing.Crossing(self._wing, elsewhere, self._reactor.tell)
        errands: Errands = {
            crossing.SCHEME: across.run,
            move.SCHEME: lambda delivery, _: move.carry(self._wing, delivery),
            relation.NOTICE: lambda delivery, _: relation.note(self._wing, delivery),
            FAREWELL: lambda delivery, _: forget_member(self._wing, delivery),
        }
        self._sender = Sender(self._wing, errands)
        self.social = Social(self._wing)
        self.shield = Shield(self._wing)
        self.presences = Presences(self._wing)
        self.administration = Administration(self._wing)
        self.acts = Acts(self._wing, self.social)
        self.lists = Lists(self._wing, imports, self.acts, self.shield)
        self.desk = Desk(
            self._wing, self.social, self.acts, self.shield, self.presences, self.lists
        )
        self.polls = Polls(self._wing)
        self.authoring = Authoring(self._wing, self.social, self.acts, self.polls)
        self._outbox = Outbox(self._wing, self.authoring, self.shield, self.presences)
        self.live = Live()
        self._library = Library(self._wing, timelines) if timelines is not None else None
        self._gatherer: Gatherer | None = None
        self._listings, self._lister = listings, None
        if timelines is not None and listings is not None and self._library is not None:
            self._lister = Lister(self._wing, listings, self._library)
            self._gatherer = Gatherer(self._wing, timelines, self._library, self.live, self._lister)
            self._wing.heralds.append(self._gatherer)

    @property
    def view(self) -> View:
        """Public records as ActivityStreams, for content negotiation."""
        from adapters.activitypub.routes.gate import Gate
        from adapters.activitypub.routes.objects import as2_view

        return as2_view(self._wing, Gate(self._wing, secure=self._secure))

    @property
    def absent(self) -> Absent:
        """What peers are told of members who are not served."""
        from adapters.activitypub.routes.objects import absent

        return absent(self._wing)

    def routes(
        self,
        hosts: Hosts,
        authenticator: Authenticator,
        other_mail: OtherMail | None = None,
        files: Files | None = None,
    ) -> Blueprint:
        """The routes that are this wing's alone: inboxes, collections, activities, ``/actor``.

        ``other_mail`` answers what comes to an inbox with other credentials than a signature.
        """
        from adapters.activitypub.routes.gate import Gate
        from adapters.activitypub.routes.inbox import routes

        gate = Gate(self._wing, secure=self._secure)
        return routes(self._wing, hosts, authenticator, self._outbox, gate, other_mail, files)

    def client_api(
        self,
        hosts: Hosts,
        server: AuthorizationServer,
        media: Media,
        address: MediaAddress,
        *,
        is_limited: bool,
    ) -> Blueprint:
        """Mastodon's client API; ``address`` is where files of other servers are shown."""
        from adapters.activitypub.mastodon.rooms import Parts, rooms

        assert self._library is not None
        assert self._gatherer is not None
        assert self._lister is not None
        assert self._listings is not None
        parts = Parts(
            self._wing,
            self._library,
            self._gatherer,
            self._lister,
            self._listings,
            self.live,
            self.acts,
            self.social,
            self.shield,
            self.presences,
            self.polls,
            self._outbox,
        )
        return rooms(parts, hosts, server, media, address, is_limited=is_limited)

    @staticmethod
    def serves_socket(path: str) -> bool:
        """Whether a WebSocket to a path is of the client API."""
        return path in STREAMING

    def words(self, author: Member) -> Words:
        """An author's words and links, for views that show the same posts."""
        return Words(self._wing.reader, author)

    def takes_media(self, url: str) -> bool:
        """Whether files of an address may be shown here, by the administrator's rules."""
        return self._wing.federation.takes_media(url)

    async def react(self) -> None:
        """Turn changes into deliveries, until cancelled."""
        wake = asyncio.Event()
        wake.set()
        unsubscribe = self._store.subscribe(lambda _: wake.set())
        try:
            await self._wing.farewells.finish()  # what a crash left of it
            while True:
                await wake.wait()
                wake.clear()
                await self._reactor.catch_up()
                self._wing.outgoing.set()
                if self._gatherer is not None:
                    await self._gatherer.catch_up()
                await asyncio.sleep(GATHERING_S)
        finally:
            unsubscribe()

    async def deliver(self) -> None:
        """Send what is due, until cancelled; what is under way then stays in the queue."""
        await self._sender.run()

    async def flush(self) -> None:
        """Turn all changes and try each due delivery once, then return."""
        await self._reactor.catch_up()
        await self._sender.drain()

    async def tidy(self) -> None:
        """Forget seen ids, cached actors and deliveries that are too old to matter."""
        now = self._wing.clock.now()
        await self._wing.seen.forget(now - SEEN_FOR)
        await self._wing.queue.expire(now - QUEUED_FOR)
        await self._cache.forget(now - CACHED_FOR)
        await self._wing.farewells.finish()
        await self.shield.end_mutes()
        if self._gatherer is not None:
            await self._gatherer.tidy()

    async def count_polls(self) -> None:
        """Write down results of polls, and tell of their ends, to be done once in a while."""
        await self.polls.count()
        if self._gatherer is not None:
            await self._gatherer.end_polls()

    def backlog(self) -> int:
        """How many deliveries wait."""
        return self._wing.queue.size()
