"""The authorisation endpoint: who are you, and may this app? Plain forms, no script.

Spec: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1, RFC 9207, RFC 9126,
https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest (prompt, login_hint)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from quart import Blueprint, Response, request

from adapters.http.hosts import Hosts
from adapters.identity.browser import Browser, Visit
from adapters.identity.consent_reach import offered, places, reach_in
from adapters.identity.consent_words import asks
from adapters.identity.oauth_endpoints import only_here
from pod.errors import Forbidden, Invalid, PodError
from pod.model.ids import Did
from pod.model.member import Member
from pod.oauth.metadata import LOOPBACK_PREFIX, Metadata
from pod.oauth.openid import OPENID, WEBID
from pod.oauth.ports import SIGN_IN_LASTS, DeviceStore, PushedRequest
from pod.oauth.reach import is_reach
from pod.oauth.registration import OOB
from pod.oauth.server import AuthorizationServer, Sendable
from pod.ports import Clock, Reader

AUTHORIZE: Final = "/oauth/authorize"
SIGN_UP: Final = "/account/sign-up"


@dataclass(frozen=True, slots=True)
class Here:
    """A member who is signed in on this browser."""

    member: Member
    at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way: whose browser, which app, what for."""

    visit: Visit
    client: Metadata
    request: PushedRequest

    @property
    def url(self) -> str:
        """The address of the page that this request is decided on."""
        uri = f"urn:ietf:params:oauth:request_uri:{self.request.id}"
        return f"{AUTHORIZE}?{urlencode({'client_id': self.client.client_id, 'request_uri': uri})}"

    @property
    def scopes(self) -> Sequence[str]:
        """What the app wants."""
        return self.request.parameters["scope"].split()

    @property
    def app_name(self) -> str:
        """How the app calls itself; nobody has checked that."""
        return self.client.name or self.app_host

    @property
    def app_host(self) -> str:
        """Where the app is, which is as good as known: for who registered, where answers go."""
        if "://" in self.client.client_id:
            return app_host(self.client.client_id)
        parts = urlsplit(self.request.parameters["redirect_uri"])
        return parts.netloc if parts.scheme in ("http", "https") else f"{parts.scheme}:"

    @property
    def reaches(self) -> bool:
        """Whether the member says how far into the pod the app may go."""
        return OPENID in self.scopes or WEBID in self.scopes


