"""A Solid app at the house: registers, sends its person to sign in, and uses the token it gets."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64decode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from server.clock import SystemClock
from tests.kit.apps import App
from tests.kit.surfer import ORIGIN, Surfer, Visitor
from tests.kit.whole import SERVER, Reply, Whole

CALLBACK = "https://app.example/cb"
SCOPE = "openid webid offline_access"
FORM = "application/x-www-form-urlencoded"


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says, unverified."""
    body = token.split(".")[1]
    told: dict[str, Any] = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return told


@dataclass
class SolidApp:
    """A client with a DPoP key and somebody who uses it."""

    whole: Whole
    client_id: str = ""
    secret: str | None = None
    app: App = field(default_factory=lambda: App(SystemClock()))
    tokens: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.surfer = Surfer(self.whole)

    async def register(self, **more: Any) -> Reply:
        """Register, as a public client unless told otherwise."""
        told = {
            "client_name": "Solid App",
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "none",
        } | more
        headers = {"content-type": "application/json"}
        reply = await self.whole.send(
            "POST", "/oauth/register", json.dumps(told).encode(), headers=headers
        )
        if reply.status == 201:
            self.client_id = reply.json["client_id"]
            self.secret = reply.json.get("client_secret")
        return reply

    def url(self, **more: str | None) -> str:
        """Where the person is sent; None leaves a parameter out."""
        asked: dict[str, str | None] = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": SCOPE,
            "state": "s1",
            "nonce": "n1",
            "code_challenge": self.app.challenge,
            "code_challenge_method": "S256",
        }
        told = {k: v for k, v in (asked | more).items() if v is not None}
        return f"/oauth/authorize?{urlencode(told)}"

    @staticmethod
    def told(reply: Reply) -> dict[str, str]:
        """What came back to the app."""
        location = reply.headers["location"]
        assert location.startswith(CALLBACK), location
        return Visitor.parts(location)

    async def consent(self, name: str = "alice.test", **form: str) -> dict[str, str]:
        """The person signs in, and agrees to what the form says, where they are asked."""
        reply = await self.surfer.get(self.url())
        if reply.status == 303:
            return self.told(reply)
        if 'action="/account/sign-in"' in self.surfer.text:
            await self.surfer.sign_in(name)
        return self.told(await self.surfer.fill_in("/oauth/authorize", decision="allow", **form))

    async def token(self, proof: str | None = None, **form: str) -> Reply:
        """Ask for tokens, and keep them."""
        url = f"{ORIGIN}/oauth/token"
        headers = {"content-type": FORM, "dpop": proof or self.app.proof(url)}
        fields = {"client_id": self.client_id} | form
        if self.secret is not None:
            pair = b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
            headers["authorization"] = f"Basic {pair}"
        reply = await self.whole.send("POST", "/oauth/token", urlencode(fields), headers=headers)
        if reply.status == 200:
            self.tokens = reply.json
        return reply

    async def redeem(self, code: str, **more: str) -> Reply:
        """Change a code for tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.app.verifier,
        }
        return await self.token(**(form | more))

    async def renew(self, refresh: str | None = None) -> Reply:
        """Refresh."""
        shown = refresh or self.tokens["refresh_token"]
        return await self.token(grant_type="refresh_token", refresh_token=shown)

    async def be_let_in(self, **form: str) -> None:
        """All of it."""
        if not self.client_id:
            await self.register()
        back = await self.consent(**form)
        reply = await self.redeem(back["code"])
        assert reply.status == 200, reply.body

    async def call(
        self,
        method: str,
        target: str,
        body: bytes | str = b"",
        *,
        name: str = "alice",
        proof: str | None = None,
        token: str | None = None,
        **headers: str,
    ) -> Reply:
        """A request to a pod with the app's token."""
        host = f"{name}.{SERVER}" if name else SERVER
        shown = token or self.tokens["access_token"]
        url = f"http://{host}{target.partition('?')[0]}"
        sent = {
            "authorization": f"DPoP {shown}",
            "dpop": proof or self.app.proof(url, method, shown),
        }
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return await self.whole.send(method, target, body, host=host, headers=sent | named)
