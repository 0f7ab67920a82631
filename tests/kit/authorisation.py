"""The authorisation server over stores in memory, with a clock that moves when told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pod.errors import Unauthenticated
from pod.model.member import Member
from pod.oauth.profile import Issued
from pod.oauth.server import Sent, assembled
from tests.kit.apps import LOOPBACK, App, MemoryOAuth
from tests.kit.house import Pod

ISSUER = "https://pods.example"


class Desk:
    """An authorisation server with one member, alice, and apps that come to it."""

    def __init__(self, pod: Pod, member: Member) -> None:
        self.pod = pod
        self.clock = pod.clock
        self.member = member
        self.kept = MemoryOAuth()
        self.server = assembled(
            issuer=ISSUER,
            store=self.kept,
            registered=self.kept,
            schemas=self.kept,
            resolve=self.kept.resolve,
            members=pod.store,
            egress=self.kept,
            secret=b"k" * 32,
            token_keys=pod.keyring.token_keys,
            clock=pod.clock,
        )

    def app(self, client_id: str = LOOPBACK) -> App:
        """A fresh app."""
        return App(self.clock, client_id)

    def sent(self, app: App, endpoint: str, form: dict[str, str], *, bare: bool = False) -> Sent:
        """A request of an app to an endpoint, with a good proof unless it is ``bare``."""
        url = f"{ISSUER}/oauth/{endpoint}"
        app.nonce = self.server.proofs.nonce()
        return Sent(url, form, None if bare else app.proof(url))

    async def push(self, app: App, **more: str | None) -> str:
        """Push a request; its URI."""
        uri, life_s = await self.server.push(self.sent(app, "par", app.asking(**more)))
        assert life_s == 300
        return uri

    async def agree(self, app: App, uri: str, device: str = "device") -> str:
        """The member agrees; the code."""
        _, request = await self.server.begin(uri, app.client_id, device)
        return await self.server.requests.agree(request, self.member)

    async def redeem(self, app: App, code: str, /, **more: str) -> Issued:
        """Change a code for tokens."""
        form = {
            "grant_type": "authorization_code",
            "client_id": app.client_id,
            "code": code,
            "redirect_uri": "http://127.0.0.1:18080/cb",
            "code_verifier": app.verifier,
        }
        return await self.server.token(self.sent(app, "token", form | more))

    async def let_in(self, app: App, **more: str | None) -> Issued:
        """All of it: the tokens of an app that a member let in."""
        return await self.redeem(app, await self.agree(app, await self.push(app, **more)))

    async def refresh(self, app: App, token: str | None, **more: str) -> Issued:
        """Refresh."""
        form = {
            "grant_type": "refresh_token",
            "client_id": app.client_id,
            "refresh_token": token or "",
        }
        return await self.server.token(self.sent(app, "token", form | more))

    def opens(self, app: App, token: str) -> bool:
        """Whether an access token is good, with a good proof."""
        url = f"{ISSUER}/xrpc/a.b.c"
        app.nonce = self.server.proofs.nonce()
        try:
            session = self.server.bearer(token, app.proof(url, "GET", token), "GET", url)
        except Unauthenticated:
            return False
        return session.member == self.member.id


def at_the_desk(story: Callable[[Desk], Awaitable[Any]]) -> None:
    """Run an async story with a fresh authorisation server."""

    async def run() -> None:
        pod = Pod()
        await pod.keyring.open()
        await story(Desk(pod, await pod.member()))

    asyncio.run(run())
