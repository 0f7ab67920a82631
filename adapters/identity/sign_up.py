"""Signing up on a page: handle, address, password, and a key of the member's own, first of all.

Spec: https://atproto.com/specs/account, https://web.plc.directory/spec/v0.1/did-plc (rotation keys)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from quart import Blueprint, Response, request

from adapters.http.hosts import Hosts
from adapters.identity.account_pages import AccountPages, onward_of
from adapters.identity.browser import Browser, Visit
from adapters.identity.oauth_endpoints import only_here
from adapters.identity.oauth_pages import SIGN_UP
from pod.account import Application
from pod.admission import InviteBook, check_invite
from pod.errors import Invalid, PodError
from pod.keys.curves import SigningKey
from pod.keys.multibase import encode
from pod.model.member import Member
from pod.ports import Tx

_K256_PRIVATE: Final = b"\x81\x26"
"""The multicodec prefix of a secret key, as tools for did:plc read it."""

_FIELDS: Final = ("handle", "email", "invite", "recovery_key", "make_key")


@dataclass(frozen=True, slots=True)
class SignUpPages:
    """The page on which an account is opened; ``domains`` are the suffixes of handles here."""

    hosts: Hosts
    browser: Browser
    pages: AccountPages
    invites: InviteBook
    domains: tuple[str, ...]
    is_open: bool

    def rooms(self) -> Blueprint:
        """The routes of the page."""
        blueprint = Blueprint("sign_up", __name__)

        @blueprint.get(SIGN_UP)
        async def sign_up() -> Response:
            only_here(self.hosts)
            self.browser.came_to_look()
            return self._page(self.browser.visit(), onward_of(request.args.get("next", "")), {})

        @blueprint.post(SIGN_UP)
        async def join() -> Response:
            only_here(self.hosts)
            visit = self.browser.visit()
            form = await self.browser.form(visit)
            onward = onward_of(form.get("next", ""))
            made = SigningKey.generate_k256() if form.get("make_key") == "yes" else None
            try:
                member = await self._join(form, made)
            except PodError as err:
                return self._page(visit, onward, form, error=err.safe_text)
            fresh, url = await self.pages.enter(visit, member, onward)
            if made is None:
                return self.browser.to(url, fresh)
            secret = encode(_K256_PRIVATE + made.secret_bytes)
            return self.browser.page(
                fresh,
                "recovery_key.html",
                member=member,
                key=made.did_key,
                secret=secret,
                onward=url,
            )

        return blueprint

    async def _join(self, form: Mapping[str, str], made: SigningKey | None) -> Member:
        """Open an account; raises PodErrors that say what to change."""
        acts, code = self.pages.acts, form.get("invite", "").strip()
        email = acts.accounts.parse_email(form.get("email", "").strip())
        own_key = form.get("recovery_key", "").strip()
        if made is not None and own_key:
            raise Invalid("Choose one: your own recovery key, or a new one.")
        if not self.is_open:
            check_invite(self.invites, acts.reader, code)

        def admit(tx: Tx, member: Member) -> None:
            if not self.is_open:
                self.invites.take(tx, code, member.did, acts.clock.now())

        return await acts.accounts.create(
            Application(
                handle=self._handle(form.get("handle", "")),
                password_hash=await acts.hashed(form.get("password", "")),
                email=email,
                recovery_key=own_key or None if made is None else made.did_key,
            ),
            admit,
        )

    def _handle(self, wanted: str) -> str:
        """A name alone is one under our own domain."""
        name = wanted.strip().removeprefix("@")
        return name if "." in name or not self.domains else name + self.domains[0]

    def _page(
        self, visit: Visit, onward: str, form: Mapping[str, str], *, error: str | None = None
    ) -> Response:
        return self.browser.page(
            visit,
            "sign_up.html",
            200 if error is None else 400,
            next=onward,
            domains=self.domains,
            is_open=self.is_open,
            given={name: form.get(name, "") for name in _FIELDS},
            error=error,
        )
