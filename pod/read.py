"""The one read path: resources as nouns, for whoever may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pod.access.acl import Mode
from pod.access.agent import Agent
from pod.access.policy import Policy
from pod.errors import Gone, NotFound
from pod.model.ids import AtUri, Did, Handle, MemberId, Origin, at_uri_parts
from pod.model.member import Member
from pod.model.noun import Noun, Opaque
from pod.model.profile import Profile
from pod.model.resource import Resource, ResourcePath, record_key, record_path
from pod.ports import Reader
from pod.records.cbor import decode_trusted
from pod.records.data import Data
from pod.records.lens import index

PROFILE_PATH: Final = ResourcePath("/repo/app.bsky.actor.profile/self")
NOTES_PREFIX: Final = "/repo/app.bsky.feed.post/"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something of a member of this server lives."""

    member: Member
    path: ResourcePath


def record_of(resource: Resource) -> dict[str, Data]:
    """The data of a stored record."""
    data = decode_trusted(resource.body)
    assert isinstance(data, dict)
    return data


def noun_of(resource: Resource) -> Noun:
    """What a stored record means; Opaque for everything that has no noun."""
    if not resource.is_record:
        return Opaque()
    collection, _ = record_key(resource.path)
    return index.get(collection, record_of(resource))


class Read:
    """The read service. Everything is a point read or a short page of committed state."""

    def __init__(self, store: Reader, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def member_at(self, origin: Origin) -> Member | None:
        """The member whose origin this is."""
        return self._store.member_by_origin(origin)

    def resource(self, agent: Agent, owner: Member, path: ResourcePath) -> Resource:
        """The resource at a path, if the agent may read it.

        Raises Unauthenticated or Forbidden before it tells whether anything is there; then
        NotFound, or Gone where something was.
        """
        self._policy.require(agent, Mode.READ, owner, path)
        found = self._store.resource(owner.id, path)
        if found is not None:
            return found
        if self._store.tombstone(owner.id, path) is not None:
            raise Gone
        raise NotFound

    def profile(self, member: MemberId) -> Profile:
        """How a member presents themselves; empty where they wrote nothing."""
        found = self._store.resource(member, PROFILE_PATH)
        noun = noun_of(found) if found is not None else None
        return noun if isinstance(noun, Profile) else Profile()

    def notes(
        self, member: MemberId, *, before: str | None = None, limit: int = 20
    ) -> list[tuple[Resource, Noun]]:
        """A member's posts, newest record key first; ``before`` is the last key of a page."""
        after = NOTES_PREFIX + before if before else None
        page = self._store.resources(member, NOTES_PREFIX, after=after, limit=limit, reverse=True)
        return [(resource, noun_of(resource)) for resource in page]

    def member_of_uri(self, uri: AtUri | str) -> Place | None:
        """Where an at-uri lives, if its repository is one of this server."""
        parts = at_uri_parts(uri)
        authority = parts.authority
        member = (
            self._store.member_by_did(Did(authority))
            if authority.startswith("did:")
            else self._store.member_by_handle(Handle(authority))
        )
        if member is None or parts.collection is None or parts.rkey is None:
            return None
        return Place(member, record_path(parts.collection, parts.rkey))
