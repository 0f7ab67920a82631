"""The one policy: which agent may do what to which path of which member.

Zones decide first (design page, section 2); inside ``/data/`` and on profile ground the nearest
access control list decides. The owner always keeps Control, so nobody locks themselves out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from pod.access.acl import Acl, Mode, Rule
from pod.access.agent import PUBLIC, Agent, Credential
from pod.errors import Forbidden, Unauthenticated
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath, Zone, zone_of
from pod.ports import Reader

ALL: Final = frozenset(Mode)
NOTHING: Final[frozenset[Mode]] = frozenset()
PUBLIC_READ: Final = frozenset({Mode.READ})
ACL_SUFFIX: Final = ".acl"
DESCRIPTION_SUFFIX: Final = ".meta"
PUBLIC_PAGES: Final = frozenset(
    {"/", "/me", "/outbox", "/followers", "/following", "/liked", "/featured"}
)
"""Virtual pages of a member that everybody may read; they show public things only."""


class AclReader(Protocol):
    """What the policy needs of the wing that reads RDF."""

    def acl(self, document: Resource, base: Iri) -> Acl:
        """The rules of an access control document; raises Invalid."""
        ...

    def group(self, document: Resource, base: Iri, group: Iri) -> frozenset[Iri]:
        """The members of a group that a document describes; empty if it does not."""
        ...


class Policy:
    """Answers for every credential and every protocol."""

    def __init__(self, store: Reader, acls: AclReader) -> None:
        self._store = store
        self._acls = acls
        self._compiled: dict[tuple[bytes, str], Acl] = {}

    def modes(self, agent: Agent, owner: Member, path: ResourcePath) -> frozenset[Mode]:
        """All that an agent may do to a path. Costs one to a few point reads."""
        if agent.credential in (Credential.SYSTEM, Credential.ADMIN):
            return ALL
        if agent.credential is Credential.TAKENDOWN:
            return NOTHING
        if agent.scopes is not None and zone_of(path) is not Zone.REPO:
            # Scopes speak of public records only: elsewhere such a token is nobody's.
            agent = PUBLIC
        is_owner = agent.member == owner.id or (agent.iri is not None and agent.iri == owner.webid)
        if not owner.is_active and not is_owner:
            return NOTHING
        match zone_of(path):
            case Zone.REPO:
                return ALL if is_owner else PUBLIC_READ
            case Zone.INBOX:
                return ALL if is_owner else NOTHING
            case Zone.SPACES:
                return ALL if is_owner else NOTHING
            case Zone.PROFILE if path in PUBLIC_PAGES or path.startswith("/profile/"):
                return ALL if is_owner else PUBLIC_READ
            case _:
                return self._by_list(agent, owner, path, is_owner=is_owner)

    def require(self, agent: Agent, mode: Mode, owner: Member, path: ResourcePath) -> None:
        """Pass or raise: Unauthenticated without credentials, Forbidden with the wrong ones."""
        allowed = self.modes(agent, owner, path)
        if mode in allowed or (mode is Mode.APPEND and Mode.WRITE in allowed):
            return
        if not agent.is_authenticated:
            raise Unauthenticated(name="AuthMissing")
        raise Forbidden

    def effective_acl(self, owner: Member, path: ResourcePath) -> tuple[ResourcePath, Acl] | None:
        """The nearest access control list that applies to a path, with the path it belongs to."""
        for subject in _upwards(path.removesuffix(ACL_SUFFIX)):
            found = self._store.resource(owner.id, ResourcePath(subject + ACL_SUFFIX))
            if found is not None:
                return ResourcePath(subject), self._compile(owner, found)
        return None

    def _compile(self, owner: Member, document: Resource) -> Acl:
        key = (document.cid, owner.url(document.path))
        known = self._compiled.get(key)
        if known is None:
            if len(self._compiled) > 4096:
                self._compiled.clear()
            known = self._compiled[key] = self._acls.acl(document, owner.url(document.path))
        return known

    def _by_list(
        self, agent: Agent, owner: Member, path: ResourcePath, *, is_owner: bool
    ) -> frozenset[Mode]:
        # A description is under the same rules as what it describes.
        path = ResourcePath(path.removesuffix(DESCRIPTION_SUFFIX))
        found = self.effective_acl(owner, path)
        if found is None:
            return ALL if is_owner else NOTHING
        subject, acl = found
        url = owner.url(subject)
        own = subject == path.removesuffix(ACL_SUFFIX)
        granted = {
            mode
            for rule in acl.rules
            if (rule.access_to if own else rule.default) == url and self._is_for(rule, agent, owner)
            for mode in rule.modes
        }
        if Mode.WRITE in granted:
            granted.add(Mode.APPEND)
        if is_owner:
            granted.add(Mode.CONTROL)
        if path.endswith(ACL_SUFFIX):
            return ALL if Mode.CONTROL in granted else NOTHING
        return frozenset(granted)

    def _is_for(self, rule: Rule, agent: Agent, owner: Member) -> bool:
        if rule.origins and agent.app_origin is not None and agent.app_origin not in rule.origins:
            return False
        if "public" in rule.classes:
            return True
        if agent.iri is None:
            return False
        return (
            "authenticated" in rule.classes
            or agent.iri in rule.agents
            or any(agent.iri in self._group(owner, group) for group in rule.groups)
        )

    def _group(self, owner: Member, group: Iri) -> frozenset[Iri]:
        path = owner.path(group)
        document = self._store.resource(owner.id, path) if path is not None else None
        if document is None:
            return frozenset()
        return self._acls.group(document, owner.url(document.path), group)


def _upwards(path: str) -> Iterator[str]:
    """The path itself, then each container above it, nearest first."""
    yield path
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        yield path
