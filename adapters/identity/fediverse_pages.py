"""A member's page of the fediverse: who asks, who is kept away, how they appear, and moving.

Spec: https://www.w3.org/TR/activitypub/, https://www.w3.org/TR/WCAG22/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from quart import Blueprint, Response

from adapters.http.hosts import Hosts
from adapters.identity.account_pages import FEDIVERSE, AccountPages
from adapters.identity.browser import Browser, Visit
from adapters.identity.oauth_endpoints import only_here
from pod.access.agent import Agent, Credential
from pod.errors import PodError
from pod.model.member import Member

_FILES: Final = {
    "following_accounts.csv": "following",
    "blocked_accounts.csv": "blocks",
    "muted_accounts.csv": "mutes",
    "blocked_domains.csv": "domains",
    "bookmarks.csv": "bookmarks",
    "lists.csv": "lists",
}
_MAX_LIST: Final = 5 * 1024 * 1024


class Desk(Protocol):
    """What there is to show and do; all raise PodErrors."""

    def facts(self, member: Member) -> dict[str, Any]:
        """What the page shows."""
        ...

    def export(self, member: Member, kind: str) -> str:
        """A list as CSV."""
        ...

    async def act(self, agent: Agent, member: Member, name: str, form: Mapping[str, str]) -> str:
        """Do something by its name; the words for the member."""
        ...


class FediversePages:
    """``/account/fediverse`` and what its forms do."""

    def __init__(self, hosts: Hosts, browser: Browser, pages: AccountPages, desk: Desk) -> None:
        self._hosts = hosts
        self._browser = browser
        self._pages = pages
        self._desk = desk

    def rooms(self) -> Blueprint:
        """The routes."""
        blueprint = Blueprint("fediverse", __name__)

        @blueprint.get(FEDIVERSE)
        async def look() -> Response:
            only_here(self._hosts)
            self._browser.came_to_look()
            visit = self._browser.visit()
            member = self._pages.member(visit)
            if member is None:
                return await self._pages.ask(visit, FEDIVERSE)
            return self._show(visit, member)

        @blueprint.post(f"{FEDIVERSE}/<name>")
        async def act(name: str) -> Response:
            only_here(self._hosts)
            visit = self._browser.visit()
            if name == "import":
                form = await self._browser.upload(visit, _MAX_LIST)
            else:
                form = await self._browser.form(visit)
            member = self._pages.member(visit)
            if member is None:
                return await self._pages.ask(visit, FEDIVERSE)
            agent = Agent(Credential.SESSION, member.id, member.webid)
            try:
                told = await self._desk.act(agent, member, name, form)
            except PodError as err:
                return self._show(visit, member, error=err.safe_text)
            return self._show(visit, member, told=told)

        @blueprint.get(f"{FEDIVERSE}/<name>.csv")
        async def export(name: str) -> Response:
            only_here(self._hosts)
            visit = self._browser.visit()
            member = self._pages.member(visit)
            if member is None:
                return await self._pages.ask(visit, FEDIVERSE)
            text = self._desk.export(member, _FILES.get(f"{name}.csv", ""))
            headers = {"Content-Disposition": "attachment", "Cache-Control": "no-store"}
            return Response(text, 200, headers, content_type="text/csv; charset=utf-8")

        return blueprint

    def _show(
        self, visit: Visit, member: Member, *, error: str | None = None, told: str | None = None
    ) -> Response:
        return self._browser.page(
            visit,
            "fediverse.html",
            200 if error is None else 400,
            error=error,
            told=told,
            files=_FILES,
            **self._desk.facts(member),
        )
