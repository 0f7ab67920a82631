"""A PDS as its user's client sees it: one host, one session, whatever software answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from adapters.http.fetch import Fetch, Fetched
from pod.errors import Invalid, PeerUnavailable

_MAX_BLOB: Final = 500_000_000
_JSON: Final = "application/json"


class Refused(Invalid):
    """The host answered an error; ``name`` is the one that XRPC gives it."""


class XrpcHost:
    """Calls methods of the host at ``url``, in a session once `sign_in` or `take` began one."""

    def __init__(self, fetch: Fetch, url: str) -> None:
        self.url = url.rstrip("/")
        self._fetch = fetch
        self._session: Mapping[str, Any] = {}

    async def sign_in(self, identifier: str, password: str) -> dict[str, Any]:
        """Begin a session; gives what the host says of the account."""
        given = {"identifier": identifier, "password": password}
        session: dict[str, Any] = await self.call("com.atproto.server.createSession", given)
        self.take(session)
        return session

    def take(self, session: Mapping[str, Any]) -> None:
        """Go on in a session that another method began."""
        self._session = session

    async def ask(self, nsid: str, **params: Any) -> Any:
        """The JSON answer of a query. Raises Refused, PeerUnavailable."""
        return orjson.loads((await self._get(nsid, params)).body)

    async def blob(self, did: str, cid: str) -> tuple[bytes, str]:
        """Bytes and media type of a blob. Raises as `ask` does."""
        answer = await self._get("com.atproto.sync.getBlob", {"did": did, "cid": cid})
        return answer.body, answer.content_type or "application/octet-stream"

    async def save_repo(self, did: str, to: Path) -> None:
        """Write the repository of an account into a file. Raises as `ask` does."""
        await self._get("com.atproto.sync.getRepo", {"did": did}, into=to)

    async def call(self, nsid: str, given: Any = None, *, token: str | None = None) -> Any:
        """The JSON answer of a procedure, None if it has none; ``token`` replaces the session's."""
        body = b"" if given is None else orjson.dumps(given)
        answer = await self._post(nsid, body, None if given is None else _JSON, token)
        return orjson.loads(answer.body) if answer.body else None

    async def send(self, nsid: str, body: bytes | Path, media_type: str) -> None:
        """Call a procedure that takes bytes, or those of a file. Raises as `ask` does."""
        await self._post(nsid, body, media_type, None)

    async def _get(
        self, nsid: str, params: Mapping[str, Any], *, into: Path | None = None
    ) -> Fetched:
        url = f"{self.url}/xrpc/{nsid}?{urlencode(params, doseq=True)}"
        for again in (True, False):
            headers = self._headers(None, None)
            answer = await self._fetch.get(url, headers, max_bytes=_MAX_BLOB, into=into)
            if not (again and await self._is_renewed(answer)):
                break
        return _good(nsid, answer)

    async def _post(
        self, nsid: str, body: bytes | Path, media_type: str | None, token: str | None
    ) -> Fetched:
        url = f"{self.url}/xrpc/{nsid}"
        for again in (True, False):
            headers = self._headers(media_type, token)
            answer = await self._fetch.post(url, body, headers, max_bytes=_MAX_BLOB)
            if token is not None or not (again and await self._is_renewed(answer)):
                break
        return _good(nsid, answer)

    def _headers(self, media_type: str | None, token: str | None) -> dict[str, str]:
        token = token or self._session.get("accessJwt")
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return headers if media_type is None else headers | {"content-type": media_type}

    async def _is_renewed(self, answer: Fetched) -> bool:
        """Whether the session had run out, and was renewed."""
        if answer.status not in (400, 401) or _error(answer)[0] != "ExpiredToken":
            return False
        renewed = await self._fetch.post(
            f"{self.url}/xrpc/com.atproto.server.refreshSession",
            b"",
            {"authorization": f"Bearer {self._session['refreshJwt']}"},
        )
        self._session = orjson.loads(_good("com.atproto.server.refreshSession", renewed).body)
        return True


def _good(nsid: str, answer: Fetched) -> Fetched:
    if answer.status >= 500:
        raise PeerUnavailable(f"{nsid}: the host failed ({answer.status})")
    if answer.status != 200:
        name, message = _error(answer)
        raise Refused(f"{nsid}: {message}", name=name)
    return answer


def _error(answer: Fetched) -> tuple[str | None, str]:
    try:
        told = orjson.loads(answer.body)
        return told.get("error"), str(told.get("message") or told.get("error"))
    except (orjson.JSONDecodeError, AttributeError):
        return None, f"the host answered {answer.status}"
