"""A member: one person on this server, with an origin and an identity of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote, unquote, urlsplit

from pod.model.ids import AtUri, Did, Handle, Iri, MemberId, Origin
from pod.model.resource import ResourcePath, record_key


class Standing(StrEnum):
    """The life-cycle state of a member's account; the words are those of ``#account`` events."""

    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    SUSPENDED = "suspended"
    TAKENDOWN = "takendown"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is seldom asked about an account; ``delete_after`` is when it is to be deleted."""

    email_confirmed_at: datetime | None = None
    deactivated_at: datetime | None = None
    delete_after: datetime | None = None
    may_invite: bool = True


@dataclass(frozen=True, slots=True)
class Member:
    """One person. ``origin`` is theirs alone (``https://alice.example``, no trailing slash).

    ``address`` is the fediverse address that they chose, in lower case; None for `own_acct`.
    """

    id: MemberId
    did: Did
    handle: Handle
    origin: Origin
    standing: Standing
    created_at: datetime
    email: str | None = None
    email_confirmed: bool = False
    address: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether the member's public data is served."""
        return self.standing is Standing.ACTIVE

    @property
    def webid(self) -> Iri:
        """WebID and ActivityPub actor id, one and the same."""
        return Iri(f"{self.origin}/me")

    @property
    def username(self) -> str:
        """The local part of the fediverse address."""
        return self.acct.partition("@")[0]

    @property
    def host(self) -> str:
        """Host (and port, if any) of the member's origin."""
        return urlsplit(self.origin).netloc

    @property
    def acct(self) -> str:
        """Fediverse address without the leading ``@``: ``alice@alice.example``."""
        return self.address or self.own_acct

    @property
    def own_acct(self) -> str:
        """The fediverse address on the member's origin: its first label at its host."""
        return f"{self.host.split(':')[0].split('.')[0]}@{self.host}"

    def url(self, path: str) -> Iri:
        """The one URL of a path of this member; percent-encodes what a URL cannot hold."""
        return Iri(self.origin + quote(path, safe="/:@!$&'()*+,;=~-._"))

    def path(self, url: str) -> ResourcePath | None:
        """The path of a URL of this member, without query and fragment; None for other origins."""
        bare = url.split("#", 1)[0].split("?", 1)[0]
        if bare != self.origin and not bare.startswith(self.origin + "/"):
            return None
        return ResourcePath(unquote(bare[len(self.origin) :]) or "/")

    def at_uri(self, path: ResourcePath) -> AtUri:
        """The at-uri of a public record's path."""
        collection, rkey = record_key(path)
        return AtUri(f"at://{self.did}/{collection}/{rkey}")
