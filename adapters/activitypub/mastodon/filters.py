"""Filters: words, and posts, that a member wants to be warned of or not to see.

Apps hide what is filtered; the server says which filters match.

Spec: https://docs.joinmastodon.org/methods/filters/, https://docs.joinmastodon.org/entities/Filter/
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import html, poll
from adapters.activitypub.mastodon.frame import Asked, Frame, as_flag
from adapters.activitypub.mastodon.library import Library, moment, stamp
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.papers import Paper, Papers
from pod.errors import Invalid, NotFound
from pod.model.ids import Iri
from pod.model.member import Member

_CONTEXTS: Final = ("home", "notifications", "public", "thread", "account")
_ACTIONS: Final = ("warn", "hide", "blur")
_MOST_PARTS: Final = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """The endpoints about filters; each filter is a document of the member's."""

    library: Library
    papers: Papers

    def add(self, frame: Frame) -> None:
        """All routes."""
        at, reads, writes = "/api/v2/filters", "read:filters", "write:filters"
        frame.add("GET", at, reads, self.all)
        frame.add("POST", at, writes, self.create)
        frame.add("GET", f"{at}/<id>", reads, self.show)
        frame.add("PUT", f"{at}/<id>", writes, self.change)
        frame.add("DELETE", f"{at}/<id>", writes, self.delete)
        for kind in ("keywords", "statuses"):
            frame.add("GET", f"{at}/<id>/{kind}", reads, self._parts(kind))
            frame.add("POST", f"{at}/<id>/{kind}", writes, self._join(kind))
            frame.add("GET", f"{at}/{kind}/<id>", reads, self._part(kind))
            frame.add("DELETE", f"{at}/{kind}/<id>", writes, self._leave(kind))
        frame.add("PUT", f"{at}/keywords/<id>", writes, self.change_keyword)
        old = "/api/v1/filters"
        frame.add("GET", old, reads, self.all_words)
        frame.add("POST", old, writes, self.create_word)
        frame.add("GET", f"{old}/<id>", reads, self.show_word)
        frame.add("PUT", f"{old}/<id>", writes, self.change_word)
        frame.add("DELETE", f"{old}/<id>", writes, self._leave("keywords"))

    async def matches(self, member: Member, iri: Iri, node: Node) -> list[Entity]:
        """Which of a member's filters match a post, and by which words."""
        papers = self.papers.all(member)
        text = _text_of(node) if papers else ""
        found = []
        for paper in papers:
            if self._is_over(paper):
                continue
            words = [each["keyword"] for each in _list(paper, "keywords") if _has(text, each)]
            is_named = any(each["iri"] == iri for each in _list(paper, "statuses"))
            if words or is_named:
                number = await self.library.id_of(iri, self.papers.wing.clock.now())
                found.append(
                    {
                        "filter": await self._shown(member, paper),
                        "keyword_matches": words or None,
                        "status_matches": [number] if is_named else None,
                    }
                )
        return found

    async def all(self, asked: Asked) -> Sequence[Entity]:
        """The member's filters."""
        return [await self._shown(asked.me, paper) for paper in self.papers.all(asked.me)[::-1]]

    async def create(self, asked: Asked) -> Entity:
        """Begin a filter, with its first words."""
        body = self._said(asked, {"keywords": [], "statuses": []})
        return await self._shown(asked.me, await self.papers.add(asked.agent, asked.me, body))

    async def show(self, asked: Asked) -> Entity:
        """A filter."""
        return await self._shown(asked.me, self._paper(asked))

    async def change(self, asked: Asked) -> Entity:
        """Change a filter and its words."""
        paper = self._paper(asked)
        return await self._shown(asked.me, await self._put(asked, paper, {}))

    async def delete(self, asked: Asked) -> Entity:
        """Throw a filter away."""
        await self.papers.drop(asked.agent, asked.me, self._paper(asked))
        return {}

    async def change_keyword(self, asked: Asked) -> Entity:
        """Change a word of a filter."""
        paper, part = self._found(asked, "keywords")
        new = {**part, **_keyword(asked.fields, part)}
        await self._replace(asked, paper, "keywords", part, new)
        return await self._shown_part(asked.me, paper, "keywords", new)

    async def all_words(self, asked: Asked) -> Sequence[Entity]:
        """Each word of a filter, as older apps take it for one."""
        return [
            await self._shown_word(asked.me, paper, part)
            for paper in self.papers.all(asked.me)[::-1]
            for part in _list(paper, "keywords")
        ]

    async def create_word(self, asked: Asked) -> Entity:
        """Begin a filter of one word."""
        part = {**_word_of(asked, {}), "key": self.papers.wing.tids.next()}
        body = self._said(asked, {"title": part["keyword"], "keywords": [part], "statuses": []})
        paper = await self.papers.add(asked.agent, asked.me, body)
        return await self._shown_word(asked.me, paper, part)

    async def show_word(self, asked: Asked) -> Entity:
        """One word of a filter."""
        return await self._shown_word(asked.me, *self._found(asked, "keywords"))

    async def change_word(self, asked: Asked) -> Entity:
        """Change a word, and the filter that it is of."""
        paper, part = self._found(asked, "keywords")
        new = {**part, **_word_of(asked, part)}
        parts = [new if each == part else each for each in _list(paper, "keywords")]
        paper = await self._put(asked, paper, {"keywords": parts})
        return await self._shown_word(asked.me, paper, new)

    def _parts(self, kind: str) -> Callable[[Asked], Awaitable[Sequence[Entity]]]:
        async def parts(asked: Asked) -> Sequence[Entity]:
            paper = self._paper(asked)
            return [
                await self._shown_part(asked.me, paper, kind, part) for part in _list(paper, kind)
            ]

        return parts

    def _part(self, kind: str) -> Callable[[Asked], Awaitable[Entity]]:
        async def part(asked: Asked) -> Entity:
            paper, found = self._found(asked, kind)
            return await self._shown_part(asked.me, paper, kind, found)

        return part

    def _join(self, kind: str) -> Callable[[Asked], Awaitable[Entity]]:
        async def join(asked: Asked) -> Entity:
            paper = self._paper(asked)
            if kind == "keywords":
                part = _keyword(asked.fields, {})
            else:
                part = {"iri": self.library.known(asked.text("status_id") or "", asked.me)[0]}
            part["key"] = self.papers.wing.tids.next()
            parts = [*_list(paper, kind), part]
            if len(parts) > _MOST_PARTS:
                raise Invalid("The filter has too many parts")
            body = {**paper.body, kind: parts}
            paper = await self.papers.change(asked.agent, asked.me, paper, body)
            return await self._shown_part(asked.me, paper, kind, part)

        return join

    def _leave(self, kind: str) -> Callable[[Asked], Awaitable[Entity]]:
        async def leave(asked: Asked) -> Entity:
            paper, part = self._found(asked, kind)
            await self._replace(asked, paper, kind, part, None)
            return {}

        return leave

    async def _replace(
        self, asked: Asked, paper: Paper, kind: str, part: Node, new: Node | None
    ) -> None:
        parts = [new if each == part else each for each in _list(paper, kind)]
        body = {**paper.body, kind: [each for each in parts if each is not None]}
        if kind == "keywords" and not body["keywords"] and not _list(paper, "statuses"):
            await self.papers.drop(asked.agent, asked.me, paper)
        else:
            await self.papers.change(asked.agent, asked.me, paper, body)

    async def _put(self, asked: Asked, paper: Paper, more: Node) -> Paper:
        body = self._said(asked, {**paper.body, **more})
        return await self.papers.change(asked.agent, asked.me, paper, body)

    def _paper(self, asked: Asked) -> Paper:
        found = self.papers.at(asked.me, self.library.iri_of(asked.path["id"]))
        if found is None:
            raise NotFound
        return found

    def _found(self, asked: Asked, kind: str) -> tuple[Paper, Node]:
        """The part of a filter that is asked for; raises NotFound."""
        iri, _, key = self.library.iri_of(asked.path["id"]).partition("#")
        paper = self.papers.at(asked.me, iri)
        for part in _list(paper, kind) if paper is not None else []:
            if paper is not None and part.get("key") == key:
                return paper, part
        raise NotFound

    def _said(self, asked: Asked, before: Node) -> Node:
        """The document of a filter after what an app says."""
        title = asked.text("title") if asked.text("title") is not None else before.get("title")
        if not str(title or "").strip():
            raise Invalid("Title can't be blank")
        contexts = asked.texts("context") or before.get("context") or []
        if not contexts or not set(contexts) <= set(_CONTEXTS):
            raise Invalid("Context is invalid")
        action = asked.text("filter_action") or (
            "hide" if asked.flag("irreversible") else before.get("action", "warn")
        )
        if action not in _ACTIONS:
            raise Invalid("Filter action is invalid")
        body = {**before, "title": str(title)[:256], "context": contexts, "action": action}
        if "expires_in" in asked.fields:
            seconds = asked.text("expires_in") or ""
            if seconds and not (seconds.isdecimal() and len(seconds) < 10):
                raise Invalid("expires_in is a number of seconds")
            end = self.papers.wing.clock.now() + timedelta(seconds=int(seconds or 0))
            body["expires_at"] = stamp(end) if int(seconds or 0) else None
        told = asked.fields.get("keywords_attributes")
        rows = list(told.values()) if isinstance(told, dict) else told
        for row in rows if isinstance(rows, list) else []:
            body["keywords"] = self._keywords(body["keywords"], row)
        return body

    def _keywords(self, before: list[Node], row: Any) -> list[Node]:
        """The words of a filter after one was added, changed or (``_destroy``) taken away."""
        if not isinstance(row, dict):
            raise Invalid("keywords_attributes are objects")
        if row.get("id") in (None, ""):
            if len(before) >= _MOST_PARTS:
                raise Invalid("The filter has too many parts")
            return [*before, {**_keyword(row, {}), "key": self.papers.wing.tids.next()}]
        key = self.library.iri_of(str(row["id"])).partition("#")[2]
        if not any(part.get("key") == key for part in before):
            raise NotFound
        if as_flag(row.get("_destroy")):
            return [part for part in before if part.get("key") != key]
        return [{**p, **_keyword(row, p)} if p.get("key") == key else p for p in before]

    def _is_over(self, paper: Paper) -> bool:
        end = paper.body.get("expires_at")
        now = self.papers.wing.clock.now()
        return isinstance(end, str) and moment(paper.body, "expires_at", now) < now

    async def _shown(self, member: Member, paper: Paper) -> Entity:
        kinds = ("keywords", "statuses")
        parts = {
            kind: [await self._shown_part(member, paper, kind, each) for each in _list(paper, kind)]
            for kind in kinds
        }
        return {
            "id": await self._number(member, paper, None),
            "title": paper.body.get("title", ""),
            "context": paper.body.get("context", []),
            "expires_at": paper.body.get("expires_at"),
            "filter_action": paper.body.get("action", "warn"),
            **parts,
        }

    async def _shown_part(self, member: Member, paper: Paper, kind: str, part: Node) -> Entity:
        number = await self._number(member, paper, part)
        if kind == "keywords":
            whole = part.get("whole_word") is True
            return {"id": number, "keyword": part["keyword"], "whole_word": whole}
        now = self.papers.wing.clock.now()
        return {"id": number, "status_id": await self.library.id_of(part["iri"], now)}

    async def _shown_word(self, member: Member, paper: Paper, part: Node) -> Entity:
        return {
            "id": await self._number(member, paper, part),
            "phrase": part["keyword"],
            "context": paper.body.get("context", []),
            "whole_word": part.get("whole_word") is True,
            "expires_at": paper.body.get("expires_at"),
            "irreversible": paper.body.get("action") == "hide",
        }

    async def _number(self, member: Member, paper: Paper, part: Node | None) -> str:
        mark = f"#{part['key']}" if part is not None else ""
        return await self.library.id_of(
            f"{member.url(paper.path)}{mark}", self.papers.wing.clock.now()
        )


