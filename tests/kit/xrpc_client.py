"""A client that speaks XRPC to any host over HTTP: a pod, or another implementation."""

from __future__ import annotations

from typing import Any

import httpx

PASSWORD = "correct horse battery"


class XrpcClient:
    """One caller of one host; ``token`` is sent with everything."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        self.session: dict[str, Any] = {}
        self._http = httpx.Client(base_url=url, timeout=120)
        self.token = token

    def _headers(self, **more: str) -> dict[str, str]:
        return more | ({"authorization": f"Bearer {self.token}"} if self.token else {})

    def get(self, nsid: str, **params: Any) -> Any:
        """The JSON answer of a query."""
        return self._answer(nsid, params).json()

    def raw(self, nsid: str, **params: Any) -> bytes:
        """The bytes that a query answers."""
        return self._answer(nsid, params).content

    def post(self, nsid: str, given: Any = None) -> Any:
        """The JSON answer of a procedure, None if it answers nothing."""
        answer = self._http.post(f"/xrpc/{nsid}", json=given, headers=self._headers())
        assert answer.status_code == 200, f"{nsid}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def send(self, nsid: str, body: bytes, media_type: str) -> Any:
        """The JSON answer of a procedure that takes bytes."""
        headers = self._headers(**{"content-type": media_type})
        answer = self._http.post(f"/xrpc/{nsid}", content=body, headers=headers)
        assert answer.status_code == 200, f"{nsid}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def join(self, name: str, suffix: str = ".test") -> dict[str, Any]:
        """Open an account and stay signed in."""
        given = {"handle": name + suffix, "email": f"{name}@mail.example", "password": PASSWORD}
        self.session = self.post("com.atproto.server.createAccount", given)
        self.token = self.session["accessJwt"]
        return self.session

    def sign_in(self, identifier: str, password: str = PASSWORD) -> dict[str, Any]:
        """Begin a session."""
        given = {"identifier": identifier, "password": password}
        self.session = self.post("com.atproto.server.createSession", given)
        self.token = self.session["accessJwt"]
        return self.session

    def _answer(self, nsid: str, params: dict[str, Any]) -> httpx.Response:
        answer = self._http.get(f"/xrpc/{nsid}", params=params, headers=self._headers())
        assert answer.status_code == 200, f"{nsid}: {answer.status_code} {answer.text}"
        return answer
