"""An app that speaks Mastodon's client API, let in through the house's own pages."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.kit.surfer import Surfer
from tests.kit.whole import SERVER, Person, Reply, Whole

CALLBACK = "https://app.example/back"
ALL = "read write follow push"


@dataclass
class Phone:
    """The app and its token; ``host`` is what it takes for its server."""

    whole: Whole
    host: str = SERVER
    told: dict[str, Any] = field(default_factory=dict)
    token: str | None = None

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """A request with the app's token; ``body`` goes as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = b""
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        return await self.whole.send(
            method, path, data, host=self.host, token=self.token, headers=sent
        )

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON of a page that is there."""
        reply = await self.ask("GET", f"{path}?{urlencode(params, doseq=True)}")
        assert reply.status == 200, (reply.status, reply.body)
        return reply.json

    async def post(self, path: str, body: Any = None, method: str = "POST") -> Any:
        """The JSON of something that was done."""
        reply = await self.ask(method, path, body if body is not None else {})
        assert reply.status == 200, (reply.status, reply.body)
        return reply.json

    async def form(self, path: str, **fields: str) -> Reply:
        """Send a form."""
        sent = {"content-type": "application/x-www-form-urlencoded"}
        data = urlencode(fields)
        return await self.whole.send("POST", path, data, host=self.host, headers=sent)

    async def register(self, scopes: str = ALL, redirect: str = CALLBACK) -> Reply:
        """Register the app."""
        reply = await self.form(
            "/api/v1/apps", client_name="Phone", redirect_uris=redirect, scopes=scopes
        )
        self.told = reply.json
        return reply

    async def code(self, person: Person, scope: str = ALL, redirect: str = CALLBACK) -> str:
        """Sign in on the pages, and say yes."""
        asked = {
            "response_type": "code",
            "client_id": self.told["client_id"],
            "redirect_uri": redirect,
            "scope": scope,
        }
        surfer = Surfer(self.whole)
        await surfer.get(f"/oauth/authorize?{urlencode(asked)}")
        await surfer.sign_in(person.member.handle)
        reply = await surfer.fill_in("/oauth/authorize", decision="allow")
        if reply.status == 200:
            found = re.search(r"<code>([^<]+)</code>", surfer.text)
            assert found is not None, surfer.text
            return found[1]
        return parse_qs(urlsplit(reply.headers["location"]).query)["code"][0]

    async def redeem(self, code: str, redirect: str = CALLBACK, **more: str) -> Reply:
        """Change a code for a token, and keep it."""
        reply = await self.form(
            "/oauth/token",
            **{
                "grant_type": "authorization_code",
                "client_id": self.told["client_id"],
                "client_secret": self.told["client_secret"],
                "code": code,
                "redirect_uri": redirect,
                **more,
            },
        )
        if reply.status == 200:
            self.token = reply.json["access_token"]
        return reply


async def phone_of(whole: Whole, person: Person, scope: str = ALL, host: str = SERVER) -> Phone:
    """An app of a member that was let in."""
    phone = Phone(whole, host)
    assert (await phone.register(scope)).status == 200
    assert (await phone.redeem(await phone.code(person, scope))).status == 200
    return phone
