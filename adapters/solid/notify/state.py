"""The state of a topic as messages tell it and subscribers know it: an entity tag.

Spec: https://solidproject.org/TR/notifications-protocol#notify-state
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import import_module
from typing import Final

from adapters.http.conditional import body_etag, etag, version_of
from pod.access.agent import PUBLIC
from pod.model.member import Member
from pod.model.resource import ResourcePath
from pod.ports import Reader

_BIGGEST: Final = 500
"""Children of a container whose tag is told: making it means making the listing."""


async def load() -> None:
    """Load what shows resources, which takes a while, off the loop."""
    await asyncio.to_thread(import_module, "adapters.solid.routes.storage")


def state_of(reader: Reader, member: Member, topic: ResourcePath) -> str | None:
    """The tag of what is there now; None where nothing is, or what it is takes long to tell."""
    return next(_tags(reader, member, topic), None)


def is_known(reader: Reader, member: Member, topic: ResourcePath, state: str) -> bool:
    """Whether a state that somebody knows is still that of the topic."""
    found = reader.resource(member.id, topic)
    named = version_of(state)
    if found is not None and named is not None and not topic.endswith("/"):
        return named.matches(found.version)
    return state in _tags(reader, member, topic)


def _tags(reader: Reader, member: Member, topic: ResourcePath) -> Iterator[str]:
    """The tags of the representations of what is there, each made when it is asked for."""
    from adapters.solid.lens.container import jsonld, turtle
    from adapters.solid.routes.storage import listed
    from adapters.solid.wing import VARIANTS, Target

    found = reader.resource(member.id, topic)
    if not topic.endswith("/"):
        if found is not None:
            variant = "ttl" if found.is_record else VARIANTS.get(found.media_type, "bin")
            yield etag(found.version, variant)
        return
    if len(reader.resources(member.id, topic, after=topic, limit=_BIGGEST)) == _BIGGEST:
        return
    listing = listed(reader, Target(member, PUBLIC, topic, found))
    if listing is not None:
        yield body_etag(turtle(listing), "ttl")
        yield body_etag(jsonld(listing), "jsonld")
