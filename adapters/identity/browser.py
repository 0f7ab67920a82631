"""A person's browser: its cookie, the forms it sends, and what other sites may not make it do.

Spec: https://www.w3.org/TR/fetch-metadata/, RFC 6265bis (``__Host-``), https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from quart import Response, request

from adapters.http.incoming import small_form
from pod.errors import Forbidden, Invalid, TooLarge
from pod.oauth.request import hashed
from pod.ports import Clock

HTML: Final = "text/html; charset=utf-8"
PASSKEY: Final = files("adapters.identity").joinpath("assets/passkey.js").read_bytes()
STYLE: Final = files("adapters.identity").joinpath("assets/forms.css").read_bytes()
COOKIE_LIFE_S: Final = 400 * 24 * 3600
TICKET_LIFE: Final = timedelta(minutes=5)
_MAX_FORM: Final = 16 * 1024
_FIELD: Final = "form_token"
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One browser, known by the secret in its cookie."""

    secret: str

    @property
    def device(self) -> str:
        """What is kept of it."""
        return hashed(self.secret)


class Browser:
    """Cookies, form tokens, tickets and pages of one origin."""

    def __init__(self, origin: str, secret: bytes, clock: Clock) -> None:
        self._origin = origin
        self._secret = secret
        self._clock = clock
        self._secure = origin.startswith("https://")
        self._cookie = "__Host-browser" if self._secure else "browser"
        self._templates = Environment(
            loader=PackageLoader("adapters.identity"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["host"] = origin.split("://", 1)[1]

    def visit(self) -> Visit:
        """Whose browser this is; a new one where no cookie came."""
        sent = request.cookies.get(self._cookie, "")
        return Visit(sent if 40 <= len(sent) <= 64 else self.fresh().secret)

    @staticmethod
    def fresh() -> Visit:
        """A browser with a new cookie."""
        return Visit(secrets.token_urlsafe(32))

    def came_to_look(self) -> None:
        """Pass for a person who follows a link or types an address; Forbidden for frames and code.

        Browsers that do not say what they do are let pass: their cookie is SameSite all the same.
        """
        mode, dest = (request.headers.get(f"Sec-Fetch-{part}") for part in ("Mode", "Dest"))
        if mode not in (None, "navigate") or dest not in (None, "document"):
            raise Forbidden("This page is only shown to people who come to it.")

    async def form(self, visit: Visit) -> dict[str, str]:
        """The fields of a form of ours that this browser sends; Forbidden for anybody else's."""
        self._check_sender()
        fields = await small_form(_MAX_FORM)
        self._check_token(visit, fields.pop(_FIELD, ""))
        return fields

    async def upload(self, visit: Visit, limit: int) -> dict[str, str]:
        """The fields of a form with files of text, each file's text as a field; raises as `form`.

        Raises TooLarge above ``limit`` bytes, and Invalid for what is no text.
        """
        self._check_sender()
        if (request.content_length or limit + 1) > limit:
            raise TooLarge
        fields = {name: str(value) for name, value in (await request.form).items()}
        self._check_token(visit, fields.pop(_FIELD, ""))
        try:
            found = {name: file.read().decode() for name, file in (await request.files).items()}
        except UnicodeDecodeError as err:
            raise Invalid("The file is not text in UTF-8.") from err
        return fields | found

    def _check_sender(self) -> None:
        site, origin = (request.headers.get(name) for name in ("Sec-Fetch-Site", "Origin"))
        if site not in (None, "same-origin") or origin not in (None, self._origin):
            raise Forbidden("This form was sent from another site.")

    def _check_token(self, visit: Visit, token: str) -> None:
        if not hmac.compare_digest(token, self._form_token(visit)):
            raise Forbidden("This form is out of date. Go back, load the page again and retry.")

    def page(
        self,
        visit: Visit,
        template: str,
        status: int = 200,
        *,
        target: str = "",
        script: bool = False,
        **values: Any,
    ) -> Response:
        """A page with the cookie; its forms may end at ``target``, the address of an app.

        Only pages with passkeys have a ``script``, and work without it for everybody else.
        """
        text = self._templates.get_template(template).render(
            form_token=self._form_token(visit), **values
        )
        response = Response(text, status, {**_HEADERS, "Content-Type": HTML})
        scripts = "script-src 'self'; " if script else ""
        # A form that is answered with a redirect must name where that leads.
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
            f"{scripts}"
            f"frame-ancestors 'none'; form-action 'self'{_source(target)}"
        )
        self.keep(response, visit)
        return response

    def to(self, url: str, visit: Visit | None = None) -> Response:
        """Send the browser elsewhere, by GET."""
        response = Response(b"", 303, {**_HEADERS, "Location": url})
        if visit is not None:
            self.keep(response, visit)
        return response

    def keep(self, response: Response, visit: Visit) -> None:
        """Let the browser keep its cookie."""
        response.set_cookie(
            self._cookie,
            visit.secret,
            max_age=COOKIE_LIFE_S,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )

    def ticket(self, visit: Visit, purpose: str, **told: Any) -> str:
        """Facts that a form brings back unchanged, from this browser, within five minutes."""
        ends = (self._clock.now() + TICKET_LIFE).timestamp()
        body = urlsafe_b64encode(
            orjson.dumps({**told, "ends": ends, "once": secrets.token_hex(8)})
        ).decode()
        return f"{body}.{self._mac(purpose, visit.device, body)}"

    def told(self, visit: Visit, purpose: str, ticket: str) -> Mapping[str, Any]:
        """The facts of a ticket; raises Invalid."""
        body, _, mac = ticket.partition(".")
        if not hmac.compare_digest(mac, self._mac(purpose, visit.device, body)):
            raise Invalid("Please start again.")
        told: dict[str, Any] = orjson.loads(urlsafe_b64decode(body))
        if datetime.fromtimestamp(told["ends"], self._clock.now().tzinfo) <= self._clock.now():
            raise Invalid("That took too long. Please start again.")
        return told

    def _form_token(self, visit: Visit) -> str:
        return self._mac("form", visit.device)

    def _mac(self, *parts: str) -> str:
        said = "browser " + " ".join(parts)
        return hmac.digest(self._secret, said.encode(), "sha256").hex()


def _source(url: str) -> str:
    """A source for a policy: the origin of a web address, or the scheme of an app's."""
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https"):
        return f" {parts.scheme}://{parts.netloc}"
    return f" {parts.scheme}:"
