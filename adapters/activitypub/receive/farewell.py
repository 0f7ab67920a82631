"""An actor who is gone: nothing that they wrote to members or did to them is kept.

Spec: https://www.w3.org/TR/activitypub/#delete-activity-inbox
"""

from __future__ import annotations

from typing import Final

from adapters.activitypub.lens.act import FOLLOWS
from adapters.activitypub.moderation import INBOX
from adapters.activitypub.wing import Wing
from pod.access.agent import SYSTEM
from pod.model.ids import Iri, MemberId
from pod.model.peer import Delivery
from pod.write import Delete

_PAGE: Final = 200


async def forget_actor(wing: Wing, actor: Iri) -> None:
    """Forget what an actor wrote, did and followed, and let nobody follow them any more.

    What is on its way is small pieces that may be repeated: after a crash the rest goes next time.
    """
    while done := wing.edges.of_actor(actor, limit=_PAGE):
        for member, edge in done:
            about = [(INBOX, edge.object)] if edge.object else []
            about += [(FOLLOWS, actor)] if edge.kind == "accept" else []
            for folder, subject in about:
                await _delete(wing, member, folder, subject)
            if edge.object:
                await wing.edges.remove_object(actor, Iri(edge.object))
            else:
                await wing.edges.remove(member, edge.path, edge.kind, actor)
    await wing.followers.remove_actor(actor)


async def forget_member(wing: Wing, delivery: Delivery) -> None:
    """The same for a member of this pod who is gone: an errand."""
    actor = Iri(delivery.target.partition(":")[2])
    if wing.local_actor(actor) is None:
        await forget_actor(wing, actor)


async def _delete(wing: Wing, member: MemberId, folder: str, subject: str) -> None:
    paths = wing.reader.about(member, folder, subject)
    await wing.write.apply(SYSTEM, member, [Delete(path, missing_ok=True) for path in paths])
