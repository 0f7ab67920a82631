"""Whose origin a request came to: a member's, the server's own, or nobody's.

Spec: RFC 9110 section 7.2 (Host), section 15.5.20 (421)
"""

from __future__ import annotations

from typing import Final

from pod.errors import Forbidden, Gone, NotFound, PodError
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
        """The member whose origin this is, at rest or not; raises NotFound, Gone for who left."""
        found = self.holder(host)
        if found.standing is Standing.DELETED:
            raise absence(found)
        return found

    def holder(self, host: str) -> Member:
        """Whose origin this is, even if their account was deleted; raises NotFound."""
        found = self._reader.member_by_origin(self.origin(host))
        if found is None:
            raise NotFound("nobody lives at this address")
        return found


def absence(member: Member) -> PodError:
    """How it is told that nothing of a member is served: gone for ever, shut, or just not there."""
    match member.standing:
        case Standing.DELETED:
            return Gone("This account was deleted.")
        case Standing.TAKENDOWN | Standing.SUSPENDED:
            return Forbidden("This account is suspended.")
        case _:
            return NotFound("nobody lives at this address")
