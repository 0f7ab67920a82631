"""The one policy: which agent may do what to which path of which member.

Zones decide first (design page, section 2); inside ``/data/`` and on profile ground the nearest
access control list decides. The owner always keeps Control, so nobody locks themselves out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final, Protocol

from pod.access.acl import Acl, Condition, Mode, Rule
from pod.access.agent import PUBLIC, Agent, Credential
from pod.errors import Forbidden, Unauthenticated
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath, Zone, zone_of
from pod.oauth.reach import Reach
from pod.ports import Reader

ALL: Final = frozenset(Mode)
NOTHING: Final[frozenset[Mode]] = frozenset()
PUBLIC_READ: Final = frozenset({Mode.READ})
LETTERS: Final = frozenset({Mode.APPEND})
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


class RemoteGroups(Protocol):
    """What the policy needs of whoever fetches groups that are described elsewhere."""

    def members(self, group: Iri) -> frozenset[Iri]:
        """The members of a group as far as they are known; empty for one never learned."""
        ...

    async def learn(self, groups: AbstractSet[Iri]) -> None:
        """Get to know groups, within a bound of time; those that cannot be had stay empty."""
        ...


class Policy:
    """Answers for every credential and every protocol."""

    def __init__(self, store: Reader, acls: AclReader, groups: RemoteGroups) -> None:
        self._store = store
        self._acls = acls
        self._groups = groups
        self._compiled: dict[tuple[bytes, str], Acl] = {}

    def modes(self, agent: Agent, owner: Member, path: ResourcePath) -> frozenset[Mode]:
        """All that an agent may do to a path. Costs one to a few point reads."""
        if agent.credential in (Credential.SYSTEM, Credential.ADMIN):
            return ALL
        if agent.credential is Credential.TAKENDOWN:
            return NOTHING
        if agent.scopes is not None and zone_of(path) is not Zone.REPO:
            # Scopes speak of public records only: elsewhere such a token is nobody's.
            agent = replace(PUBLIC, app_origin=agent.app_origin)
        if agent.reach is not None and agent.iri == owner.webid:
            return self._within(agent.reach, agent, owner, path)
        is_owner = agent.member == owner.id or (agent.iri is not None and agent.iri == owner.webid)
        if not owner.is_active and not is_owner:
            return NOTHING
        match zone_of(path):
            case Zone.REPO:
                return ALL if is_owner else PUBLIC_READ
            case Zone.INBOX if not is_owner:
                # Whoever says who they are may leave a letter; only its owner reads it.
                return LETTERS if path == "/inbox/" and agent.iri is not None else NOTHING
            case Zone.INBOX:
                return ALL
            case Zone.SPACES:
                return ALL if is_owner else NOTHING
            case Zone.PROFILE if path in PUBLIC_PAGES or path.startswith("/profile/"):
                return ALL if is_owner else PUBLIC_READ
            case _:
                return self._by_list(agent, owner, path, is_owner=is_owner)

    def _within(
        self, reach: Reach, agent: Agent, owner: Member, path: ResourcePath
    ) -> frozenset[Mode]:
        """What an app may do in its member's own pod: what they agreed to, and what anybody may."""
        full = self.modes(replace(agent, reach=None), owner, path)
        allowed = reach.narrow(full, path, _listed(path))
        if allowed == full:
            return full
        return allowed | self.modes(replace(PUBLIC, app_origin=agent.app_origin), owner, path)

    def require(self, agent: Agent, mode: Mode, owner: Member, path: ResourcePath) -> None:
        """Pass or raise: Unauthenticated without credentials, Forbidden with the wrong ones."""
        allowed = self.modes(agent, owner, path)
        if mode in allowed or (mode is Mode.APPEND and Mode.WRITE in allowed):
            return
        if not agent.is_authenticated:
            raise Unauthenticated(name="AuthMissing")
        raise Forbidden

    async def learn(self, agent: Agent, owner: Member, path: ResourcePath) -> None:
        """Get to know the groups elsewhere that decide about a path, before one asks `modes`."""
        if agent.iri is None or agent.member == owner.id:
            return
        found = (self._list_of(owner, subject) for subject in _upwards(_subject(path)))
        remote = {
            group
            for acl in found
            if acl is not None
            for rule in acl.rules
            for group in rule.all_groups
            if owner.path(group) is None
        }
        if remote:
            await self._groups.learn(remote)

    def effective_acl(self, owner: Member, path: ResourcePath) -> tuple[ResourcePath, Acl] | None:
        """The nearest access control list that applies to a path, with the path it belongs to."""
        for subject in _upwards(_subject(path)):
            found = self._list_of(owner, subject)
            if found is not None:
                return ResourcePath(subject), found
        return None

    def _list_of(self, owner: Member, subject: str) -> Acl | None:
        document = self._store.resource(owner.id, ResourcePath(subject + ACL_SUFFIX))
        if document is None:
            return None
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
        found = self.effective_acl(owner, path)
        if found is None:
            return ALL if is_owner else NOTHING
        subject, acl = found
        url = owner.url(subject)
        own = subject == _subject(path)
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
        if path.removesuffix(DESCRIPTION_SUFFIX).endswith(ACL_SUFFIX):
            return ALL if Mode.CONTROL in granted else NOTHING
        return frozenset(granted)

    def _is_for(self, rule: Rule, agent: Agent, owner: Member) -> bool:
        if rule.origins and agent.app_origin is not None and agent.app_origin not in rule.origins:
            return False
        if not all(self._holds(condition, agent, owner) for condition in rule.conditions):
            return False
        if "public" in rule.classes:
            return True
        if agent.iri is None:
            return False
        return (
            "authenticated" in rule.classes
            or agent.iri in rule.agents
            or self._is_in(agent.iri, rule.groups, owner)
        )

    def _holds(self, condition: Condition, agent: Agent, owner: Member) -> bool:
        if condition.anybody:
            return True
        who = agent.client if condition.about == "client" else agent.issuer
        return who is not None and (
            who in condition.agents or self._is_in(who, condition.groups, owner)
        )

    def _is_in(self, who: Iri, groups: Iterable[Iri], owner: Member) -> bool:
        return any(who in self._group(owner, group) for group in groups)

    def _group(self, owner: Member, group: Iri) -> frozenset[Iri]:
        path = owner.path(group)
        if path is None:
            return self._groups.members(group)
        document = self._store.resource(owner.id, path)
        if document is None:
            return frozenset()
        return self._acls.group(document, owner.url(document.path), group)


def _subject(path: str) -> str:
    """What a list or a description belongs to: it is under the same rules; else the path itself."""
    return path.removesuffix(DESCRIPTION_SUFFIX).removesuffix(ACL_SUFFIX)


def _listed(path: str) -> str:
    """What an access control list is about; any other path itself."""
    plain = path.removesuffix(DESCRIPTION_SUFFIX)
    return plain.removesuffix(ACL_SUFFIX) if plain.endswith(ACL_SUFFIX) else path


def _upwards(path: str) -> Iterator[str]:
    """The path itself, then each container above it, nearest first."""
    yield path
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        yield path
