"""A member's own pages: sign in and out, apps and sessions, password, codes, handle, rest.

Spec: https://atproto.com/specs/account, https://www.w3.org/TR/WCAG22/
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import quote

from quart import Blueprint, Response, request

from adapters.http.hosts import Hosts
from adapters.identity.browser import STYLE, Browser, Visit
from adapters.identity.oauth_endpoints import only_here
from adapters.identity.oauth_pages import AUTHORIZE, ConsentPages, app_host
from adapters.identity.sign_in import Passwords, SignIn
from pod.access.agent import Agent, Credential
from pod.access.app_password import app_password_digest, new_app_password
from pod.access.grant import AppPassword
from pod.account import Accounts
from pod.errors import Forbidden, Invalid, PodError
from pod.keys.totp import otpauth_uri, secret_text
from pod.model.ids import MemberId
from pod.model.member import Member, Standing
from pod.oauth.ports import SIGN_IN_LASTS, DeviceStore, OAuthStore, Session
from pod.oauth.request import hashed
from pod.ports import Clock, Reader
from pod.second_factor import SecondFactor

ACCOUNT: Final = "/account"
MIN_PASSWORD: Final = 8
MAX_PASSWORD: Final = 256


class Grants(Protocol):
    """What lets members in besides the password."""

    def app_passwords(self, member: MemberId) -> list[AppPassword]: ...
    async def add_app_password(self, made: AppPassword) -> None: ...
    async def delete_app_password(self, member: MemberId, name: str) -> None: ...
    async def revoke_refresh_grants(self, member: MemberId) -> None: ...
    async def set_password_hash(self, member: MemberId, encoded: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as its page tells of it; ``key`` stands for an id that nobody needs to see."""

    key: str
    client_name: str
    app_host: str
    created_at: datetime
    renewed_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a form led to: words for the person, and a secret that is shown once."""

    told: str
    shown_once: str | None = None
    signed_out: bool = False


Act = Callable[[Member, Mapping[str, str]], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class AccountPages:
    """What the account pages work with."""

    hosts: Hosts
    browser: Browser
    consent: ConsentPages
    sign_in: SignIn
    devices: DeviceStore
    sessions: OAuthStore
    grants: Grants
    passwords: Passwords
    factor: SecondFactor
    accounts: Accounts
    reader: Reader
    clock: Clock

    def rooms(self) -> Blueprint:
        """The routes of the account pages."""
        blueprint = Blueprint("account", __name__)
        self._add_signing_in(blueprint)
        acts: dict[str, Act] = {
            "sessions": self._end_session,
            "everywhere": self._end_everything,
            "app-passwords": self._make_app_password,
            "app-passwords/delete": self._delete_app_password,
            "password": self._change_password,
            "codes": self._set_up_codes,
            "codes/confirm": self._turn_codes_on,
            "codes/off": self._turn_codes_off,
            "handle": self._change_handle,
            "rest": self._rest,
            "return": self._wake_up,
        }
        for name, act in acts.items():
            blueprint.add_url_rule(f"{ACCOUNT}/{name}", name, self._doing(act), methods=["POST"])

        @blueprint.get(ACCOUNT)
        async def account() -> Response:
            only_here(self.hosts)
            self.browser.came_to_look()
            visit = self.browser.visit()
            member = self._member(visit)
            return await self._ask(visit, ACCOUNT) if member is None else self._show(visit, member)

        @blueprint.get("/oauth/forms.css")
        async def style() -> Response:
            headers = {"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"}
            return Response(STYLE, content_type="text/css; charset=utf-8", headers=headers)

        return blueprint

    def _add_signing_in(self, blueprint: Blueprint) -> None:
        @blueprint.post(f"{ACCOUNT}/sign-in")
        async def sign_in() -> Response:
            only_here(self.hosts)
            visit = self.browser.visit()
            form = await self.browser.form(visit)
            onward, name = _onward(form.get("next", "")), form.get("name", "")
            try:
                member = await self.sign_in.member(name, form.get("password", ""))
            except PodError as err:
                return await self._ask(visit, onward, name=name, error=err.safe_text)
            if self.sign_in.wants_code(member):
                ticket = self.browser.ticket(visit, "code", member=member.id, next=onward)
                return self.browser.page(visit, "code.html", ticket=ticket, error=None)
            return await self._signed_in(visit, member, onward)

        @blueprint.post(f"{ACCOUNT}/code")
        async def code() -> Response:
            only_here(self.hosts)
            visit = self.browser.visit()
            form = await self.browser.form(visit)
            ticket = form.get("ticket", "")
            try:
                told = self.browser.told(visit, "code", ticket)
            except Invalid as err:
                return await self._ask(visit, ACCOUNT, error=err.safe_text)
            member = self.reader.member(MemberId(told["member"]))
            if member is None:
                return await self._ask(visit, ACCOUNT)
            try:
                await self.sign_in.code(member, form.get("code", "").replace(" ", ""))
            except PodError as err:
                error = err.safe_text
                return self.browser.page(visit, "code.html", 401, ticket=ticket, error=error)
            return await self._signed_in(visit, member, told["next"])

        @blueprint.post(f"{ACCOUNT}/sign-out")
        async def sign_out() -> Response:
            only_here(self.hosts)
            visit = self.browser.visit()
            await self.browser.form(visit)
            member = self._member(visit)
            if member is not None:
                await self.devices.sign_out(visit.device, member.id)
            return self.browser.to(ACCOUNT)

    def _doing(self, act: Act) -> Callable[[], Awaitable[Response]]:
        async def do() -> Response:
            only_here(self.hosts)
            visit = self.browser.visit()
            form = await self.browser.form(visit)
            member = self._member(visit)
            if member is None:
                return await self._ask(visit, ACCOUNT)
            try:
                outcome = await act(member, form)
            except PodError as err:
                return self._show(visit, member, error=err.safe_text)
            if outcome.signed_out:
                fresh = self.browser.fresh()
                now = self.clock.now()
                await self.devices.sign_in(visit.device, fresh.device, member.id, now)
                visit = fresh
            member = self.reader.member(member.id) or member
            return self._show(visit, member, told=outcome.told, shown_once=outcome.shown_once)

        return do

    async def _signed_in(self, visit: Visit, member: Member, onward: str) -> Response:
        """A new cookie for a browser that somebody signed in on, and on to where they wanted."""
        fresh = self.browser.fresh()
        await self.devices.sign_in(visit.device, fresh.device, member.id, self.clock.now())
        if onward == ACCOUNT or not member.is_active:
            return self.browser.to(f"{ACCOUNT}?account={quote(member.did)}", fresh)
        return self.browser.to(f"{onward}&account={quote(member.did)}", fresh)

    def _member(self, visit: Visit) -> Member | None:
        """Who is signed in on a browser; of several, whom the address names, or the last one."""
        oldest = self.clock.now() - SIGN_IN_LASTS
        here = sorted(self.devices.signed_in(visit.device), key=lambda each: each.at, reverse=True)
        found = [self.reader.member(each.member) for each in here if each.at >= oldest]
        members = [m for m in found if m is not None and m.standing is not Standing.DELETED]
        named = [m for m in members if m.did == request.args.get("account")]
        return next(iter(named or members), None)

    async def _ask(
        self, visit: Visit, onward: str, *, name: str = "", error: str | None = None
    ) -> Response:
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
        secret = self.factor.pending(member.id)
        host = self.hosts.server.split("://", 1)[1]
        return self.browser.page(
            visit,
            "account.html",
            200 if error is None else 400,
            member=member,
            sessions=[_shown(session) for session in self.sessions.sessions(member.id)],
            app_passwords=self.grants.app_passwords(member.id),
            codes_on=self.factor.is_on(member.id),
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

    async def _end_session(self, member: Member, form: Mapping[str, str]) -> Outcome:
        for session in self.sessions.sessions(member.id):
            if hashed(session.id) == form.get("session"):
                await self.sessions.end_session(session.id)
        return Outcome("The app has no access any more.")

    async def _end_everything(self, member: Member, _: Mapping[str, str]) -> Outcome:
        for session in self.sessions.sessions(member.id):
            await self.sessions.end_session(session.id)
        await self.grants.revoke_refresh_grants(member.id)
        await self.devices.sign_out_everywhere(member.id)
        return Outcome("Everybody else is signed out.", signed_out=True)

    async def _make_app_password(self, member: Member, form: Mapping[str, str]) -> Outcome:
        await self.sign_in.again(member, form.get("password", ""))
        name = form.get("name", "").strip()
        if not name:
            raise Invalid("An app password needs a name.")
        password = new_app_password()
        digest = app_password_digest(member.did, password)
        privileged = form.get("privileged") == "yes"
        made = AppPassword(member.id, name, digest, privileged, self.clock.now())
        await self.grants.add_app_password(made)
        return Outcome(f"The app password “{name}” is made.", password)

    async def _delete_app_password(self, member: Member, form: Mapping[str, str]) -> Outcome:
        await self.grants.delete_app_password(member.id, form.get("name", ""))
        return Outcome("The app password is deleted.")

    async def _change_password(self, member: Member, form: Mapping[str, str]) -> Outcome:
        await self.sign_in.again(member, form.get("password", ""))
        new = form.get("new", "")
        if not MIN_PASSWORD <= len(new) <= MAX_PASSWORD:
            raise Invalid(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
        await self.grants.set_password_hash(member.id, await self.passwords.hash(new))
        done = await self._end_everything(member, form)
        return replace(done, told="Your password is changed, and everybody else signed out.")

    async def _set_up_codes(self, member: Member, form: Mapping[str, str]) -> Outcome:
        await self.sign_in.again(member, form.get("password", ""))
        await self.factor.begin(member.id)
        return Outcome("Add the key to your authenticator app, then enter the code it shows.")

    async def _turn_codes_on(self, member: Member, form: Mapping[str, str]) -> Outcome:
        await self.factor.confirm(member.id, form.get("code", "").replace(" ", ""))
        return Outcome("From now on a code is asked for when you sign in.")

    async def _turn_codes_off(self, member: Member, form: Mapping[str, str]) -> Outcome:
        await self.sign_in.again(member, form.get("password", ""))
        await self.factor.turn_off(member.id)
        return Outcome("Codes are off.")

    async def _change_handle(self, member: Member, form: Mapping[str, str]) -> Outcome:
        changed = await self.accounts.set_handle(member, form.get("handle", "").strip())
        return Outcome(f"You are now {changed.handle}.")

    async def _rest(self, member: Member, form: Mapping[str, str]) -> Outcome:
        await self.sign_in.again(member, form.get("password", ""))
        await self.accounts.set_standing(_as(member), member.id, Standing.DEACTIVATED)
        return Outcome("Your account is resting.")

    async def _wake_up(self, member: Member, _: Mapping[str, str]) -> Outcome:
        if member.standing is not Standing.DEACTIVATED:
            raise Forbidden("Your account does not rest.")
        await self.accounts.set_standing(_as(member), member.id, Standing.ACTIVE)
        return Outcome("Your account is back.")


def _as(member: Member) -> Agent:
    return Agent(Credential.SESSION, member.id, member.webid)


def _shown(session: Session) -> Shown:
    return Shown(
        hashed(session.id),
        session.client_name,
        app_host(session.client_id),
        session.created_at,
        session.renewed_at,
    )


def _onward(asked: str) -> str:
    """Where to go after signing in: nowhere but to our own pages."""
    return asked if asked.startswith(f"{AUTHORIZE}?") else ACCOUNT
