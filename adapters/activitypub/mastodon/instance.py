"""Apps, what the server says of itself, search, and lists that are always empty here.

Spec: https://docs.joinmastodon.org/methods/apps/, instance, search
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from adapters.activitypub import pins
from adapters.activitypub.files import MOST_FILES
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import emoji, poll
from adapters.activitypub.mastodon.accounts import Accounts
from adapters.activitypub.mastodon.composing import MAX_CHARACTERS
from adapters.activitypub.mastodon.entities import Entities
from adapters.activitypub.mastodon.frame import NOBODY, Asked, Frame
from adapters.activitypub.mastodon.hashtags import Hashtags
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.lister import Lister
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.mastodon.uploads import MAX_FILE, MAX_WORDS
from adapters.activitypub.remote.actor import ACTOR_TYPES
from adapters.activitypub.wing import Wing
from pod.errors import Invalid, PodError, Unauthenticated
from pod.model.ids import Iri, MemberId
from pod.oauth.mastodon import READ, SCOPES
from pod.oauth.metadata import Metadata
from pod.oauth.server import AuthorizationServer
from pod.read import NOTES_PREFIX

VERSION: Final = "4.3.0"
"""The version of Mastodon whose API this is; apps choose what they offer by it."""

_COUNTED_EVERY: Final = timedelta(minutes=10)
_TYPES: Final = ["image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/webm",
          "audio/mpeg", "audio/ogg", "audio/flac", "audio/wav", "audio/mp4"]  # fmt: skip
_EMPTY: Final = (
    ("/api/v1/announcements", NOBODY),
    ("/api/v1/scheduled_statuses", "read:statuses"),
    ("/api/v1/endorsements", "read:accounts"),
    ("/api/v1/suggestions", READ),
    ("/api/v2/suggestions", READ),
    ("/api/v1/instance/rules", NOBODY),
    ("/api/v1/instance/peers", NOBODY),
    ("/api/v1/instance/activity", NOBODY),
    ("/api/v1/instance/domain_blocks", NOBODY),
)


@dataclass(slots=True)
class Instance:
    """The endpoints about the server."""

    wing: Wing
    library: Library
    entities: Entities
    accounts: Accounts
    server: AuthorizationServer
    hashtags: Hashtags
    lister: Lister
    counted: tuple[datetime, int, int] | None = None

    def add(self, frame: Frame) -> None:
        """All routes."""
        frame.add("POST", "/api/v1/apps", NOBODY, self.register)
        frame.add("GET", "/api/v1/apps/verify_credentials", NOBODY, self.app)
        frame.add("GET", "/api/v1/instance", NOBODY, self.first)
        frame.add("GET", "/api/v2/instance", NOBODY, self.second)
        frame.add("GET", "/api/v1/instance/extended_description", NOBODY, self.description)
        frame.add("GET", "/api/v1/instance/translation_languages", NOBODY, self.languages)
        frame.add("GET", "/api/v2/search", "read:search?", self.search)
        frame.add("GET", "/api/v1/custom_emojis", NOBODY, self.custom_emojis)
        for rule, scope in _EMPTY:
            frame.add("GET", rule, scope, self.nothing)

    async def nothing(self, asked: Asked) -> list[Entity]:  # noqa: ARG002  whatever is asked
        """What there is not here."""
        return []

    async def custom_emojis(self, asked: Asked) -> list[Entity]:  # noqa: ARG002  the same for all
        """The pictures that the server offers for words between colons."""
        held = self.wing.emojis.all()
        node = {"tag": [emoji.get(each, self.wing.server) for each in held.values()]}
        shown = self.entities.persons.pictures.emojis(node)
        return [{**each, "visible_in_picker": True, "category": None} for each in shown]

    async def register(self, asked: Asked) -> Entity:
        """Take an app in."""
        uris = asked.texts("redirect_uris")
        redirects = [uri for each in uris for uri in each.split()]
        scopes = (asked.text("scopes") or READ).split()
        if unknown := [scope for scope in scopes if scope not in SCOPES]:
            raise Invalid(f"Scopes doesn't match configured on the server: {unknown[0][:50]}")
        name = (asked.text("client_name") or "").strip()
        if not name:
            raise Invalid("Application name can't be blank")
        told = {
            "redirect_uris": redirects,
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["authorization_code", "client_credentials"],
            "application_type": "native",
            "client_name": name,
            "client_uri": asked.text("website"),
            "scope": " ".join(scopes),
        }
        made, secret = await self.server.registrations.add(told, shows_code=True)
        return {
            "id": made.id,
            **_app(made.metadata),
            "redirect_uri": "\n".join(redirects),
            "client_id": made.id,
            "client_secret": secret,
            "client_secret_expires_at": 0,
        }

    async def app(self, asked: Asked) -> Entity:
        """Which app the token is of."""
        if not asked.token:
            raise Unauthenticated("The access token is invalid")
        if asked.member is None:
            return _app(self.server.mastodon.app(asked.token))
        session = self.server.tokens.check(asked.token, None)
        return _app(await self.server.clients.client(session.client_id))

    async def first(self, asked: Asked) -> Entity:  # noqa: ARG002  the same for everybody
        """The server, as older apps read it."""
        told, (people, posts) = await self._told(), await self._population()
        return {
            "uri": urlsplit(self.wing.server).netloc,
            "title": told["title"],
            "short_description": told["description"],
            "description": told["description"],
            "email": "",
            "version": told["version"],
            "urls": {"streaming_api": told["configuration"]["urls"]["streaming"]},
            "stats": {
                "user_count": people,
                "status_count": posts,
                "domain_count": 0,
            },
            "thumbnail": told["thumbnail"]["url"],
            "languages": [],
            "registrations": False,
            "approval_required": False,
            "invites_enabled": False,
            "configuration": told["configuration"],
            "contact_account": None,
            "rules": [],
        }

    async def second(self, asked: Asked) -> Entity:  # noqa: ARG002  the same for everybody
        """The server."""
        return await self._told()

    async def description(self, asked: Asked) -> Entity:  # noqa: ARG002  the same for everybody
        """More about the server: nobody wrote any."""
        return {"updated_at": None, "content": ""}

    async def languages(self, asked: Asked) -> Entity:  # noqa: ARG002  the same for everybody
        """Into which languages posts are translated: into none."""
        return {}

    async def search(self, asked: Asked) -> Entity:
        """People by address or name, posts by their address, hashtags by name."""
        text, kind = (asked.text("q") or "").strip(), asked.text("type")
        resolve = asked.flag("resolve") is True and asked.member is not None
        limit = asked.number("limit", 20, 40)
        found: Entity = {"accounts": [], "statuses": [], "hashtags": []}
        url = read.iri({"it": text}, "it")
        post = await self._post(url, asked, may_ask=resolve) if url is not None else None
        if kind in (None, "statuses"):
            found["statuses"] = [post] if post is not None else []
        if kind in (None, "accounts") and post is None:
            iris = await self.accounts.matching(text, limit, resolve)
            found["accounts"] = [await self.entities.persons.account(iri) for iri in iris]
        word = text.removeprefix("#")
        if kind in (None, "hashtags") and word.isidentifier():
            found["hashtags"] = await self.hashtags.starting(word.lower(), limit, asked.member)
        return found

    async def _population(self) -> tuple[int, int]:
        """How many members are here and what they posted, counted anew every few minutes."""
        now, log = self.wing.clock.now(), self.wing.log
        if self.counted is None or now - self.counted[0] > _COUNTED_EVERY:
            people, posts, after = 0, 0, MemberId(0)
            while page := self.wing.reader.members(after=after, limit=100):
                for member in page:
                    people += member.is_active
                    posts += log.count(member.id, NOTES_PREFIX) if member.is_active else 0
                    await asyncio.sleep(0)
                after = page[-1].id
            self.counted = (now, people, posts)
        return self.counted[1:]

    async def _post(self, iri: Iri, asked: Asked, *, may_ask: bool) -> Entity | None:
        node = self.library.post(iri, asked.member)
        if node is None and may_ask and not self.wing.is_local(iri):
            try:
                document = await self.wing.actors.document(iri)
                if ACTOR_TYPES.isdisjoint(read.types(document)):
                    found = await self.lister.fetch(iri)
                    iri = read.id_of(found) or iri
                    node = self.library.post(iri, asked.member)
            except PodError:
                return None
        if node is None or "attributedTo" not in node:
            return None
        return await self.entities.status(iri, node, asked.member)

    async def _told(self) -> Entity:
        host = urlsplit(self.wing.server).netloc
        scheme = "wss" if self.wing.server.startswith("https") else "ws"
        icon = f"{self.wing.server}/assets/icon.svg"
        return {
            "domain": host,
            "title": host,
            "version": f"{VERSION} (compatible; Commonpod)",
            "source_url": "",
            "description": "A pod: its members are on the fediverse, ATProto and Solid at once.",
            "usage": {"users": {"active_month": (await self._population())[0]}},
            "thumbnail": {"url": icon, "blurhash": None, "versions": {}},
            "icon": [],
            "languages": [],
            "configuration": {
                "urls": {"streaming": f"{scheme}://{host}"},
                "vapid": {"public_key": ""},
                "accounts": {"max_featured_tags": 10, "max_pinned_statuses": pins.MOST},
                "statuses": {
                    "max_characters": MAX_CHARACTERS,
                    "max_media_attachments": MOST_FILES,
                    "characters_reserved_per_url": 23,
                },
                "media_attachments": {
                    "supported_mime_types": _TYPES,
                    "description_limit": MAX_WORDS,
                    "image_size_limit": MAX_FILE,
                    "image_matrix_limit": 33_177_600,
                    "video_size_limit": MAX_FILE,
                    "video_frame_rate_limit": 120,
                    "video_matrix_limit": 8_294_400,
                },
                "polls": {
                    "max_options": poll.MOST_CHOICES,
                    "max_characters_per_option": poll.MOST_CHARACTERS,
                    "min_expiration": 300,
                    "max_expiration": 2_629_746,
                },
                "translation": {"enabled": False},
            },
            "registrations": {"enabled": False, "approval_required": False, "message": None},
            "api_versions": {"mastodon": 2},
            "contact": {"email": "", "account": None},
            "rules": [],
        }


def _app(client: Metadata) -> dict[str, Any]:
    return {
        "name": client.name or "",
        "website": client.uri,
        "scopes": list(client.scope),
        "redirect_uris": list(client.redirect_uris),
        "vapid_key": "",
    }
