"""Posts that a member marked for themselves, as documents of their own.

Spec: https://docs.joinmastodon.org/methods/bookmarks/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import orjson

from adapters.activitypub.wing import Wing
from pod.access.agent import Agent
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import ABSENT, ResourcePath
from pod.write import Delete, PutDocument

BOOKMARKS: Final = "/data/social/bookmark/"
_PAGE: Final = 500


async def mark(wing: Wing, agent: Agent, member: Member, post: Iri) -> None:
    """Mark a post, once."""
    if wing.reader.about(member.id, BOOKMARKS, post):
        return
    path = ResourcePath(BOOKMARKS + wing.tids.next())
    at = wing.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = orjson.dumps({"post": post, "at": at})
    put = PutDocument(path, "application/json", body, ABSENT, subject=post)
    await wing.write.apply(agent, member.id, [put])


async def unmark(wing: Wing, agent: Agent, member: Member, post: Iri) -> None:
    """Take a mark away."""
    paths = wing.reader.about(member.id, BOOKMARKS, post)
    await wing.write.apply(agent, member.id, [Delete(path, missing_ok=True) for path in paths])


def marked(wing: Wing, member: Member) -> Iterator[Iri]:
    """The posts that a member marked, oldest first."""
    after: str | None = None
    while page := wing.reader.resources(member.id, BOOKMARKS, after=after, limit=_PAGE):
        yield from (Iri(each.subject) for each in page if each.subject)
        after = page[-1].path
