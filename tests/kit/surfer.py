"""A person with a browser and an app: follows redirects, fills in forms, keeps cookies."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from server.clock import SystemClock
from tests.kit.apps import CALLBACK, LOOPBACK, App
from tests.kit.whole import PASSWORD, SERVER, Reply, Whole

ORIGIN = f"http://{SERVER}"
GENERIC = "atproto transition:generic"


@dataclass
class Form:
    """A form of a page: where it goes, and its fields."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            assert told["method"] == "post"
            self.forms.append(Form(told["action"]))
        elif tag == "input" and "name" in told and told.get("type") != "checkbox":
            self.forms[-1].fields[told["name"]] = told.get("value", "")
        elif tag == "select":
            self.select = told["name"]
        elif tag == "option" and "selected" in told:
            self.forms[-1].fields[self.select] = told["value"]


def forms_in(page: str) -> list[Form]:
    """The forms of a page."""
    parser = _Forms()
    parser.feed(page)
    return parser.forms


@dataclass
class Surfer:
    """A browser at the house."""

    whole: Whole
    cookie: str | None = None
    page: Reply | None = None

    @property
    def text(self) -> str:
        assert self.page is not None
        return self.page.body.decode()

    def form(self, action: str) -> Form:
        """The form of the page that goes to ``action``."""
        return next(form for form in forms_in(self.text) if form.action == action)

    async def get(self, target: str, **headers: str) -> Reply:
        """Go to an address of the house, and on where it sends us within the house."""
        reply = await self._send("GET", target, "", headers)
        return await self._follow(reply)

    async def post(self, target: str, fields: dict[str, str], **headers: str) -> Reply:
        """Send a form as it is given."""
        sent = {"content-type": "application/x-www-form-urlencoded"} | headers
        return await self._send("POST", target, urlencode(fields), sent)

    async def fill_in(self, action: str, **values: str) -> Reply:
        """Fill in a form of the page, send it, and follow."""
        form = self.form(action)
        return await self._follow(await self.post(action, form.fields | values))

    async def sign_in(self, name: str = "alice.test", password: str = PASSWORD) -> Reply:
        """Sign in on the page."""
        return await self.fill_in("/account/sign-in", name=name, password=password)

    async def _follow(self, reply: Reply) -> Reply:
        while reply.status == 303 and urlsplit(reply.headers["location"]).netloc in ("", SERVER):
            reply = await self._send("GET", reply.headers["location"], "", {})
        return reply

    async def _send(self, method: str, target: str, body: str, headers: dict[str, str]) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie is not None:
            sent["cookie"] = self.cookie
        reply = await self.whole.send(method, target.removeprefix(ORIGIN), body, headers=sent)
        if "set-cookie" in reply.headers:
            self.cookie = reply.headers["set-cookie"].split(";")[0]
        self.page = reply
        return reply


@dataclass
class Visitor:
    """An app at the house with the person who uses it."""

    whole: Whole
    app: App = field(default_factory=lambda: App(SystemClock()))
    surfer: Surfer = field(init=False)
    access: str = ""
    refresh: str = ""

    def __post_init__(self) -> None:
        self.surfer = Surfer(self.whole)

    async def ask(self, endpoint: str, form: dict[str, Any], proof: str | None = None) -> Reply:
        """Send a form to an endpoint, with a proof, after learning the nonce."""
        if self.app.nonce is None:
            self.app.nonce = (await self.post(endpoint, {})).headers["dpop-nonce"]
        return await self.post(
            endpoint, form, dpop=proof or self.app.proof(f"{ORIGIN}/oauth/{endpoint}")
        )

    async def post(self, endpoint: str, form: dict[str, Any], **headers: str) -> Reply:
        """Send a form to an endpoint."""
        sent = {"content-type": "application/x-www-form-urlencoded", **headers}
        return await self.whole.send("POST", f"/oauth/{endpoint}", urlencode(form), headers=sent)

    async def begin(self, **more: str | None) -> str:
        """Push a request; the address to send the person to."""
        pushed = await self.ask("par", self.app.asking(**more))
        assert pushed.status == 201, pushed.body
        query = {"client_id": self.app.client_id, "request_uri": pushed.json["request_uri"]}
        return f"/oauth/authorize?{urlencode(query)}"

    def come_back(self, reply: Reply) -> dict[str, str]:
        """What the house told the app by a redirect."""
        assert reply.status == 303, reply.body
        location = reply.headers["location"]
        assert location.startswith(CALLBACK), location
        return self.parts(location)

    @staticmethod
    def parts(location: str) -> dict[str, str]:
        """The parameters in the query or the fragment of an address."""
        parts = urlsplit(location)
        return {k: v[0] for k, v in parse_qs(parts.query or parts.fragment).items()}

    async def redeem(self, code: str) -> Reply:
        """Change a code for tokens, and keep them."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.app.client_id,
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.app.verifier,
        }
        return self._keep(await self.ask("token", form))

    async def renew(self) -> Reply:
        """Refresh."""
        form = {
            "grant_type": "refresh_token",
            "client_id": self.app.client_id,
            "refresh_token": self.refresh,
        }
        return self._keep(await self.ask("token", form))

    def _keep(self, reply: Reply) -> Reply:
        if reply.status == 200:
            self.access = reply.json["access_token"]
            self.refresh = reply.json["refresh_token"]
        return reply

    async def be_let_in(self, scope: str = GENERIC) -> None:
        """All of it, by the member alice."""
        await self.surfer.get(await self.begin(scope=scope))
        await self.surfer.sign_in()
        back = self.come_back(await self.surfer.fill_in("/oauth/authorize", decision="allow"))
        assert (await self.redeem(back["code"])).status == 200

    async def call(
        self, method: str, target: str, body: str | bytes = b"", host: str = SERVER, **headers: str
    ) -> Reply:
        """A request with the app's token."""
        url = f"http://{host}{target.partition('?')[0]}"
        sent = {
            "authorization": f"DPoP {self.access}",
            "dpop": self.app.proof(url, method, self.access),
        }
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.whole.send(method, target, body, host=host, headers=sent | named)


def visitor(whole: Whole, scope: str = GENERIC) -> Visitor:
    """An app on this device that may ask for some scopes."""
    client_id = LOOPBACK.partition("&")[0] + "&" + urlencode({"scope": scope})
    return Visitor(whole, App(SystemClock(), client_id))
