"""The member's own account: who the token is of, and the profile that all networks show.

Spec: https://docs.joinmastodon.org/methods/accounts/#verify_credentials, #update_credentials
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from adapters.activitypub import moderation
from adapters.activitypub.mastodon.frame import Asked, Frame, as_flag
from adapters.activitypub.mastodon.persons import Persons
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.mastodon.ports import Media
from adapters.activitypub.mastodon.settings import POSTING, VISIBILITIES, posting_of
from adapters.activitypub.moderation import SETTINGS
from adapters.activitypub.presence import Presences
from adapters.activitypub.wing import Wing
from pod.errors import Invalid, Unprocessable
from pod.model.ids import Nsid, Rkey
from pod.model.profile import Profile
from pod.read import PROFILE_PATH, noun_of, record_of
from pod.records.lens import index as records
from pod.write import PutDocument, PutRecord

PROFILES: Final = Nsid("app.bsky.actor.profile")
MAX_PICTURE: Final = 8 * 1024 * 1024
_PICTURES: Final = {"avatar": "avatar", "header": "banner"}


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """The endpoints about oneself."""

    wing: Wing
    persons: Persons
    presences: Presences
    media: Media

    def add(self, frame: Frame) -> None:
        """All routes."""
        at = "/api/v1/accounts"
        frame.add("GET", f"{at}/verify_credentials", "profile", self.mine)
        frame.add("PATCH", f"{at}/update_credentials", "write:accounts", self.change,
                  form=2 * MAX_PICTURE)  # fmt: skip
        frame.add("GET", "/api/v1/preferences", "read:accounts", self.preferences)
        for key in _PICTURES:
            frame.add("DELETE", f"/api/v1/profile/{key}", "write:accounts", self._bare(key))

    async def mine(self, asked: Asked) -> Entity:
        """Who the token is of."""
        return await self.persons.own_account(asked.me)

    async def preferences(self, asked: Asked) -> Entity:
        """How posts are written and shown by default."""
        posting = posting_of(self.wing, asked.me)
        return {
            "posting:default:visibility": posting["privacy"],
            "posting:default:sensitive": posting["sensitive"],
            "posting:default:language": posting["language"],
            "reading:expand:media": "default",
            "reading:expand:spoilers": False,
            "reading:autoplay:gifs": False,
        }

    def _bare(self, key: str) -> Callable[[Asked], Awaitable[Entity]]:
        async def bare(asked: Asked) -> Entity:
            """Have no picture any more."""
            none: dict[str, Any] = {_PICTURES[key]: None}
            await self._put(asked, lambda before: replace(before, **none))
            return await self.persons.own_account(asked.me)

        return bare

    async def change(self, asked: Asked) -> Entity:
        """Change the member's own profile."""
        await self._change_posting(asked)
        await self._change_record(asked)
        fields = asked.fields.get("fields_attributes")
        rows = list(fields.values()) if isinstance(fields, dict) else fields
        locked, found = asked.flag("locked"), asked.flag("discoverable")
        indexable = asked.flag("indexable")
        if rows is not None or {locked, found, indexable} != {None}:
            await self.presences.set(
                asked.agent,
                asked.me,
                lambda held: replace(
                    held,
                    is_locked=held.is_locked if locked is None else locked,
                    is_discoverable=held.is_discoverable if found is None else found,
                    is_indexable=held.is_indexable if indexable is None else indexable,
                    fields=held.fields if rows is None else _rows(rows),
                ),
            )
        return await self.persons.own_account(asked.me)

    async def _change_record(self, asked: Asked) -> None:
        said: dict[str, Any] = {}
        if (name := asked.text("display_name")) is not None:
            said["name"] = name or None
        if (note := asked.text("note")) is not None:
            said["description"] = note or None
        for key, place in _PICTURES.items():
            if key in asked.files:
                said[place] = await self._picture(asked, key)
        bot = asked.flag("bot")

        def change(before: Profile) -> Profile:
            labels = before.labels
            if bot is not None:
                rest = tuple(label for label in labels if label != "bot")
                labels = (*rest, "bot") if bot else rest
            return replace(before, labels=labels, **said)

        await self._put(asked, change)

    async def _put(self, asked: Asked, change: Callable[[Profile], Profile]) -> None:
        resource = self.wing.reader.resource(asked.me.id, PROFILE_PATH)
        noun = noun_of(resource) if resource is not None else Profile()
        before = noun if isinstance(noun, Profile) else Profile()
        after = change(before)
        if after == before:
            return
        source = record_of(resource) if resource is not None else None
        op = PutRecord(PROFILES, Rkey("self"), records.put(PROFILES, after, source))
        await self.wing.write.apply(asked.agent, asked.me.id, [op])

    async def _change_posting(self, asked: Asked) -> None:
        """Write down how posts are written by default."""
        told = asked.fields.get("source")
        said = {k: v for k, v in told.items() if k in POSTING} if isinstance(told, dict) else {}
        if not said:
            return
        if said.get("privacy", "public") not in VISIBILITIES:
            raise Invalid("Privacy is not included in the list")
        if "sensitive" in said:
            said["sensitive"] = as_flag(said["sensitive"]) is True
        if "language" in said:
            said["language"] = str(said["language"] or "")[:16] or None
        settings = moderation.said(self.wing, asked.me, SETTINGS)
        settings["posting"] = {**posting_of(self.wing, asked.me), **said}
        put = PutDocument(SETTINGS, "application/json", orjson.dumps(settings))
        await self.wing.write.apply(asked.agent, asked.me.id, [put])

    async def _picture(self, asked: Asked, key: str) -> Any:
        file = asked.files[key]
        row = await self.media.keep(asked.me.id, file.read(), file.content_type)
        if row.media_type not in ("image/png", "image/jpeg"):
            raise Unprocessable("A picture of a profile is a PNG or JPEG")
        found = self.wing.presented(asked.me).names.blob(asked.me, row.cid)
        if found is None:
            raise Unprocessable("The picture could not be kept")
        return found


def _rows(told: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(told, list):
        raise Invalid("Fields are a list")
    rows = [row for row in told if isinstance(row, dict)]
    return tuple(
        (str(row["name"]), str(row.get("value", ""))) for row in rows if str(row.get("name", ""))
    )
