"""The posts that a member pins: the profile record names the newest, its complement the others.

Spec: https://docs.joinmastodon.org/spec/activitypub/#featured
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens.published import COMPLEMENT, INTERNAL, annotated
from adapters.activitypub.wing import Wing
from pod.access.agent import Agent
from pod.errors import Invalid, Unprocessable
from pod.model.ids import Iri, Nsid, Rkey
from pod.model.member import Member
from pod.model.profile import Profile
from pod.model.resource import EMPTY, Resource, Version
from pod.read import NOTES_PREFIX, PROFILE_PATH, noun_of, record_of
from pod.records.cid import cid_text
from pod.records.lens import index as records
from pod.write import PutRecord

MOST: Final = 5
_PROFILES: Final = Nsid("app.bsky.actor.profile")
_KEY: Final = "pinned"
"""What the pod keeps beside the record: the at-uris of pinned posts, the newest first."""


class Pins:
    """Changes what members pin; each method raises what writing raises."""

    def __init__(self, wing: Wing) -> None:
        self._wing = wing

    async def set(self, agent: Agent, member: Member, post: Iri, *, is_pinned: bool) -> None:
        """Pin a post, or pin it no more.

        Raises Unprocessable for what is not the member's own public post, Invalid for one too many.
        """
        held = self._wing.local_object(post)
        if held is None or held[0].id != member.id or not held[1].path.startswith(NOTES_PREFIX):
            raise Unprocessable("Only public posts of one's own can be pinned")
        uri = member.at_uri(held[1].path)
        before = [each[0] for each in _pinned(self._wing, member)]
        rest = [each for each in before if each != uri]
        after = [uri, *rest] if is_pinned else rest
        if (is_pinned and uri in before) or after == before:
            return
        if len(after) > MOST:
            raise Invalid("You have already pinned the maximum number of posts")
        await self._write(agent, member, after)

    async def _write(self, agent: Agent, member: Member, uris: list[str]) -> None:
        resource = self._wing.reader.resource(member.id, PROFILE_PATH)
        source = record_of(resource) if resource is not None else None
        noun = noun_of(resource) if resource is not None else Profile()
        record = records.put(_PROFILES, noun if isinstance(noun, Profile) else Profile(), source)
        found = self._wing.presented(member).names.locate(uris[0]) if uris else None
        record.pop("pinnedPost", None)
        if found is not None:
            record["pinnedPost"] = {"uri": uris[0], "cid": cid_text(found[1].cid)}
        complement = resource.complement if resource is not None else EMPTY
        annotation = _annotation(resource)
        internal = {k: v for k, v in annotation.get(INTERNAL, {}).items() if k != _KEY}
        internal |= {_KEY: uris[1:]} if uris[1:] else {}
        annotation = {k: v for k, v in annotation.items() if k != INTERNAL}
        annotation |= {INTERNAL: internal} if internal else {}
        put = PutRecord(
            _PROFILES,
            Rkey("self"),
            record,
            "put",
            Version(resource.cid, complement.revision) if resource is not None else None,
            complement=annotated(complement, annotation),
        )
        await self._wing.write.apply(agent, member.id, [put])


def pinned_by(wing: Wing, member: Member) -> list[Iri]:
    """The posts that a member pins and that are there, the newest pin first."""
    return [wing.published(member, resource).id for _, resource in _pinned(wing, member)]


def _pinned(wing: Wing, member: Member) -> list[tuple[str, Resource]]:
    resource = wing.reader.resource(member.id, PROFILE_PATH)
    noun = noun_of(resource) if resource is not None else None
    told: Any = _annotation(resource).get(INTERNAL, {}).get(_KEY, [])
    first = [noun.pinned.uri] if isinstance(noun, Profile) and noun.pinned is not None else []
    uris = [*first, *(uri for uri in told if isinstance(uri, str))]
    names, found = wing.presented(member).names, []
    for uri in dict.fromkeys(uris):
        place = names.locate(uri)
        if place is not None and place[0].id == member.id:
            found.append((uri, place[1]))
    return found[:MOST]


def _annotation(resource: Resource | None) -> Node:
    data = resource.complement.annotation(COMPLEMENT) if resource is not None else None
    found: Node = orjson.loads(data) if data else {}
    return found
