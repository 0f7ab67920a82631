"""Who asks: one noun for every credential of the three protocols."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pod.model.ids import Iri, MemberId
from pod.oauth.reach import Reach
from pod.oauth.scope import Permission, Scopes


class Credential(StrEnum):
    """By what the agent proved who they are."""

    NONE = "none"
    SESSION = "session"
    APP_PASSWORD = "app_password"  # noqa: S105  a kind of credential, not one
    APP_PASSWORD_PRIVILEGED = "app_password_privileged"  # noqa: S105  likewise
    TAKENDOWN = "takendown"
    OAUTH = "oauth"
    SIGNATURE = "signature"
    ADMIN = "admin"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who asks.

    ``member`` is set for a member of this server, ``iri`` is the WebID or actor id of anybody who
    proved one, ``app_origin`` the browser origin of the app that asks (for ``acl:origin``).
    ``client`` is the app as its token names it, ``issuer`` who vouches for ``iri``; both are None
    where the credential does not tell.
    ``scopes`` narrow what an app's token is good for, ``reach`` where in the pod of ``iri``; None
    narrows nothing. An app of a member that is held to a reach is not its ``member``.
    """

    credential: Credential = Credential.NONE
    member: MemberId | None = None
    iri: Iri | None = None
    app_origin: str | None = None
    scopes: Scopes | None = None
    client: Iri | None = None
    issuer: Iri | None = None
    reach: Reach | None = None

    @property
    def is_authenticated(self) -> bool:
        """Whether the agent proved anything at all."""
        return self.credential is not Credential.NONE

    def needs(self, permission: Permission) -> None:
        """Pass, or raise Forbidden (``ScopeMissingError``) if the agent's token is too narrow."""
        if self.scopes is not None:
            self.scopes.require(permission)


PUBLIC: Final = Agent()
"""Anybody."""

SYSTEM: Final = Agent(Credential.SYSTEM)
"""The pod itself, doing what a member's standing instructions say."""
