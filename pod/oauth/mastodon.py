"""Apps that speak Mastodon's client API: registered, with a secret, plain Bearer tokens for ever.

Spec: https://docs.joinmastodon.org/spec/oauth/, https://docs.joinmastodon.org/api/oauth-scopes/
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pod.errors import Invalid, Unauthenticated
from pod.model.member import Member
from pod.oauth.metadata import Metadata
from pod.oauth.ports import Session
from pod.oauth.profile import Issued, Terms
from pod.oauth.registration import ClientStore
from pod.ports import Clock

READ: Final = "read"
WRITE: Final = "write"
_READABLE: Final = ("accounts", "blocks", "bookmarks", "favourites", "filters", "follows", "lists",
                    "mutes", "notifications", "search", "statuses")  # fmt: skip
_WRITABLE: Final = ("accounts", "blocks", "bookmarks", "conversations", "favourites", "filters",
                    "follows", "lists", "media", "mutes", "notifications", "reports",
                    "statuses")  # fmt: skip
_FOLLOW: Final = frozenset(
    f"{verb}:{what}" for verb in (READ, WRITE) for what in ("blocks", "follows", "mutes")
)
SCOPES: Final = (
    READ,
    WRITE,
    "follow",
    "push",
    "profile",
    *(f"{READ}:{what}" for what in _READABLE),
    *(f"{WRITE}:{what}" for what in _WRITABLE),
)
_APP: Final = "app-"


def covers(scopes: Sequence[str], needed: str) -> bool:
    """Whether scopes allow what ``needed`` (``read:statuses``, ``push``) names."""
    if needed in scopes or needed.partition(":")[0] in scopes:
        return True
    if needed == "profile":
        return covers(scopes, "read:accounts")
    return needed in _FOLLOW and "follow" in scopes


class MastodonProfile:
    """How Mastodon's apps use the server: no key, no pushed requests, PKCE only if they want it."""

    terms = Terms(
        pushed=False, pkce=False, bound=False, nonce=False, access=None, public=None,
        confidential=None,
    )  # fmt: skip
    scopes_supported = SCOPES

    def __init__(self, secret: bytes, clients: ClientStore, clock: Clock) -> None:
        self._secret = secret
        self._clients = clients
        self._clock = clock

    def claims(self, scopes: Sequence[str]) -> bool:
        """Whether all scopes are Mastodon's."""
        return bool(scopes) and set(scopes) <= set(SCOPES)

    def admit(self, client: Metadata) -> None:
        """A client that registered here."""
        if "://" in client.client_id:
            raise Invalid("Register this app first", name="invalid_client_metadata")

    async def known(self, scopes: Sequence[str]) -> list[str]:
        """The scopes, each once."""
        return list(dict.fromkeys(scopes))

    async def granted(self, scopes: Sequence[str]) -> list[str]:
        """What was agreed to."""
        return list(scopes)

    def refreshes(self, scopes: Sequence[str]) -> bool:  # noqa: ARG002  whatever they are
        """Never: access tokens last until they are revoked."""
        return False

    def subject(self, member: Member) -> str:
        """The member's actor id."""
        return member.webid

    def access_token(self, session: Session, member: Member, opaque: str) -> str:  # noqa: ARG002
        """Tokens are opaque."""
        return opaque

    def answer(self, session: Session, member: Member, access: str) -> Mapping[str, Any]:  # noqa: ARG002
        """Scope, and when it was given; ``me`` is whose it is."""
        at = int(session.created_at.timestamp())
        return {"scope": session.scope, "created_at": at, "me": self.subject(member)}

    async def for_itself(self, client: Metadata, scopes: Sequence[str], jkt: str | None) -> Issued:  # noqa: ARG002
        """A token of the app's own, good for what needs no member while it is registered."""
        mac = urlsafe_b64encode(self._mac(client.client_id)).rstrip(b"=").decode()
        told = {"scope": " ".join(scopes), "created_at": int(self._clock.now().timestamp())}
        return Issued(f"{_APP}{client.client_id}.{mac}", "Bearer", told=told)

    def app(self, token: str) -> Metadata:
        """The app whose own token this is; raises Unauthenticated."""
        client_id, _, mac = token.removeprefix(_APP).partition(".")
        wanted = urlsafe_b64encode(self._mac(client_id)).rstrip(b"=")
        held = self._clients.client(client_id) if token.startswith(_APP) else None
        if held is None or not hmac.compare_digest(mac.encode(), wanted):
            raise Unauthenticated("The access token is invalid", name="invalid_token")
        return held.metadata

    def _mac(self, client_id: str) -> bytes:
        return hmac.digest(self._secret, _APP.encode() + client_id.encode(), "sha256")
