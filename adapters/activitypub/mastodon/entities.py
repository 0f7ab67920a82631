"""AS2 nodes as Mastodon's entities: accounts, posts with all that hangs on them, notices.

Spec: https://docs.joinmastodon.org/entities/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from adapters.activitypub import moderation
from adapters.activitypub.acts import Acts
from adapters.activitypub.addresses import address_of
from adapters.activitypub.federation import domain_iri, domain_of
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import html, poll
from adapters.activitypub.lens.act import FOLLOWS, VOTES, Act
from adapters.activitypub.mastodon.library import Library, follows, moment, stamp
from adapters.activitypub.mastodon.ports import MediaAddress
from adapters.activitypub.moderation import AT_FOLLOWS, BLOCKS, DOMAINS
from adapters.activitypub.wing import Wing
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import EdgeKind
from pod.model.profile import Profile
from pod.model.timeline import Notice
from pod.read import NOTES_PREFIX, PROFILE_PATH, noun_of

Entity = dict[str, Any]

BOOKMARKS: Final = "/data/social/bookmark/"
_KINDS: Final = {"Image": "image", "Video": "video", "Audio": "audio"}
_MIMES: Final = ("image", "video", "audio")


@dataclass(frozen=True, slots=True)
class Entities:
    """Makes entities for a reader; files of other servers go by ``media``."""

    wing: Wing
    library: Library
    acts: Acts
    media: MediaAddress

    async def account(self, iri: Iri, node: Node | None = None) -> Entity:
        """An account."""
        node = node if node is not None else await self.library.actor(iri)
        wing, local = self.wing, self.wing.local_actor(iri)
        now = wing.clock.now()
        acct = local.acct if local is not None else address_of(wing, iri)
        name = read.text(node, "preferredUsername") or acct.partition("@")[0]
        avatar, header = self._picture(node, "icon"), self._picture(node, "image")
        since = moment(node, "published", now)
        counts = self._counts(local)
        return {
            "id": await self.library.id_of(iri, since),
            "username": name,
            "acct": acct,
            "display_name": read.text(node, "name") or "",
            "locked": node.get("manuallyApprovesFollowers") is True,
            "bot": bool(read.types(node) & {"Service", "Application"}),
            "discoverable": node.get("discoverable") is not False,
            "indexable": node.get("indexable") is True,
            "group": "Group" in read.types(node),
            "created_at": stamp(since.replace(hour=0, minute=0, second=0, microsecond=0)),
            "note": html.clean(read.text(node, "summary") or ""),
            "url": _page_of(node) or iri,
            "uri": iri,
            "avatar": avatar,
            "avatar_static": avatar,
            "header": header,
            "header_static": header,
            "hide_collections": False,
            "noindex": node.get("indexable") is not True,
            "emojis": self._emojis(node),
            "roles": [],
            "fields": [
                {
                    "name": read.text(part, "name") or "",
                    "value": html.clean(read.text(part, "value") or ""),
                    "verified_at": None,
                }
                for part in read.nodes(node, "attachment")
                if "PropertyValue" in str(part.get("type"))
            ],
            **counts,
        }

    async def own_account(self, member: Member) -> Entity:
        """The account of the member themselves, with what only they see."""
        shown = await self.account(member.webid)
        presented = self.wing.presented(member)
        noun = noun_of(presented.resource) if presented.resource is not None else None
        words = noun.description if isinstance(noun, Profile) else None
        source = {
            "privacy": "public",
            "sensitive": False,
            "language": None,
            "note": words or "",
            "fields": [{**part, "value": html.plain(part["value"])} for part in shown["fields"]],
            "follow_requests_count": len(self.wing.followers.waiting(member.id, limit=1_000)),
        }
        role = {"id": "-99", "name": "", "permissions": "0", "color": "", "highlighted": False}
        return {**shown, "source": source, "role": role}

    async def status(self, iri: Iri, node: Node, reader: Member | None) -> Entity:
        """A post or boost."""
        now = self.wing.clock.now()
        at = moment(node, "published", now)
        if "Announce" in read.types(node):
            return await self._boost(iri, node, reader)
        author = read.iri(node, "attributedTo") or iri
        number = await self.library.id_of(iri, at)
        parent = read.iri(node, "inReplyTo")
        found = self.library.post(parent, reader) if parent is not None else None
        parent_author = read.iri(found, "attributedTo") if found is not None else None
        edited = moment(node, "updated", now) if node.get("updated") else None
        warning = read.text(node, "summary") or ""
        words = read.text(node, "content") or ""
        if read.types(node) & {"Article", "Page", "Video"} and (title := read.text(node, "name")):
            words = f"<p><strong>{html.clean(title)}</strong></p>{words}"
        return {
            "id": number,
            "created_at": stamp(at),
            "in_reply_to_id": await self._number(parent, found),
            "in_reply_to_account_id": await self._person(parent_author),
            "sensitive": node.get("sensitive") is True or bool(warning),
            "spoiler_text": html.plain(warning),
            "visibility": visibility(node),
            "language": next(iter(read.text_map(node, "content")), None),
            "uri": iri,
            "url": _page_of(node) or iri,
            "edited_at": stamp(edited) if edited is not None and edited > at else None,
            "content": html.clean(words),
            "filtered": [],
            "reblog": None,
            "application": None,
            "account": await self.account(author),
            "media_attachments": self._attachments(node, number),
            "mentions": [await self._mention(tag) for tag in _tags(node, "Mention")],
            "tags": [self._tag(tag) for tag in _tags(node, "Hashtag")],
            "emojis": self._emojis(node),
            "card": None,
            "poll": self.poll(iri, node, reader, number) if poll.is_poll(node) else None,
            "quote": None,
            **self._reactions(iri, reader),
        }

    async def statuses(self, iris: list[Iri], reader: Member | None) -> list[Entity]:
        """Those posts of a list that the reader may see."""
        found = []
        for iri in iris:
            node = self.library.post(iri, reader)
            if node is None:
                continue
            entity = await self.status(iri, node, reader)
            if entity["account"] is not None:
                found.append(entity)
        return found

    async def notification(self, notice: Notice, reader: Member) -> Entity | None:
        """A notice; None where its post is gone."""
        told: Entity = {
            "id": str(notice.id),
            "type": notice.kind,
            "created_at": stamp(notice.at),
            "group_key": f"ungrouped-{notice.id}",
            "account": await self.account(notice.actor),
        }
        if not notice.about:
            return told
        node = self.library.post(notice.about, reader)
        if node is None:
            return None
        return told | {"status": await self.status(Iri(notice.about), node, reader)}

    def poll(self, iri: Iri, node: Node, reader: Member | None, number: str) -> Entity:
        """A poll; it has the id of its post."""
        options = poll.options(node)
        names = poll.choices(node)
        counts = [_total(option) for option in options]
        voted = self.wing.reader.about(reader.id, VOTES, iri) if reader is not None else []
        chosen = []
        for path in voted:
            held = self.wing.reader.resource(reader.id, path) if reader is not None else None
            vote = orjson.loads(held.body).get("object", {}) if held is not None else {}
            if vote.get("name") in names:
                chosen.append(names.index(vote["name"]))
        is_own = reader is not None and read.iri(node, "attributedTo") == reader.webid
        return {
            "id": number,
            "expires_at": read.text(node, "endTime") or read.text(node, "closed"),
            "expired": not poll.is_open(node, self.wing.clock.now()),
            "multiple": bool(node.get("anyOf")),
            "votes_count": sum(counts),
            "voters_count": read.number(node, "votersCount"),
            "options": [
                {"title": name, "votes_count": count}
                for name, count in zip(names, counts, strict=False)
            ],
            "emojis": [],
            "voted": bool(voted) or is_own,
            "own_votes": sorted(chosen),
        }

    async def relationship(self, member: Member, number: str, actor: Iri) -> Entity:
        """What is between a member and an actor."""
        wing, about = self.wing, self.wing.reader.about
        follower = wing.followers.get(member.id, actor)
        has_asked = moderation.follows(wing, member, actor)
        is_following = has_asked and follows(wing, member, actor)
        other = wing.local_actor(actor)
        follows_back = other is not None and bool(about(other.id, AT_FOLLOWS, member.did))
        host = domain_iri(domain_of(actor))
        return {
            "id": number,
            "following": is_following,
            "showing_reblogs": is_following,
            "notifying": False,
            "languages": None,
            "followed_by": follows_back or bool(follower and follower.accepted),
            "blocking": bool(about(member.id, BLOCKS, actor)),
            "blocked_by": moderation.is_blocked_by(wing, member, actor),
            "muting": moderation.mute_of(wing, member, actor) is not None,
            "muting_notifications": moderation.mutes(wing, member, actor),
            "requested": has_asked and not is_following,
            "requested_by": bool(follower and not follower.accepted),
            "domain_blocking": bool(about(member.id, DOMAINS, host)),
            "endorsed": False,
            "note": "",
        }

    async def _boost(self, iri: Iri, node: Node, reader: Member | None) -> Entity:
        target = read.iri(node, "object") or iri
        inner = self.library.post(target, reader)
        at = moment(node, "published", self.wing.clock.now())
        if inner is None or "Announce" in read.types(inner):
            return {"id": await self.library.id_of(iri, at), "account": None}
        shown = await self.status(target, inner, reader)
        booster = read.iri(node, "actor") or iri
        return {
            **shown,
            "id": await self.library.id_of(iri, at),
            "created_at": stamp(at),
            "uri": iri,
            "url": iri,
            "edited_at": None,
            "account": await self.account(booster),
            "reblog": shown,
        }

    def _reactions(self, iri: Iri, reader: Member | None) -> Entity:
        local = self.wing.local_object(iri)
        counts: dict[str, int] = {}
        kinds: tuple[tuple[str, EdgeKind], ...] = (
            ("replies_count", "reply"),
            ("reblogs_count", "announce"),
            ("favourites_count", "like"),
        )
        for name, kind in kinds:
            counts[name] = self.wing.edges.count(local[0].id, local[1].path, kind) if local else 0
        mine: tuple[tuple[str, str, Act], ...] = (
            ("favourited", "favourites_count", "like"),
            ("reblogged", "reblogs_count", "announce"),
        )
        told: Entity = {}
        for name, count, done in mine:
            told[name] = reader is not None and self.has_done(reader, done, iri)
            counts[count] += told[name]
        is_own = local is not None and reader is not None and local[0].id == reader.id
        marked = bool(reader and self.wing.reader.about(reader.id, BOOKMARKS, iri))
        told |= {"muted": False, "bookmarked": marked}
        if is_own and reader is not None:
            told["pinned"] = pinned_by(self.wing, reader) == iri
        return {**counts, **told}

    def has_done(self, member: Member, act: Act, iri: Iri) -> bool:
        """Whether a member liked or boosted a post."""
        if self.wing.is_local(iri) and self.wing.local_object(iri) is None:
            return False
        return bool(self.acts.held(member, act, iri))

    def _counts(self, local: Member | None) -> Mapping[str, Any]:
        if local is None:
            return {
                "followers_count": 0,
                "following_count": 0,
                "statuses_count": 0,
                "last_status_at": None,
            }
        log, reader = self.wing.log, self.wing.reader
        last = reader.resources(local.id, NOTES_PREFIX, after=None, limit=1, reverse=True)
        return {
            "followers_count": self.wing.followers.count(local.id),
            "following_count": log.count(local.id, FOLLOWS) + log.count(local.id, AT_FOLLOWS),
            "statuses_count": log.count(local.id, NOTES_PREFIX),
            "last_status_at": last[0].created_at.date().isoformat() if last else None,
        }

    async def _number(self, iri: Iri | None, node: Node | None) -> str | None:
        if iri is None or node is None:
            return None
        return await self.library.id_of(iri, moment(node, "published", self.wing.clock.now()))

    async def _person(self, iri: Iri | None) -> str | None:
        if iri is None:
            return None
        at = moment(await self.library.actor(iri), "published", self.wing.clock.now())
        return await self.library.id_of(iri, at)

    async def _mention(self, tag: Node) -> Entity:
        href = read.iri(tag, "href") or Iri("")
        acct = address_of(self.wing, href)
        return {
            "id": await self._person(href),
            "username": acct.partition("@")[0],
            "url": href,
            "acct": acct,
        }

    def _tag(self, tag: Node) -> Entity:
        name = (read.text(tag, "name") or "").removeprefix("#")
        return {"name": name.lower(), "url": f"{self.wing.server}/tags/{name.lower()}"}

    def _emojis(self, node: Node) -> list[Entity]:
        found = []
        for tag in _tags(node, "Emoji"):
            icon = read.node(tag, "icon")
            url = read.iri(icon, "url") if icon is not None else None
            if url is not None:
                shown = self._file(url)
                name = (read.text(tag, "name") or "").strip(":")
                found.append(
                    {"shortcode": name, "url": shown, "static_url": shown,
                     "visible_in_picker": False}
                )  # fmt: skip
        return found

    def _picture(self, node: Node, key: str) -> str:
        picture = read.node(node, key)
        url = read.iri(picture, "url") if picture is not None else read.iri(node, key)
        return self._file(url) if url is not None else f"{self.wing.server}/assets/icon.svg"

    def _file(self, url: str) -> str:
        return url if self.wing.is_local(url) else self.media(url)

    def _attachments(self, node: Node, number: str) -> list[Entity]:
        found = []
        for place, part in enumerate(read.nodes(node, "attachment")):
            url = read.iri(part, "url") or read.iri(part, "href")
            kind = next((_KINDS[name] for name in read.types(part) if name in _KINDS), None)
            mime = (read.text(part, "mediaType") or "").partition("/")[0]
            kind = kind or (mime if mime in _MIMES else "unknown")
            if url is None or urlsplit(url).scheme not in ("http", "https"):
                continue
            found.append(attachment(f"{number}{place}", kind, self._file(url), url, part))
        return found


def attachment(number: str, kind: str, shown: str, url: str, part: Node) -> Entity:
    """A picture, film or sound."""
    size: Entity = {}
    width, height = read.number(part, "width"), read.number(part, "height")
    if width and height:
        size = {"original": {"width": width, "height": height, "size": f"{width}x{height}",
                             "aspect": width / height}}  # fmt: skip
    point = part.get("focalPoint")
    if isinstance(point, list) and len(point) == 2:
        size["focus"] = {"x": point[0], "y": point[1]}
    is_far = shown != url
    return {
        "id": number,
        "type": kind,
        "url": shown,
        "preview_url": shown,
        "remote_url": url if is_far else None,
        "preview_remote_url": None,
        "text_url": None,
        "meta": size,
        "description": read.text(part, "name"),
        "blurhash": read.text(part, "blurhash"),
    }


def visibility(node: Node) -> str:
    """For whom a post is."""
    to = set(read.iris(node, "to"))
    if PUBLIC in read.recipients({"to": node.get("to")}):
        return "public"
    if PUBLIC in read.recipients(node):
        return "unlisted"
    mentioned = {read.iri(tag, "href") for tag in _tags(node, "Mention")}
    cc = set(read.iris(node, "cc"))
    return "private" if any("followers" in each for each in (to | cc) - mentioned) else "direct"


def pinned_by(wing: Wing, member: Member) -> Iri | None:
    """The post that a member pinned."""
    resource = wing.reader.resource(member.id, PROFILE_PATH)
    noun = noun_of(resource) if resource is not None else None
    if not isinstance(noun, Profile) or noun.pinned is None:
        return None
    return wing.presented(member).names.object_url(noun.pinned.uri)


def _tags(node: Node, kind: str) -> list[Node]:
    return [tag for tag in read.nodes(node, "tag") if kind in read.types(tag) or
            str(tag.get("type")).endswith(kind)]  # fmt: skip


def _total(option: Node) -> int:
    replies = read.node(option, "replies")
    return (read.number(replies, "totalItems") or 0) if replies is not None else 0


def _page_of(node: Node) -> str | None:
    """The page for people."""
    for part in read.nodes(node, "url"):
        if str(part.get("mediaType", "")).startswith("text/html"):
            return read.iri(part, "href")
    return read.iri(node, "url")
