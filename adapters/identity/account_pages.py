"""A member's own pages: sign in and out, apps and sessions, password, codes, handle, rest.

Spec: https://atproto.com/specs/account, https://www.w3.org/TR/WCAG22/
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import quote

from quart import Blueprint, Response, request

from adapters.http.hosts import Hosts
from adapters.identity.account_acts import AccountActs, Act
from adapters.identity.browser import PASSKEY, STYLE, Browser, Visit
from adapters.identity.consent_reach import reach_in_words
from adapters.identity.oauth_endpoints import only_here
from adapters.identity.oauth_pages import AUTHORIZE, ConsentPages, app_host
from adapters.identity.sign_in import SignIn
from pod.errors import Invalid, PodError
from pod.keys.totp import otpauth_uri, secret_text
from pod.model.ids import MemberId
from pod.model.member import Member, Standing
from pod.oauth.ports import SIGN_IN_LASTS, DeviceStore, Session
from pod.oauth.request import hashed
from pod.ports import Clock, Reader

ACCOUNT: Final = "/account"
FEDIVERSE: Final = "/account/fediverse"
_ASSETS: Final = {
    "forms.css": ("text/css; charset=utf-8", STYLE),
    "passkey.js": ("text/javascript; charset=utf-8", PASSKEY),
}
MIN_PASSWORD: Final = 8
MAX_PASSWORD: Final = 256


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as its page tells of it; ``key`` stands for an id that nobody needs to see."""

    key: str
    client_name: str
    app_host: str
    created_at: datetime
    renewed_at: datetime
    reach: str


