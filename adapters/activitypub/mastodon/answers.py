"""What answers a post: of members, and what came from elsewhere.

Spec: https://docs.joinmastodon.org/methods/statuses/#context
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adapters.activitypub import circle
from adapters.activitypub.mastodon.lister import aside, to
from adapters.activitypub.mastodon.ports import Listings
from adapters.activitypub.wing import Wing
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import Resource
from pod.model.timeline import Span
from pod.read import NOTES_PREFIX

_SHOWN: Final = 40
_NARROW: Final = 400
_COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Answers:
    """Finds and counts answers; those that are not for everybody are found and not counted."""

    wing: Wing
    listings: Listings

    def of(self, iri: Iri) -> list[Iri]:
        """Answers to a post, the oldest first."""
        rows = [row for name in (to(iri), aside(iri)) for row in self._listed(name, _SHOWN)]
        found = [each for _, each in sorted(rows)]
        local = circle.place(self.wing, iri)
        if local is not None:
            place = local[0].id, local[1].path
            told = [edge.object for edge in self.wing.edges.page(*place, "reply", limit=_SHOWN)]
            told += list(self.wing.edges.tally(*place, "reply")[0])[:_NARROW]
            found += [Iri(each) for each in told if each]
        return list(dict.fromkeys(found))

    def count(self, iri: Iri, local: tuple[Member, Resource] | None) -> int:
        """How many answers are known; ``local`` is the post, where it is one of this pod."""
        if local is None or not local[1].is_record:
            return len(self._listed(to(iri), _COUNTED))
        uri = local[0].at_uri(local[1].path)
        here = self.wing.reader.all_about(NOTES_PREFIX, uri, limit=_COUNTED)
        return len(here) + self.wing.edges.count(local[0].id, local[1].path, "reply")

    def _listed(self, name: str, most: int) -> list[tuple[int, Iri]]:
        return self.listings.listed(name, Span(most))
