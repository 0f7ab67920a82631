"""Whose origin a request came to: a member's, the server's own, or nobody's.

Spec: RFC 9110 section 7.2 (Host), section 15.5.20 (421)
"""

from __future__ import annotations

from typing import Final

from pod.errors import NotFound
from pod.model.ids import Origin
from pod.model.member import Member, Standing
from pod.ports import Reader

_DEFAULT_PORT: Final = {"https": ":443", "http": ":80"}


class Hosts:
    """Host header to member; all origins share the scheme of the server's own."""

    def __init__(self, reader: Reader, server: Origin) -> None:
        self._reader = reader
        self.server = server
        self._scheme = server.split("://", 1)[0]

    def origin(self, host: str) -> Origin:
        """The origin that a Host header names."""
        return Origin(f"{self._scheme}://{host.lower().removesuffix(_DEFAULT_PORT[self._scheme])}")

    def is_server(self, host: str) -> bool:
        """Whether this is the server's own origin."""
        return self.origin(host) == self.server

    def member(self, host: str) -> Member:
        """The member whose origin this is, in whatever standing; raises NotFound."""
        found = self._reader.member_by_origin(self.origin(host))
        if found is None or found.standing is Standing.DELETED:
            raise NotFound("nobody lives at this address")
        return found
