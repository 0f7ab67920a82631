"""Mastodon's client API as one blueprint of all its rooms.

Spec: https://docs.joinmastodon.org/client/intro/
"""

from __future__ import annotations

from dataclasses import dataclass

from quart import Blueprint, Response, request

from adapters.activitypub import people_lists
from adapters.activitypub.acts import Acts
from adapters.activitypub.mastodon.accounts import Accounts
from adapters.activitypub.mastodon.answers import Answers
from adapters.activitypub.mastodon.ballots import Ballots
from adapters.activitypub.mastodon.branches import Branches
from adapters.activitypub.mastodon.composing import Composer
from adapters.activitypub.mastodon.conversations import Conversations
from adapters.activitypub.mastodon.entities import Entities
from adapters.activitypub.mastodon.filters import Filters
from adapters.activitypub.mastodon.frame import CORS, Frame, error, preflight
from adapters.activitypub.mastodon.gather import Gatherer
from adapters.activitypub.mastodon.hashtags import Hashtags
from adapters.activitypub.mastodon.instance import Instance
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.lister import Lister
from adapters.activitypub.mastodon.lists import Lists
from adapters.activitypub.mastodon.notices import Notices
from adapters.activitypub.mastodon.own_account import OwnAccount
from adapters.activitypub.mastodon.persons import Persons
from adapters.activitypub.mastodon.pictures import Pictures
from adapters.activitypub.mastodon.ports import Listings, Live, Media, MediaAddress
from adapters.activitypub.mastodon.reactions import Reactions
from adapters.activitypub.mastodon.relationships import Relationships
from adapters.activitypub.mastodon.statuses import Statuses
from adapters.activitypub.mastodon.streaming import Streaming
from adapters.activitypub.mastodon.tallies import Tallies
from adapters.activitypub.mastodon.timelines import TimelineRooms
from adapters.activitypub.mastodon.uploads import Uploads
from adapters.activitypub.outbox import Outbox
from adapters.activitypub.papers import Papers
from adapters.activitypub.pins import Pins
from adapters.activitypub.polls import Polls
from adapters.activitypub.presence import Presences
from adapters.activitypub.shield import Shield
from adapters.activitypub.social import Social
from adapters.activitypub.wing import Wing
from adapters.http.hosts import Hosts
from pod.errors import NotFound
from pod.oauth.server import AuthorizationServer


@dataclass(frozen=True, slots=True)
class Parts:
    """What the rooms are made of."""

    wing: Wing
    library: Library
    gatherer: Gatherer
    lister: Lister
    listings: Listings
    live: Live
    acts: Acts
    social: Social
    shield: Shield
    presences: Presences
    polls: Polls
    outbox: Outbox


def rooms(
    parts: Parts,
    hosts: Hosts,
    server: AuthorizationServer,
    media: Media,
    address: MediaAddress,
    *,
    is_limited: bool,
) -> Blueprint:
    """All endpoints, on the server's origin and on each member's."""
    blueprint = Blueprint("mastodon", __name__)
    wing, library = parts.wing, parts.library
    frame = Frame(blueprint, hosts, wing.reader, server, is_limited)
    tallies, filters = Tallies(wing), Filters(library, Papers(wing, "filter"))
    introduce, listings = parts.lister.introduce, parts.listings
    notes, pictures = Papers(wing, "about"), Pictures(wing, address)
    persons = Persons(wing, library, pictures, notes, tallies, introduce)
    entities = Entities(wing, library, persons, filters, Answers(wing, listings))
    uploads = Uploads(wing, library, media)
    catch_up = parts.gatherer.catch_up
    composer = Composer(wing, library, uploads)
    branches = Branches(wing, library, parts.lister)
    accounts = Accounts(wing, library, entities, persons, parts.shield, listings)
    lists = Lists(library, persons, Papers(wing, people_lists.KIND))
    hashtags = Hashtags(wing, library, listings, parts.presences)
    for room in (
        OwnAccount(wing, persons, parts.presences, media),
        Relationships(wing, library, persons, parts.acts, parts.social, parts.shield),
        accounts,
        uploads,
        Statuses(wing, library, entities, composer, parts.outbox, branches, catch_up),
        Reactions(wing, library, entities, parts.acts, Pins(wing), catch_up),
        Ballots(wing, library, parts.polls),
        TimelineRooms(wing, library, listings, entities, lists, catch_up),
        Notices(library, entities, catch_up),
        Conversations(wing, library, entities),
        filters,
        lists,
        hashtags,
        Instance(wing, library, entities, accounts, server, hashtags, parts.lister),
    ):
        room.add(frame)
    Streaming(entities, parts.live).add(blueprint, frame)

    @blueprint.route("/api/<path:rest>", methods=["OPTIONS"])
    async def options(rest: str) -> Response:  # noqa: ARG001  whatever it is
        return preflight()

    @blueprint.route("/api/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def unknown(rest: str) -> Response:  # noqa: ARG001  whatever it is
        response = error(NotFound(request.path))
        response.headers.update(CORS)
        return response

    return blueprint
