"""app.bsky reads answered from the pod itself while no AppView is configured.

Spec: lexicons app.bsky.actor.getProfile, app.bsky.actor.getProfiles, app.bsky.feed.getAuthorFeed
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Final

from adapters.atproto.xrpc.call import Auth, Call, Result, query
from adapters.atproto.xrpc.read_after_write import author_feed, munged, profile, profiles
from adapters.atproto.xrpc.repos import find_member
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid
from pod.model.member import Member
from pod.model.profile import Profile
from pod.model.resource import Resource, record_key
from pod.records.cbor import decode_trusted
from pod.records.cid import cid_text

FEED: Final = "app.bsky.feed.post"
FOLLOW: Final = "app.bsky.graph.follow"
PAGE: Final = 50


@query("app.bsky.actor.getProfile", Auth.ACCESS)
async def get_profile(call: Call, services: Services) -> Result:
    """How a member of this server presents themselves."""
    if services.proxy.serves(call.headers):
        return await munged(call, services, profile)
    return _profile(services, _member(services, call.params["actor"]))


@query("app.bsky.actor.getProfiles", Auth.ACCESS)
async def get_profiles(call: Call, services: Services) -> Result:
    """Several profiles at once; those that are not of this server are left out."""
    if services.proxy.serves(call.headers):
        return await munged(call, services, profiles)
    found = [find_member(services.store, actor) for actor in call.params["actors"]]
    return {"profiles": [_profile(services, m) for m in found if m is not None and m.is_active]}


@query("app.bsky.feed.getAuthorFeed", Auth.ACCESS)
async def get_author_feed(call: Call, services: Services) -> Result:
    """A member's own posts, newest first."""
    if services.proxy.serves(call.headers):
        return await munged(call, services, author_feed)
    params = call.params
    member = _member(services, params["actor"])
    prefix, cursor = f"/repo/{FEED}/", params.get("cursor")
    page = services.shown.resources(
        member.id,
        prefix,
        after=prefix + cursor if cursor else None,
        limit=params.get("limit", PAGE),
        reverse=True,
    )
    author = _author(services, member)
    feed = [{"post": _post(member, author, found)} for found in page]
    return {"feed": feed} | ({"cursor": page[-1].path[len(prefix) :]} if page else {})


def _member(services: Services, actor: str) -> Member:
    member = find_member(services.store, actor)
    if member is None or not member.is_active:
        raise Invalid("Profile not found")
    return member


def _author(services: Services, member: Member) -> dict[str, Any]:
    """The fields that every view of a person has."""
    shown = services.read.profile(member.id)
    author = {"did": member.did, "handle": member.handle, "labels": []}
    if shown.name:
        author["displayName"] = shown.name
    if shown.avatar is not None:
        author["avatar"] = _blob_url(services, member, shown.avatar.cid)
    return author | {"createdAt": _text(member.created_at)}


def _profile(services: Services, member: Member) -> dict[str, Any]:
    shown: Profile = services.read.profile(member.id)
    view = _author(services, member)
    if shown.description:
        view["description"] = shown.description
    if shown.banner is not None:
        view["banner"] = _blob_url(services, member, shown.banner.cid)
    return view | {
        "postsCount": _count(services, member, FEED),
        "followsCount": _count(services, member, FOLLOW),
        "indexedAt": _text(member.created_at),
    }


def _count(services: Services, member: Member, collection: str) -> int:
    prefix = collection + "/"
    keys = (key for key, _ in services.store.record_index(member.id))
    return sum(1 for key in takewhile(lambda key: key < prefix + "\x7f", keys) if prefix < key)


def _post(member: Member, author: dict[str, Any], found: Resource) -> dict[str, Any]:
    collection, rkey = record_key(found.path)
    return {
        "uri": f"at://{member.did}/{collection}/{rkey}",
        "cid": cid_text(found.cid),
        "author": author,
        "record": decode_trusted(found.body),
        "replyCount": 0,
        "repostCount": 0,
        "likeCount": 0,
        "quoteCount": 0,
        "indexedAt": _text(found.created_at),
        "labels": [],
    }


def _blob_url(services: Services, member: Member, cid: bytes) -> str:
    origin = services.settings.origin
    return f"{origin}/xrpc/com.atproto.sync.getBlob?did={member.did}&cid={cid_text(cid)}"


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
