"""A member's lists of people by their titles, as files carry them from server to server.

Spec: https://docs.joinmastodon.org/methods/lists/, https://docs.joinmastodon.org/user/moving/#export
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final

from adapters.activitypub.papers import Paper, Papers
from adapters.activitypub.wing import Wing
from pod.access.agent import Agent
from pod.errors import Invalid, Unprocessable
from pod.model.ids import Iri
from pod.model.member import Member

KIND: Final = "list"
MOST_PEOPLE: Final = 1_000
LONGEST_TITLE: Final = 256


def people_of(paper: Paper) -> list[Iri]:
    """Who is in a list, whatever the member wrote there."""
    told: Any = paper.body.get("accounts")
    return [Iri(iri) for iri in told if isinstance(iri, str)] if isinstance(told, list) else []


def entries(wing: Wing, member: Member) -> Iterator[tuple[str, Iri]]:
    """Every place in every list: its title, and who has it; the oldest list first."""
    for paper in reversed(Papers(wing, KIND).all(member)):
        yield from ((_title(paper), iri) for iri in people_of(paper))


async def join(wing: Wing, agent: Agent, member: Member, title: str, actor: Iri) -> None:
    """Put somebody into a list, which begins with them if there is none of its title.

    Raises Invalid for a title that is none, Unprocessable where a list is full or there are too
    many.
    """
    if not title.strip() or len(title) > LONGEST_TITLE:
        raise Invalid("A list has a title of up to 256 characters.")
    papers = Papers(wing, KIND)
    held = next((each for each in papers.all(member) if _title(each) == title), None)
    if held is None:
        body = {"title": title, "replies_policy": "list", "exclusive": False, "accounts": [actor]}
        await papers.add(agent, member, body)
        return
    people = list(dict.fromkeys([*people_of(held), actor]))
    if len(people) > MOST_PEOPLE:
        raise Unprocessable(f"A list has at most {MOST_PEOPLE} people.")
    await papers.change(agent, member, held, {**held.body, "accounts": people})


async def keep_only(
    wing: Wing, agent: Agent, member: Member, stays: Callable[[str, Iri], bool]
) -> None:
    """Take out of all lists who does not stay there; a list that nobody stays in goes."""
    papers = Papers(wing, KIND)
    for paper in papers.all(member):
        await asyncio.sleep(0)  # requests come first
        people = people_of(paper)
        kept = [iri for iri in people if stays(_title(paper), iri)]
        if not kept:
            await papers.drop(agent, member, paper)
        elif kept != people:
            await papers.change(agent, member, paper, {**paper.body, "accounts": kept})


def _title(paper: Paper) -> str:
    return str(paper.body.get("title", ""))
