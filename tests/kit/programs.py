"""A member of a running server makes an id and a secret for a program, on their pages."""

from __future__ import annotations

import json
import urllib.request
from http.cookiejar import CookieJar
from urllib.parse import urlencode

from tests.kit.process import Server
from tests.kit.surfer import forms_in

PASSWORD = "correct horse battery"


def join(server: Server, name: str) -> dict[str, str]:
    """A new member; their session."""
    body = {"handle": f"{name}.test", "email": f"{name}@example.org", "password": PASSWORD}
    request = urllib.request.Request(
        f"{server.address}/xrpc/com.atproto.server.createAccount",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        told: dict[str, str] = json.load(response)
    return told


def make_program(server: Server, name: str) -> tuple[str, str]:
    """Id and secret of a program of a member."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def ask(path: str, form: dict[str, str] | None = None) -> str:
        data = None if form is None else urlencode(form).encode()
        headers = {"Host": server.url.removeprefix("http://")}
        request = urllib.request.Request(server.address + path, data, headers)
        with opener.open(request, timeout=20) as response:
            text: str = response.read().decode()
        return text

    def fill_in(page: str, action: str, **values: str) -> str:
        form = next(form for form in forms_in(page) if form.action == action)
        return ask(action, form.fields | values)

    page = fill_in(ask("/account"), "/account/sign-in", name=f"{name}.test", password=PASSWORD)
    page = fill_in(page, "/account/programs", name="a program", password=PASSWORD)
    shown = page.partition('class="secret">')[2].partition("<")[0].strip().splitlines()
    ident, secret = (line.partition(": ")[2] for line in shown)
    return ident, secret
