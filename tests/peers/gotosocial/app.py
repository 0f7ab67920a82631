"""An everyday app of Mastodon's client API, let in through whatever pages its server shows."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx

SCOPES: Final = "read write follow push"
WITHIN_S: Final = 45.0
_OUT_OF_BAND: Final = "urn:ietf:wg:oauth:2.0:oob"
_CODE: Final = re.compile(r"<code>\s*([^<\s]+)\s*</code>")
_FORM: Final = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL | re.IGNORECASE)
_FIELD: Final = re.compile(r"<input\b([^>]*)>", re.DOTALL | re.IGNORECASE)
_FORMS: Final = re.compile(r'action="/(auth|account|oauth)/(sign_in|sign-in|authorize)"')
_STEPS: Final = 12

T = TypeVar("T")


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return html.unescape(found[1]) if found else ""


@dataclass
class App:
    """Somebody's app. ``address`` is where the server listens; ``host`` what it is called."""

    address: str
    host: str
    token: str = ""
    _cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.address, headers={"Host": self.host}, timeout=60)

    def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """A request with the app's token."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.http.request(method, path, headers=headers, **sent)

    def get(self, path: str, **params: Any) -> Any:
        return self._told(self.ask("GET", path, params=params))

    def post(self, path: str, body: Any = None, method: str = "POST", **sent: Any) -> Any:
        return self._told(self.ask(method, path, json={} if body is None else body, **sent))

    def upload(self, content: bytes, description: str) -> str:
        """Upload a picture; its id."""
        files = {"file": ("picture.png", content, "image/png")}
        made = self.ask("POST", "/api/v2/media", files=files, data={"description": description})
        return str(self._told(made)["id"])

    def _told(self, answer: httpx.Response) -> Any:
        assert answer.status_code in (200, 202), (
            answer.request.url,
            answer.status_code,
            answer.text,
        )
        return answer.json()

    def let_in(self, name: str, password: str) -> App:
        """Register the app, sign in on the pages, say yes, and keep the token."""
        told = self.post(
            "/api/v1/apps",
            {"client_name": "Phone", "redirect_uris": _OUT_OF_BAND, "scopes": SCOPES},
        )
        asked = {
            "response_type": "code",
            "client_id": told["client_id"],
            "redirect_uri": _OUT_OF_BAND,
            "scope": SCOPES,
        }
        typed = {"name": name, "username": name, "password": password, "decision": "allow"}
        code = self._through_pages(f"/oauth/authorize?{urlencode(asked)}", typed)
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": _OUT_OF_BAND}
        keys = {key: told[key] for key in ("client_id", "client_secret")}
        self.token = self.post("/oauth/token", {**given, **keys})["access_token"]
        return self

    def _through_pages(self, target: str, typed: dict[str, str]) -> str:
        """Fill in every form with what is typed until a code is shown."""
        page = self._browse("GET", target)
        for _ in range(_STEPS):
            if "Location" in page.headers:
                target = urljoin(target, page.headers["Location"])
                if code := parse_qs(urlsplit(target).query).get("code"):
                    return code[0]
                parts = urlsplit(target)
                target = f"{parts.path}?{parts.query}" if parts.query else parts.path
                page = self._browse("GET", target)
                continue
            asked = [form for form in _FORM.findall(page.text) if _FORMS.search(form[0])]
            if not asked:
                shown = _CODE.search(page.text)
                assert shown is not None, page.text
                return shown[1]
            form = asked[0]
            tags = _FIELD.findall(form[1])
            fields = {
                _attribute(tag, "name"): _attribute(tag, "value")
                for tag in tags
                if _attribute(tag, "name") and _attribute(tag, "type") != "checkbox"
            }
            target = _attribute(form[0], "action")
            page = self._browse("POST", target, data={**fields, **typed})
        raise AssertionError("the pages lead nowhere")

    def _browse(self, method: str, target: str, **sent: Any) -> httpx.Response:
        headers = {
            "Accept": "text/html",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "Origin": f"https://{self.host}",
            "Sec-Fetch-Site": "same-origin",
        }
        answer = self.http.request(method, target, headers=headers, **sent)
        for line in answer.headers.get_list("Set-Cookie"):
            name, _, value = line.split(";")[0].partition("=")
            self._cookies[name] = value
        assert answer.status_code < 400, (target, answer.status_code, answer.text)
        return answer

    def find(self, text: str, kind: str = "accounts") -> Any:
        """The first that a search finds, elsewhere too."""
        return self.get("/api/v2/search", q=text, resolve="true", type=kind)[kind][0]

    def home(self) -> list[Any]:
        told: list[Any] = self.get("/api/v1/timelines/home", limit=40)
        return told

    def noticed(self, kind: str) -> list[Any]:
        """The notifications of a kind, the newest first."""
        told = self.get("/api/v1/notifications", limit=40)
        return [one for one in told if one["type"] == kind]


def eventually(look: Callable[[], T]) -> T:
    """What `look` gives once it stops to raise and gives something."""
    until = time.monotonic() + WITHIN_S
    while True:
        try:
            if found := look():
                return found
            failure: Exception = AssertionError("nothing came")
        except (AssertionError, LookupError) as err:
            failure = err
        if time.monotonic() > until:
            raise failure
        time.sleep(0.2)
