"""What is between members of one pod: what their records of follows and blocks, and locks, say.

Spec: https://www.w3.org/TR/activitypub/#follow-activity-inbox
"""

from __future__ import annotations

from adapters.activitypub.lens.published import buried
from adapters.activitypub.moderation import AT_BLOCKS, AT_FOLLOWS
from adapters.activitypub.receive import relation
from adapters.activitypub.wing import Wing
from pod.model.change import ChangeOp
from pod.model.ids import Did
from pod.model.member import Member
from pod.model.relation import Relation
from pod.read import PROFILE_PATH, noun_of


async def relate(wing: Wing, member: Member, op: ChangeOp) -> None:
    """Make it what a change says; safe to repeat."""
    if op.path == PROFILE_PATH:
        await relation.let_in(wing, member)
    elif op.path.startswith((AT_FOLLOWS, AT_BLOCKS)):
        await _relate(wing, member, op)


async def _relate(wing: Wing, member: Member, op: ChangeOp) -> None:
    resource = wing.reader.resource(member.id, op.path)
    tombstone = wing.reader.tombstone(member.id, op.path) if resource is None else None
    resource = resource or (buried(tombstone) if tombstone is not None else None)
    noun = noun_of(resource) if resource is not None else None
    if resource is None or not isinstance(noun, Relation):
        return
    other = wing.reader.member_by_did(Did(noun.subject_uri))
    if op.action == "update":  # it was about somebody else, perhaps
        follow = wing.published(member, resource).id
        held = wing.followers.get(other.id, member.webid) if other is not None else None
        if held is None or held.follow_id != follow:
            await wing.followers.remove_follow(member.webid, follow)
    if other is not None:
        await relation.follow_here(wing, member, other)
        await relation.follow_here(wing, other, member)