@dataclass(frozen=True, slots=True)
class AccountPages:
    """What the account pages work with."""

    hosts: Hosts
    browser: Browser
    consent: ConsentPages
    sign_in: SignIn
    devices: DeviceStore
    acts: AccountActs
    reader: Reader
    clock: Clock

    def rooms(self) -> Blueprint:
        """The routes of the account pages."""
        blueprint = Blueprint("account", __name__)
        self._add_signing_in(blueprint)
        self._add_forgotten(blueprint)
        for name, act in self.acts.by_name().items():
            blueprint.add_url_rule(f"{ACCOUNT}/{name}", name, self._doing(act), methods=["POST"])

        @blueprint.get(ACCOUNT)
        async def account() -> Response:
            only_here(self.hosts)
            self.browser.came_to_look()
            visit = self.browser.visit()
            member = self.member(visit)
            return await self.ask(visit, ACCOUNT) if member is None else self._show(visit, member)

        async def asset(name: str) -> Response:
            media_type, body = _ASSETS[name]
            headers = {"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"}
            return Response(body, content_type=media_type, headers=headers)

        for name in _ASSETS:
            blueprint.add_url_rule(f"/oauth/{name}", name.replace(".", "_"), partial(asset, name))
        return blueprint

    def _add_signing_in(self, blueprint: Blueprint) -> None:
        @blueprint.post(f"{ACCOUNT}/sign-in")
        async def sign_in() -> Response:
            only_here(self.hosts)
            visit = self.browser.visit()
            form = await self.browser.form(visit)
            onward, name = onward_of(form.get("next", "")), form.get("name", "")
            try:
                member = await self.sign_in.member(name, form.get("password", ""))
            except PodError as err:
                return await self.ask(visit, onward, name=name, error=err.safe_text)
            if self.sign_in.wants_more(member):
                return self._ask_more(visit, member, onward)
            return await self._signed_in(visit, member, onward)

        async def more(kind: str) -> Response:
            only_here(self.hosts)
            visit = self.browser.visit()
            form = await self.browser.form(visit)
            ticket = form.get("ticket", "")
            try:
                told = self.browser.told(visit, "more", ticket)
            except Invalid as err:
                return await self.ask(visit, ACCOUNT, error=err.safe_text)
            member = self.reader.member(MemberId(told["member"]))
            if member is None:
                return await self.ask(visit, ACCOUNT)
            try:
                if kind == "code":
                    await self.sign_in.code(member, form.get("code", "").replace(" ", ""))
                else:
                    await self.sign_in.passkey(member, form, hashed(ticket))
            except PodError as err:
                return self._ask_more(visit, member, told["next"], error=err.safe_text)
            return await self._signed_in(visit, member, told["next"])

        for kind in ("code", "passkey"):
            blueprint.add_url_rule(
                f"{ACCOUNT}/{kind}", f"more_{kind}", partial(more, kind), methods=["POST"]
            )

        @blueprint.post(f"{ACCOUNT}/sign-out")
        async def sign_out() -> Response:
            only_here(self.hosts)
            visit = self.browser.visit()
            await self.browser.form(visit)
            member = self.member(visit)
            if member is not None:
                await self.devices.sign_out(visit.device, member.id)
            return self.browser.to(ACCOUNT)

    def _add_forgotten(self, blueprint: Blueprint) -> None:
        path = f"{ACCOUNT}/forgotten"

        def page(visit: Visit, *, is_sent: bool, error: str | None = None) -> Response:
            status = 200 if error is None else 400
            return self.browser.page(visit, "forgotten.html", status, is_sent=is_sent, error=error)

        @blueprint.get(path)
        async def forgotten() -> Response:
            only_here(self.hosts)
            self.browser.came_to_look()
            return page(self.browser.visit(), is_sent=False)

        @blueprint.post(path)
        async def mail_code() -> Response:
            only_here(self.hosts)
            visit = self.browser.visit()
            form = await self.browser.form(visit)
            try:
                await self.acts.mail_reset_code(form.get("email", ""))
            except PodError as err:
                return page(visit, is_sent=False, error=err.safe_text)
            return page(visit, is_sent=True)

        @blueprint.post(f"{path}/new")
        async def new_password() -> Response:
            only_here(self.hosts)
            visit = self.browser.visit()
            form = await self.browser.form(visit)
            try:
                await self.acts.reset_password(form)
            except PodError as err:
                return page(visit, is_sent=True, error=err.safe_text)
            return await self.ask(visit, ACCOUNT)

    def _doing(self, act: Act) -> Callable[[], Awaitable[Response]]:
        async def do() -> Response:
            only_here(self.hosts)
            visit = self.browser.visit()
            form = await self.browser.form(visit)
            member = self.member(visit)
            if member is None:
                return await self.ask(visit, ACCOUNT)
            try:
                ticket = form.get("ticket")
                if ticket is not None:
                    self.browser.told(visit, "passkey", ticket)
                form["challenge"] = hashed(ticket) if ticket is not None else ""
                outcome = await act(member, form)
            except PodError as err:
                return self._show(visit, member, error=err.safe_text)
            if outcome.is_over:
                return self.browser.page(visit, "stop.html", title="Farewell", text=outcome.told)
            if outcome.signed_out:
                fresh = self.browser.fresh()
                now = self.clock.now()
                await self.devices.sign_in(visit.device, fresh.device, member.id, now)
                visit = fresh
            member = self.reader.member(member.id) or member
            return self._show(visit, member, told=outcome.told, shown_once=outcome.shown_once)

        return do

    def _ask_more(
        self, visit: Visit, member: Member, onward: str, *, error: str | None = None
    ) -> Response:
        """The page for the second factor, code or passkey."""
        ticket = self.browser.ticket(visit, "more", member=member.id, next=onward)
        return self.browser.page(
            visit,
            "code.html",
            200 if error is None else 401,
            script=True,
            ticket=ticket,
            challenge=hashed(ticket),
            site=self.acts.passkeys.site.id,
            known=self.sign_in.known_passkeys(member),
            takes_codes=self.sign_in.takes_codes(member),
            error=error,
        )

    async def enter(self, visit: Visit, member: Member, onward: str) -> tuple[Visit, str]:
        """A new cookie for a browser that somebody signed in on, and where they go on to."""
        fresh = self.browser.fresh()
        await self.devices.sign_in(visit.device, fresh.device, member.id, self.clock.now())
        url = onward if member.is_active else ACCOUNT
        return fresh, f"{url}{'&' if '?' in url else '?'}account={quote(member.did)}"

    async def _signed_in(self, visit: Visit, member: Member, onward: str) -> Response:
        fresh, url = await self.enter(visit, member, onward)
        return self.browser.to(url, fresh)

    def member(self, visit: Visit) -> Member | None:
        """Who is signed in on a browser; of several, whom the address names, or the last one."""
        oldest = self.clock.now() - SIGN_IN_LASTS
        here = sorted(self.devices.signed_in(visit.device), key=lambda each: each.at, reverse=True)
        found = [self.reader.member(each.member) for each in here if each.at >= oldest]
        members = [m for m in found if m is not None and m.standing is not Standing.DELETED]
        named = [m for m in members if m.did == request.args.get("account")]
        return next(iter(named or members), None)

    async def ask(
        self, visit: Visit, onward: str, *, name: str = "", error: str | None = None
    ) -> Response:
        """The page where somebody signs in, to go on to one of ours."""
        asked = await self.consent.waiting(visit, onward)
        return self.browser.page(
            visit,
            "sign_in.html",
            200 if error is None else 401,
            target=asked.request.parameters["redirect_uri"] if asked is not None else "",
            asked=asked,
            next=onward,
            name=name,
            error=error,
        )

    def _show(
        self,
        visit: Visit,
        member: Member,
        *,
        error: str | None = None,
        told: str | None = None,
        shown_once: str | None = None,
    ) -> Response:
        secret = self.acts.factor.pending(member.id)
        ticket = self.browser.ticket(visit, "passkey")
        host = self.hosts.server.split("://", 1)[1]
        return self.browser.page(
            visit,
            "account.html",
            200 if error is None else 400,
            member=member,
            sessions=[_shown(session) for session in self.acts.sessions.sessions(member.id)],
            app_passwords=self.acts.grants.app_passwords(member.id),
            programs=self.acts.clients.clients(member.id),
            script=True,
            ticket=ticket,
            challenge=hashed(ticket),
            site=self.acts.passkeys.site.id,
            passkeys=self.acts.passkeys.of(member.id),
            codes_on=self.acts.factor.is_on(member.id),
            pending=None
            if secret is None
            else {
                "uri": otpauth_uri(secret, account=member.handle, issuer=host),
                "text": secret_text(secret),
            },
            error=error,
            told=told,
            shown_once=shown_once,
        )


def _shown(session: Session) -> Shown:
    return Shown(
        hashed(session.id),
        session.client_name,
        app_host(session.client_id),
        session.created_at,
        session.renewed_at,
        reach_in_words(session.scope.split()),
    )


def onward_of(asked: str) -> str:
    """Where to go after signing in: nowhere but to our own pages."""
    return asked if asked.startswith(f"{AUTHORIZE}?") or asked == FEDIVERSE else ACCOUNT