@dataclass(frozen=True, slots=True)
class ConsentPages:
    """What the authorisation endpoint works with."""

    hosts: Hosts
    server: AuthorizationServer
    browser: Browser
    devices: DeviceStore
    reader: Reader
    clock: Clock

    def rooms(self) -> Blueprint:
        """The routes of the endpoint."""
        blueprint = Blueprint("oauth_pages", __name__)

        @blueprint.get(AUTHORIZE)
        async def authorize() -> Response:
            if not self.hosts.is_server(request.host):
                # An app that takes a member's domain for its server: there is one place to sign in.
                self.hosts.member(request.host)
                query = request.query_string.decode("latin-1")
                return self.browser.to(f"{self.hosts.server}{AUTHORIZE}?{query}")
            self.browser.came_to_look()
            visit = self.browser.visit()
            try:
                asked = await self._asked(visit, request.args.to_dict())
            except Sendable as err:
                return self._told(visit, err)
            except PodError as err:
                return self._stop(visit, err)
            return await self._next(asked, request.args.get("account"))

        @blueprint.post(AUTHORIZE)
        async def decide() -> Response:
            only_here(self.hosts)
            visit = self.browser.visit()
            form = await self.browser.form(visit)
            try:
                asked = await self._asked(visit, form)
            except PodError as err:
                return self._stop(visit, err)
            if form.get("decision") != "allow":
                return await self._refused(asked, "access_denied", "The member said no")
            here = self._chosen(asked, form.get("account"))
            if here is None:
                return self.browser.to(asked.url)
            scope = None
            if asked.reaches:
                reach = reach_in(form, offered(self.reader, here.member))
                scope = " ".join([*asked.scopes, *reach.scopes()])
            return await self._agreed(asked, here, scope)

        return blueprint

    async def waiting(self, visit: Visit, url: str) -> Asked | None:
        """The request that a page at `Asked.url` is about; None if it is over."""
        try:
            return await self._asked(visit, dict(parse_qsl(urlsplit(url).query)))
        except PodError:
            return None

    async def _asked(self, visit: Visit, fields: dict[str, str]) -> Asked:
        client_id, uri = fields.get("client_id"), fields.get("request_uri")
        if not client_id:
            raise Invalid("The app did not say who it is (client_id is missing).")
        if not uri:
            return Asked(visit, *await self.server.bring(fields, visit.device))
        client, pushed = await self.server.begin(uri, client_id, visit.device)
        return Asked(visit, client, pushed)

    async def _next(self, asked: Asked, account: str | None) -> Response:
        prompt = asked.request.parameters.get("prompt")
        if prompt == "none":
            return await self._silently(asked)
        if prompt == "create" and account is None:
            return self.browser.to(f"{SIGN_UP}?next={quote(asked.url, safe='')}", asked.visit)
        present = self._present(asked)
        chosen = self._chosen(asked, account)
        if chosen is None and account is None and prompt != "select_account":
            chosen = self._obvious(asked, present)
        if chosen is not None:
            if prompt is None and self._may_be_silent(asked, chosen.member):
                return await self._agreed(asked, chosen, self._as_before(asked, chosen.member))
            return await self._consent(asked, chosen.member)
        if present and account is None:
            return self._page(asked, "choose.html", people=[here.member for here in present])
        hint = asked.request.parameters.get("login_hint", "")
        return self._page(asked, "sign_in.html", next=asked.url, name=self._handle_of(hint))

    async def _silently(self, asked: Asked) -> Response:
        hint = asked.request.parameters.get("login_hint")
        present = [each for each in self._present(asked) if _is_named(each.member, hint)]
        if len(present) > 1:
            return await self._refused(asked, "account_selection_required", "Choose an account")
        if not present:
            return await self._refused(asked, "login_required", "Login is required")
        if not self._may_be_silent(asked, present[0].member):
            return await self._refused(asked, "consent_required", "Consent is required")
        return await self._agreed(asked, present[0], self._as_before(asked, present[0].member))

    def _as_before(self, asked: Asked, member: Member) -> str:
        """What the app asks for, with the reach that it was given before."""
        given = self.server.store.consented(member.id, asked.client.client_id).split()
        return " ".join([*asked.scopes, *(scope for scope in given if is_reach(scope))])

    def _may_be_silent(self, asked: Asked, member: Member) -> bool:
        """Whether an app that proved who it is asks for no more than it was given before.

        Where the protocol has it so, a web address that only the app can be at is proof enough.
        """
        given = self.server.store.consented(member.id, asked.client.client_id).split()
        is_web = asked.request.parameters["redirect_uri"].startswith("https:")
        proved = asked.request.auth.method != "none" or (
            is_web and self.server.requests.terms(asked.scopes).silent
        )
        return proved and set(asked.scopes) <= set(given)

    def _present(self, asked: Asked) -> list[Here]:
        """Who signed in here not long ago; since the request was made where it wants that."""
        oldest = self.clock.now() - SIGN_IN_LASTS
        if asked.request.parameters.get("prompt") == "login":
            oldest = asked.request.created_at
        max_age = asked.request.parameters.get("max_age")
        if max_age is not None:
            age = timedelta(seconds=min(int(max_age), SIGN_IN_LASTS.total_seconds()))
            oldest = max(oldest, asked.request.created_at - age)
        found = []
        for signed_in in self.devices.signed_in(asked.visit.device):
            member = self.reader.member(signed_in.member)
            if member is not None and member.is_active and signed_in.at >= oldest:
                found.append(Here(member, signed_in.at))
        return found

    def _chosen(self, asked: Asked, account: str | None) -> Here | None:
        return next((each for each in self._present(asked) if each.member.did == account), None)

    @staticmethod
    def _obvious(asked: Asked, present: Sequence[Here]) -> Here | None:
        hint = asked.request.parameters.get("login_hint")
        named = [each for each in present if _is_named(each.member, hint)]
        return named[0] if len(named) == 1 else None

    def _handle_of(self, hint: str) -> str:
        if not hint.startswith("did:"):
            return hint
        member = self.reader.member_by_did(Did(hint))
        return "" if member is None else member.handle

    async def _consent(self, asked: Asked, member: Member) -> Response:
        try:
            wanted = await asks(asked.scopes, self.server.sets)
        except Invalid as err:
            return await self._refused(asked, "invalid_scope", err.safe_text)
        known = self.server.store.consented(member.id, asked.client.client_id).split()
        return self._page(
            asked,
            "consent.html",
            member=member,
            asks=wanted,
            is_known=bool(known),
            is_new=not set(asked.scopes) <= set(known),
            elsewhere=f"{asked.url}&account=other",
            places=places(self.reader, member, known) if asked.reaches else (),
            may_share=any(scope.startswith("reach:c:") for scope in known),
        )

    async def _agreed(self, asked: Asked, here: Here, scope: str | None) -> Response:
        try:
            code = await self.server.requests.agree(
                asked.request, here.member, signed_in_at=here.at, scope=scope
            )
        except Forbidden as err:
            return await self._refused(asked, "access_denied", err.safe_text)
        return self._back(asked, {"code": code})

    async def _refused(self, asked: Asked, error: str, text: str) -> Response:
        await self.server.requests.refuse(asked.request)
        return self._back(asked, {"error": error, "error_description": text})

    def _back(self, asked: Asked, told: dict[str, str]) -> Response:
        parameters = asked.request.parameters
        return self._sent(asked.visit, parameters["redirect_uri"], parameters, told)

    def _told(self, visit: Visit, err: Sendable) -> Response:
        """The app hears what is wrong with the request that it made a browser bring."""
        told = {"error": err.name or "invalid_request", "error_description": err.safe_text}
        return self._sent(visit, err.target, err.fields, told)

    def _sent(
        self, visit: Visit, uri: str, asked: Mapping[str, str], told: dict[str, str]
    ) -> Response:
        if uri == OOB and "code" in told:
            return self.browser.page(visit, "show_code.html", code=told["code"])
        if uri == OOB:
            text = told["error_description"]
            return self.browser.page(visit, "stop.html", title="No access was given", text=text)
        told["iss"] = self.hosts.server
        if asked.get("state"):
            told["state"] = asked["state"]
        mark = "&" if "?" in uri else "?"
        if asked.get("response_mode") == "fragment":
            mark = "#"
        return self.browser.to(f"{uri}{mark}{urlencode(told)}", visit)

    def _page(self, asked: Asked, template: str, **values: Any) -> Response:
        return self.browser.page(
            asked.visit,
            template,
            target=asked.request.parameters["redirect_uri"],
            asked=asked,
            error=None,
            **values,
        )

    def _stop(self, visit: Visit, err: PodError) -> Response:
        return self.browser.page(
            visit, "stop.html", 400, title="This sign-in cannot go on", text=err.safe_text
        )


def app_host(client_id: str) -> str:
    """Where an app lives, as people read it."""
    if client_id.startswith(f"{LOOPBACK_PREFIX}:"):
        return urlsplit(client_id).netloc
    is_loopback = client_id.startswith(LOOPBACK_PREFIX)
    return "this device" if is_loopback else urlsplit(client_id).netloc or "an app that registered"


def _is_named(member: Member, hint: str | None) -> bool:
    return hint in (None, member.did, member.handle)
