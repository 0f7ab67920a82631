"""Posts: write, change, delete, and what can be done with one.

Spec: https://docs.joinmastodon.org/methods/statuses/, polls, bookmarks and favourites
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import orjson
from quart import request

from adapters.activitypub.acts import Acts
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import html, poll
from adapters.activitypub.lens.act import Act, folder
from adapters.activitypub.mastodon.entities import BOOKMARKS, Entities, Entity
from adapters.activitypub.mastodon.frame import Asked, Frame, Page, ids_page
from adapters.activitypub.mastodon.library import Library, stamp
from adapters.activitypub.mastodon.uploads import Uploads
from adapters.activitypub.mastodon.words import html_of
from adapters.activitypub.outbox import Outbox
from adapters.activitypub.polls import Polls
from adapters.activitypub.wing import Wing
from pod.errors import Invalid, NotFound, Unprocessable
from pod.model.ids import Iri, Nsid, Rkey
from pod.model.member import Member
from pod.model.profile import Profile
from pod.model.resource import ABSENT, ResourcePath
from pod.read import NOTES_PREFIX, PROFILE_PATH, noun_of, record_of
from pod.records.cid import cid_text
from pod.records.lens import index as records
from pod.write import Delete, PutDocument, PutRecord

CatchUp = Callable[[], Awaitable[None]]
MAX_CHARACTERS: Final = 10_000
_KEPT_KEYS: Final = 10_000
_DEPTH: Final = 40
_PROFILES: Final = Nsid("app.bsky.actor.profile")
_VISIBILITIES: Final = ("public", "unlisted", "private", "direct")


@dataclass(slots=True)
class Statuses:
    """The endpoints about posts. ``catch_up`` brings the timelines up to what was just written."""

    wing: Wing
    library: Library
    entities: Entities
    acts: Acts
    polls: Polls
    outbox: Outbox
    uploads: Uploads
    catch_up: CatchUp
    made: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def add(self, frame: Frame) -> None:
        """All routes."""
        at = "/api/v1/statuses"
        frame.add("POST", at, "write:statuses", self.create)
        frame.add("GET", at, "read:statuses?", self.several)
        frame.add("GET", f"{at}/<id>", "read:statuses?", self.show)
        frame.add("PUT", f"{at}/<id>", "write:statuses", self.edit)
        frame.add("DELETE", f"{at}/<id>", "write:statuses", self.delete)
        frame.add("GET", f"{at}/<id>/context", "read:statuses?", self.context)
        frame.add("GET", f"{at}/<id>/source", "read:statuses", self.source)
        frame.add("GET", f"{at}/<id>/history", "read:statuses?", self.history)
        frame.add("GET", f"{at}/<id>/favourited_by", "read:statuses?", self._by("like"))
        frame.add("GET", f"{at}/<id>/reblogged_by", "read:statuses?", self._by("announce"))
        for name, scope in (
            ("favourite", "write:favourites"), ("unfavourite", "write:favourites"),
            ("reblog", "write:statuses"), ("unreblog", "write:statuses"),
            ("bookmark", "write:bookmarks"), ("unbookmark", "write:bookmarks"),
            ("pin", "write:accounts"), ("unpin", "write:accounts"),
        ):  # fmt: skip
            frame.add("POST", f"{at}/<id>/{name}", scope, self._acting(name))
        frame.add("GET", "/api/v1/favourites", "read:favourites", self.favourites)
        frame.add("GET", "/api/v1/bookmarks", "read:bookmarks", self.bookmarks)
        frame.add("GET", "/api/v1/polls/<id>", "read:statuses?", self.poll)
        frame.add("POST", "/api/v1/polls/<id>/votes", "write:statuses", self.vote)

    async def create(self, asked: Asked) -> Entity:
        """Write a post, once for an ``Idempotency-Key``."""
        given = request.headers.get("Idempotency-Key", "")
        key = f"{asked.token} {given}" if given else ""
        held = self.made.get(key) if key else None
        if held is not None:
            return await self._shown(Iri(held), asked.me)
        view = await self._view(asked)
        iri = await self.outbox.post(asked.agent, asked.me, view)
        if key:
            self.made[key] = iri
            if len(self.made) > _KEPT_KEYS:
                self.made.popitem(last=False)
        await self.catch_up()
        return await self._shown(iri, asked.me)

    async def edit(self, asked: Asked) -> Entity:
        """Change a post: its words, warning, language and pictures."""
        iri, before = self.library.own(asked.me, asked.path["id"])
        view = await self._words(asked, before)
        view["id"] = iri
        if "media_ids" in asked.fields:
            view["attachment"] = self._attachments(asked)
        await self.outbox.post(asked.agent, asked.me, {"type": "Update", "object": view})
        await self.catch_up()
        return await self._shown(iri, asked.me)

    async def delete(self, asked: Asked) -> Entity:
        """Delete a post; what it was is told, so that it can be written anew."""
        iri, node = self.library.own(asked.me, asked.path["id"])
        shown = await self.entities.status(iri, node, asked.me)
        await self.outbox.post(asked.agent, asked.me, {"type": "Delete", "object": iri})
        await self.catch_up()
        return {**shown, "text": html.plain(read.text(node, "content") or "")}

    async def show(self, asked: Asked) -> Entity:
        """A post."""
        iri = self.library.iri_of(asked.path["id"])
        return await self._shown(iri, asked.member)

    async def several(self, asked: Asked) -> list[Entity]:
        """Some posts by their ids."""
        found = []
        for number in asked.texts("id")[:20]:
            try:
                found.append(self.library.iri_of(number))
            except NotFound:
                continue
        return await self.entities.statuses(found, asked.member)

    async def context(self, asked: Asked) -> Entity:
        """What a post answers, and what answers it, as far as it is known here."""
        iri, node = self.library.known(asked.path["id"], asked.member)
        above: list[Iri] = []
        parent = read.iri(node, "inReplyTo")
        while parent is not None and len(above) < _DEPTH and parent not in above:
            found = self.library.post(parent, asked.member)
            if found is None:
                break
            above.insert(0, parent)
            parent = read.iri(found, "inReplyTo")
        below: list[Iri] = []
        waiting = [iri]
        while waiting and len(below) < _DEPTH:
            for reply in self._replies(waiting.pop(0)):
                if reply not in below:
                    below.append(reply)
                    waiting.append(reply)
        shown = [await self.entities.statuses(part, asked.member) for part in (above, below)]
        return {"ancestors": shown[0], "descendants": shown[1]}

    async def source(self, asked: Asked) -> Entity:
        """The words of one's own post, as they are edited."""
        _, node = self.library.own(asked.me, asked.path["id"])
        return {
            "id": asked.path["id"],
            "text": html.plain(read.text(node, "content") or ""),
            "spoiler_text": html.plain(read.text(node, "summary") or ""),
        }

    async def history(self, asked: Asked) -> list[Entity]:
        """The present state of a post: older ones are not kept."""
        iri, _ = self.library.known(asked.path["id"], asked.member)
        shown = await self._shown(iri, asked.member)
        kept = ("content", "spoiler_text", "sensitive", "account", "media_attachments", "emojis")
        return [
            {
                **{name: shown[name] for name in kept},
                "created_at": shown["edited_at"] or shown["created_at"],
                "poll": None,
            }
        ]

    async def favourites(self, asked: Asked) -> Page:
        """What the member liked."""
        found = self._done(asked.me, folder("like"))
        for row in self.wing.reader.resources(
            asked.me.id, "/repo/app.bsky.feed.like/", after=None, limit=400, reverse=True
        ):
            url = self.wing.presented(asked.me).names.object_url(row.subject or "")
            found += [url] if url is not None else []
        return await self._page(asked, found)

    async def bookmarks(self, asked: Asked) -> Page:
        """What the member marked for themselves."""
        return await self._page(asked, self._done(asked.me, BOOKMARKS))

    async def poll(self, asked: Asked) -> Entity:
        """A poll."""
        iri, node = self._question(asked)
        return self.entities.poll(iri, node, asked.member, asked.path["id"])

    async def vote(self, asked: Asked) -> Entity:
        """Choose in a poll."""
        iri, node = self._question(asked)
        names = poll.choices(node)
        places = [int(each) for each in asked.texts("choices") if each.isdecimal()]
        if not places or any(place >= len(names) for place in places):
            raise Unprocessable("The poll has no such choice")
        chosen = [names[place] for place in places]
        await self.polls.vote(asked.agent, asked.me, iri, chosen)
        return self.entities.poll(iri, node, asked.me, asked.path["id"])

    def _question(self, asked: Asked) -> tuple[Iri, Node]:
        iri, node = self.library.known(asked.path["id"], asked.member)
        if not poll.is_poll(node):
            raise NotFound
        return iri, node

    async def _shown(self, iri: Iri, reader: Member | None) -> Entity:
        node = self.library.post(iri, reader)
        if node is None:
            raise NotFound
        shown = await self.entities.status(iri, node, reader)
        if shown["account"] is None:
            raise NotFound
        return shown

    def _done(self, member: Member, prefix: str) -> list[Iri]:
        rows = self.wing.reader.resources(member.id, prefix, after=None, limit=400, reverse=True)
        return [Iri(row.subject) for row in rows if row.subject]

    async def _page(self, asked: Asked, found: Sequence[Iri]) -> Page:
        shown = await self.entities.statuses(list(dict.fromkeys(found)), asked.me)
        by_id = {int(each["id"]): each for each in shown}
        return ids_page([by_id[number] for number in asked.span().cut(list(by_id))])

    def _replies(self, iri: Iri) -> list[Iri]:
        held = self.wing.local_object(iri)
        if held is None:
            return []
        member, resource = held
        edges = self.wing.edges.page(member.id, resource.path, "reply", limit=_DEPTH)
        found = [Iri(edge.object) for edge in reversed(edges) if edge.object]
        for other in self.library.members():
            for path in self.wing.reader.about(
                other.id, NOTES_PREFIX, member.at_uri(resource.path)
            ):
                url = self.wing.presented(other).names.object_url(other.at_uri(path))
                found += [url] if url is not None else []
        return found

    def _by(self, kind: str) -> Callable[[Asked], Awaitable[Page]]:
        async def people(asked: Asked) -> Page:
            iri, _ = self.library.known(asked.path["id"], asked.member)
            held = self.wing.local_object(iri)
            actors: list[Iri] = []
            if held is not None:
                edge_kind: Any = kind
                edges = self.wing.edges.page(held[0].id, held[1].path, edge_kind, limit=80)
                actors = [edge.actor for edge in edges]
            act: Any = kind
            if asked.member is not None and self.entities.has_done(asked.member, act, iri):
                actors.insert(0, asked.member.webid)
            shown = [await self.entities.account(each) for each in dict.fromkeys(actors)]
            return Page(shown, None, None)

        return people

    def _acting(self, name: str) -> Callable[[Asked], Awaitable[Entity]]:
        async def act(asked: Asked) -> Entity:
            iri, _ = self.library.known(asked.path["id"], asked.me)
            made = await self._act(name, asked, iri)
            await self.catch_up()
            return await self._shown(made or iri, asked.me)

        return act

    async def _act(self, name: str, asked: Asked, iri: Iri) -> Iri | None:
        """Do it; the id of a boost that was made."""
        member, agent = asked.me, asked.agent
        acts: dict[str, Act] = {"favourite": "like", "reblog": "announce"}
        if name in acts:
            path = await self.acts.do(agent, member, acts[name], iri)
            return self.id_at(member, path) if name == "reblog" else None
        if name.removeprefix("un") in acts:
            held = self.acts.held(member, acts[name.removeprefix("un")], iri)
            ops = [Delete(path, missing_ok=True) for path in held]
            await self.wing.write.apply(agent, member.id, ops)
        elif name == "bookmark":
            if not self.wing.reader.about(member.id, BOOKMARKS, iri):
                path = ResourcePath(BOOKMARKS + self.wing.tids.next())
                body = orjson.dumps({"post": iri, "at": stamp(self.wing.clock.now())})
                put = PutDocument(path, "application/json", body, ABSENT, subject=iri)
                await self.wing.write.apply(agent, member.id, [put])
        elif name == "unbookmark":
            paths = self.wing.reader.about(member.id, BOOKMARKS, iri)
            ops = [Delete(path, missing_ok=True) for path in paths]
            await self.wing.write.apply(agent, member.id, ops)
        else:
            await self._pin(asked, iri, is_pinned=name == "pin")
        return None

    def id_at(self, member: Member, path: ResourcePath) -> Iri:
        """The id of what was just written."""
        if path.startswith("/repo/"):
            found = self.wing.presented(member).names.object_url(member.at_uri(path))
            return found or member.url(path)
        return member.url(path)

    async def _pin(self, asked: Asked, iri: Iri, *, is_pinned: bool) -> None:
        held = self.wing.local_object(iri)
        if held is None or held[0].id != asked.me.id:
            raise Unprocessable("Someone else's post cannot be pinned")
        resource = self.wing.reader.resource(asked.me.id, PROFILE_PATH)
        noun = noun_of(resource) if resource is not None else Profile()
        before = noun if isinstance(noun, Profile) else Profile()
        uri = asked.me.at_uri(held[1].path)
        if not is_pinned and (before.pinned is None or before.pinned.uri != uri):
            return
        source = record_of(resource) if resource is not None else None
        record = records.put(_PROFILES, before, source)
        if is_pinned:
            record["pinnedPost"] = {"uri": uri, "cid": cid_text(held[1].cid)}
        else:
            record.pop("pinnedPost", None)
        op = PutRecord(_PROFILES, Rkey("self"), record)
        await self.wing.write.apply(asked.agent, asked.me.id, [op])

    async def _view(self, asked: Asked) -> Node:
        """What a client says of a new post, as AS2."""
        view = await self._words(asked, {})
        if (parent := asked.text("in_reply_to_id")) not in (None, ""):
            iri, node = self.library.known(str(parent), asked.me)
            view["inReplyTo"] = iri
            view = self._answering(view, node, asked.me)
        if asked.texts("media_ids"):
            view["attachment"] = self._attachments(asked)
        if isinstance(told := asked.fields.get("poll"), dict):
            view |= self._new_poll(told)
        if not view["content"] and "attachment" not in view:
            raise Invalid("Text can't be blank")
        if asked.text("scheduled_at"):
            raise Unprocessable("Posts cannot be scheduled here")
        wanted = asked.text("visibility") or "public"
        if wanted not in _VISIBILITIES:
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
        author = read.iri(parent, "attributedTo")
        tags = list(view.get("tag", []))
        known = {tag["href"] for tag in tags}
        if author is None or author in known or author == member.webid:
            return view
        name = self.wing.actors.handle(author)
        return {**view, "tag": [*tags, {"type": "Mention", "href": author, "name": name}]}

    async def _words(self, asked: Asked, before: Node) -> Node:
        text = asked.text("status")
        if text is None and "content" not in before and not asked.texts("media_ids"):
            raise Invalid("Text can't be blank")
        if len(text or "") + len(asked.text("spoiler_text") or "") > MAX_CHARACTERS:
            raise Invalid(f"Text character limit of {MAX_CHARACTERS} exceeded")
        view: Node = {"type": "Note"}
        if text is not None or not before:
            content, mentions = await html_of(self.wing, asked.me, text or "")
            view["content"] = content
            if mentions:
                view["tag"] = mentions
            language = asked.text("language") or next(iter(read.text_map(before, "content")), None)
            if language:
                view["contentMap"] = {language: content}
        if (warning := asked.text("spoiler_text")) is not None and (warning or before):
            view["summary"] = warning
        if (sensitive := asked.flag("sensitive")) is not None and (sensitive or before):
            view["sensitive"] = sensitive
        return view

    def _attachments(self, asked: Asked) -> list[Node]:
        return [self.uploads.part(asked.me, number) for number in asked.texts("media_ids")]

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
