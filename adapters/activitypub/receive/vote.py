"""Votes: each voter is counted once, and only by the one who asks.

Spec: https://docs.joinmastodon.org/spec/activitypub/#Question
"""

from __future__ import annotations

from adapters.activitypub import circle
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import poll
from adapters.activitypub.lens.published import View
from adapters.activitypub.moderation import blocks
from adapters.activitypub.receive.activity import Activity
from adapters.activitypub.wing import Wing
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Edge
from pod.model.resource import Resource


def vote_in(activity: Activity) -> Node | None:
    """The choice in a poll that an actor makes: a note of theirs with a name and no words."""
    note = read.node(activity.node, "object")
    if note is None or read.author(note) != activity.actor:
        return None
    return note if is_choice(note) else None


def is_choice(note: Node) -> bool:
    """Whether a note is a choice in a poll: it has a name, no words, and answers something."""
    has_name = read.text(note, "name") is not None and not read.text(note, "content")
    return "Note" in read.types(note) and has_name and read.iri(note, "inReplyTo") is not None


def asked(wing: Wing, target: str, voter: Iri) -> tuple[Member, Resource, View] | None:
    """The post of a member that a voter may read, and what is asked in it."""
    public = wing.local_object(target)
    if public is None:
        return circle.found(wing, target, voter)
    return *public, wing.published(*public).annotation


async def on_vote(wing: Wing, activity: Activity, vote: Node) -> None:
    """Count a vote, if the poll is a member's, goes on, and has such a choice."""
    found = asked(wing, read.iri(vote, "inReplyTo") or "", activity.actor)
    name = read.text(vote, "name")
    if found is None or name is None or found[0].webid == activity.actor:
        return
    member, resource, beside = found
    if blocks(wing, member, activity.actor):
        return
    if name not in poll.choices(beside) or not poll.is_open(beside, activity.at):
        return
    edge = Edge(resource.path, "vote", activity.actor, name, activity.id, False, activity.at)
    async with wing.voting:
        voted = wing.edges.held(member.id, resource.path, "vote", activity.actor)
        if voted is None or beside.get("anyOf"):
            await wing.edges.put(member.id, edge)
