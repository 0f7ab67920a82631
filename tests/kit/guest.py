"""A plain HTTP client that finds members by name, as a browser does under ``.localhost``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.kit.process import Server

AS2 = "application/activity+json"
TURTLE = "text/turtle"
JSON_LD = "application/ld+json"


class Guest:
    """Anybody, or with a token a member, at the URLs of one pod."""

    def __init__(self, pod: Server, token: str | None = None) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=pod.address, headers=headers, timeout=10)
        self._pod = pod

    def send(
        self, method: str, url: str, body: bytes | str = b"", **headers: str
    ) -> httpx.Response:
        """One request to an absolute URL; ``content_type="text/turtle"`` names a header."""
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.request(
            method, target, content=body, headers={"host": parts.netloc, **named}
        )

    def get(self, url: str, accept: str) -> httpx.Response:
        """A representation of a URL."""
        return self.send("GET", url, accept=accept)

    def activity(self, url: str) -> dict[str, Any]:
        """The AS2 document at a URL."""
        answer = self.get(url, AS2)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(AS2)
        found: dict[str, Any] = answer.json()
        return found

    def xrpc(self, method: str, **params: Any) -> Any:
        """The answer of an XRPC query."""
        answer = self._client.get(f"/xrpc/{method}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def signing_key(self, did: str) -> str:
        """The did:key of a repository, from the PLC directory of the development pod."""
        document = self._client.get(f"/plc/{did}").json()
        return f"did:key:{document['verificationMethod'][0]['publicKeyMultibase']}"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
