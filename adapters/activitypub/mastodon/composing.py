"""What an app says of a new or changed post, as AS2.

Spec: https://docs.joinmastodon.org/methods/statuses/#create
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.mastodon.frame import Asked
from adapters.activitypub.mastodon.library import Library, stamp
from adapters.activitypub.mastodon.pictures import attachment_id
from adapters.activitypub.mastodon.settings import VISIBILITIES, posting_of
from adapters.activitypub.mastodon.uploads import Uploads, said
from adapters.activitypub.mastodon.words import html_of
from adapters.activitypub.wing import Wing
from pod.errors import Invalid, Unprocessable
from pod.model.member import Member

MAX_CHARACTERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Composer:
    """Makes views of posts."""

    wing: Wing
    library: Library
    uploads: Uploads

    async def view(self, asked: Asked) -> Node:
        """What a client says of a new post, as AS2."""
        view = await self.words(asked, {})
        if (parent := asked.text("in_reply_to_id")) not in (None, ""):
            iri, node = self.library.known(str(parent), asked.me)
            view["inReplyTo"] = iri
            view = self._answering(view, node, asked.me)
        if (quoted := asked.text("quoted_status_id")) not in (None, ""):
            view["quote"] = self.library.known(str(quoted), asked.me)[0]
        if asked.texts("media_ids"):
            view["attachment"] = self.attachments(asked, {})
        if isinstance(told := asked.fields.get("poll"), dict):
            view |= self._new_poll(told)
        if not view["content"] and "attachment" not in view:
            raise Invalid("Text can't be blank")
        if asked.text("scheduled_at"):
            raise Unprocessable("Posts cannot be scheduled here")
        wanted = asked.text("visibility") or posting_of(self.wing, asked.me)["privacy"]
        if wanted not in VISIBILITIES:
            raise Invalid("Visibility is not included in the list")
        mentioned = [tag["href"] for tag in view.get("tag", [])]
        if wanted == "private":
            view |= {"to": [f"{asked.me.origin}/followers"], "cc": mentioned}
        elif wanted == "direct":
            if not mentioned:
                raise Unprocessable("A direct message mentions somebody")
            view |= {"to": mentioned}
        elif wanted == "unlisted":
            view |= {"to": [f"{asked.me.origin}/followers"], "cc": [PUBLIC]}
        else:
            view |= {"to": [PUBLIC]}
        return view

    def _answering(self, view: Node, parent: Node, member: Member) -> Node:
        """An answer that is not for everybody mentions whom it answers, too."""
        author = read.author(parent)
        tags = list(view.get("tag", []))
        known = {tag["href"] for tag in tags}
        if author is None or author in known or author == member.webid:
            return view
        name = self.wing.actors.handle(author)
        return {**view, "tag": [*tags, {"type": "Mention", "href": author, "name": name}]}

    async def words(self, asked: Asked, before: Node) -> Node:
        text = asked.text("status")
        if text is None and "content" not in before and not asked.texts("media_ids"):
            raise Invalid("Text can't be blank")
        if len(text or "") + len(asked.text("spoiler_text") or "") > MAX_CHARACTERS:
            raise Invalid(f"Text character limit of {MAX_CHARACTERS} exceeded")
        view: Node = {"type": "Note"}
        posting = posting_of(self.wing, asked.me)
        if text is not None or not before:
            content, mentions = await html_of(self.wing, asked.me, text or "")
            view["content"] = content
            if mentions:
                view["tag"] = mentions
            language = asked.text("language") or next(
                iter(read.text_map(before, "content")), posting["language"]
            )
            if language:
                view["contentMap"] = {language: content}
        if (warning := asked.text("spoiler_text")) is not None and (warning or before):
            view["summary"] = warning
        sensitive = asked.flag("sensitive")
        if sensitive is None and not before and posting["sensitive"]:
            sensitive = True
        if sensitive is not None and (sensitive or before):
            view["sensitive"] = sensitive
        return view

    def attachments(self, asked: Asked, before: Node) -> list[Node]:
        """What a post is to show: of the files that it has, and of those that wait."""
        held = {
            attachment_id(asked.path["id"], place): part
            for place, part in enumerate(read.nodes(before, "attachment"))
        }
        told = asked.fields.get("media_attributes")
        more = {
            str(each.get("id")): said(each)
            for each in (told if isinstance(told, list) else [])
            if isinstance(each, dict)
        }
        return [
            {**(held.get(each) or self.uploads.part(asked.me, each)), **more.get(each, {})}
            for each in asked.texts("media_ids")
        ]

    def _new_poll(self, told: dict[str, Any]) -> Node:
        names = told.get("options")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise Invalid("Poll options are missing")
        seconds = str(told.get("expires_in", ""))
        if not seconds.isdecimal() or not 300 <= int(seconds) <= 2_629_746:
            raise Invalid("Poll ends between five minutes and one month from now")
        is_multiple = str(told.get("multiple", "")).lower() in ("1", "true", "on")
        end = self.wing.clock.now() + timedelta(seconds=int(seconds))
        options = [{"type": "Note", "name": name} for name in names]
        return {
            "type": "Question",
            "anyOf" if is_multiple else "oneOf": options,
            "endTime": stamp(end),
        }
