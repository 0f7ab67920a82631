"""The administrator's pages on the server's own origin: how the relays and the pod get on.

Spec: RFC 7617, https://atproto.com/specs/sync
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from quart import Blueprint, Response, request

from adapters.console.pages import HTML, SECURITY, environment
from adapters.http.hosts import Hosts
from adapters.http.views import Answer, response_of
from pod.domains import Domains
from pod.errors import NotFound, Unauthenticated

_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="commonpod", charset="UTF-8"'}
_HEADERS: Final = {**SECURITY, "Cache-Control": "no-store", "Content-Type": HTML}


class IsAdministrator(Protocol):
    """Checks the ``Authorization`` header of the administrator; raises Unauthenticated."""

    def __call__(self, authorization: str | None) -> None: ...


class AdminPages:
    """``/admin/relays`` and ``/admin/domains``, for whoever knows the administrator's password.

    ``relays`` gives the report that ``/xrpc/_relays`` gives, ``domains`` those that are looked at.
    """

    def __init__(
        self,
        hosts: Hosts,
        check: IsAdministrator,
        relays: Callable[[], Mapping[str, Any]],
        domains: Domains,
    ) -> None:
        self._hosts = hosts
        self._check = check
        self._relays = relays
        self._domains = domains
        self._templates = environment()

    def rooms(self) -> Blueprint:
        """The routes."""
        blueprint = Blueprint("admin", __name__)

        @blueprint.get("/admin/relays")
        async def relays() -> Response:
            refused = self.refusal()
            if refused is not None:
                return refused
            return self.shown("relays.html", title="Relays", report=self._relays())

        @blueprint.get("/admin/domains")
        async def domains() -> Response:
            refused = self.refusal()
            if refused is not None:
                return refused
            ill, looked_at = self._domains.report(), self._domains.looked_at
            return self.shown("domains.html", title="Domains", ill=ill, looked_at=looked_at)

        return blueprint

    def refusal(self) -> Response | None:
        """The answer to whoever is not the administrator; raises NotFound on other origins."""
        if not self._hosts.is_server(request.host):
            raise NotFound
        try:
            self._check(request.headers.get("Authorization"))
        except Unauthenticated:
            page = self._page("admin_refused.html", title="For the administrator")
            return response_of(Answer(401, {**_HEADERS, **_CHALLENGE}, page))
        return None

    def shown(self, name: str, status: int = 200, **facts: Any) -> Response:
        """A page for the administrator."""
        return response_of(Answer(status, dict(_HEADERS), self._page(name, **facts)))

    def _page(self, name: str, **facts: Any) -> bytes:
        return self._templates.get_template(name).render(facts).encode()