def _list(paper: Paper | None, kind: str) -> list[Node]:
    told: Any = paper.body.get(kind) if paper is not None else None
    needed = "keyword" if kind == "keywords" else "iri"
    rows = told if isinstance(told, list) else []
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get(needed), str)
            and isinstance(row.get("key"), str)]  # fmt: skip


def _keyword(told: Any, before: Node) -> Node:
    word = str(told.get("keyword") or before.get("keyword") or "").strip()
    if not word or len(word) > 512:
        raise Invalid("Keyword can't be blank")
    whole = as_flag(told.get("whole_word"))
    return {"keyword": word, "whole_word": bool(before.get("whole_word")) if whole is None
            else whole}  # fmt: skip


def _word_of(asked: Asked, before: Node) -> Node:
    return _keyword({**asked.fields, "keyword": asked.text("phrase")}, before)


def _text_of(node: Node) -> str:
    """All words of a post: its own, its warning, what its pictures show, what can be chosen."""
    shown = [read.text(node, "content") or "", read.text(node, "summary") or ""]
    words = [html.plain(each) for each in shown]
    words += [read.text(part, "name") or "" for part in read.nodes(node, "attachment")]
    return "\n".join([*words, *poll.choices(node)])


def _has(text: str, part: Node) -> bool:
    word = re.escape(part["keyword"])
    if part.get("whole_word"):
        before = r"(?<!\w)" if part["keyword"][0].isalnum() else ""
        after = r"(?!\w)" if part["keyword"][-1].isalnum() else ""
        word = before + word + after
    return re.search(word, text, re.IGNORECASE) is not None
