"""Whom a member wants to hear: blocks, mutes, blocked domains, and who is a stranger to them.

The member's choices are documents of their own under ``/data/social/``.

Spec: https://www.w3.org/TR/activitypub/#block-activity-inbox and #ignore of the vocabulary
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from adapters.activitypub.federation import domain_iri, domain_of, upwards
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import profile
from adapters.activitypub.lens.act import FOLLOWS, folder
from adapters.activitypub.wing import Wing
from pod.errors import Invalid, TooLarge
from pod.model.ids import Iri, MemberId, parse_datetime
from pod.model.member import Member
from pod.model.resource import ResourcePath

BLOCKS: Final = folder("block")
MUTES: Final = folder("ignore")
DOMAINS: Final = folder("domain")
AT_FOLLOWS: Final = "/repo/app.bsky.graph.follow/"
AT_BLOCKS: Final = "/repo/app.bsky.graph.block/"
INBOX: Final = "/inbox/"
WAITING: Final = "/inbox/waiting/"
"""Where the first words of strangers wait, for members who want that."""

ME: Final = ResourcePath("/me")
SETTINGS: Final = ResourcePath("/data/social/settings")
"""What a member chose and nobody else is told, as JSON."""


def blocks(wing: Wing, member: Member, actor: Iri) -> bool:
    """Whether a member wants nothing of an actor, by any of their blocks."""
    about = wing.reader.about
    if about(member.id, BLOCKS, actor):
        return True
    if any(about(member.id, DOMAINS, domain_iri(above)) for above in upwards(domain_of(actor))):
        return True
    other = wing.local_actor(actor)
    return other is not None and bool(about(member.id, AT_BLOCKS, other.did))


def is_blocked_by(wing: Wing, member: Member, actor: Iri) -> bool:
    """Whether an actor blocks the member."""
    return wing.edges.held(member.id, ME, "block", actor) is not None


def follows(wing: Wing, member: Member, actor: Iri) -> bool:
    """Whether a member follows an actor, or asked to."""
    if wing.reader.about(member.id, FOLLOWS, actor):
        return True
    other = wing.local_actor(actor)
    if other is None:
        return bool(followed_across(wing, member.id, actor))
    return bool(wing.reader.about(member.id, AT_FOLLOWS, other.did))


def followed_across(wing: Wing, member: MemberId, actor: Iri) -> list[ResourcePath]:
    """The records by which a member follows an actor who is known in both networks."""
    found = wing.edges.about(actor, actor)
    return [edge.path for holder, edge in found if holder == member and edge.kind == "crossed"]


def is_follower(wing: Wing, member: Member, actor: Iri) -> bool:
    """Whether an actor follows a member, and may.

    Another member of this pod does while their own follow stands and neither blocks the other; one
    that the reactor has not seen yet counts as it will.
    """
    held, other = wing.followers.get(member.id, actor), wing.local_actor(actor)
    if other is None:
        return held is not None and held.accepted
    if not follows(wing, other, member.webid) or is_severed(wing, member, other):
        return False
    return held.accepted if held is not None else is_welcome(wing, member, actor)


def is_severed(wing: Wing, one: Member, other: Member) -> bool:
    """Whether either of two members of this pod blocks the other."""
    return blocks(wing, one, other.webid) or blocks(wing, other, one.webid)


def is_welcome(wing: Wing, member: Member, actor: Iri) -> bool:
    """Whether an actor may follow without being asked about."""
    is_locked = profile.holds_follows(wing.presented(member).complement)
    return not is_locked and not must_wait(wing, member, actor)


@dataclass(frozen=True, slots=True)
class Mute:
    """What a member does not want to hear of an actor: their posts, and perhaps notices, too."""

    hides_notifications: bool = True
    until: datetime | None = None

    @property
    def told(self) -> dict[str, Any]:
        """What the document of the mute says of it."""
        ends = {"endTime": self.until.isoformat().replace("+00:00", "Z")} if self.until else {}
        return {"hideNotifications": self.hides_notifications, **ends}


def mute_of(wing: Wing, member: Member, actor: Iri) -> Mute | None:
    """A member's mute of an actor, while it lasts."""
    held = (
        mute_in(said(wing, member, path)) for path in wing.reader.about(member.id, MUTES, actor)
    )
    return next((each for each in held if lasts(wing, each)), None)


def mute_in(document: read.Node) -> Mute:
    """What an ``Ignore`` says, whatever the member wrote: without a readable end it has none."""
    hides = document.get("hideNotifications", True) is not False
    try:
        return Mute(hides, parse_datetime(read.text(document, "endTime") or ""))
    except Invalid:
        return Mute(hides, None)


def lasts(wing: Wing, mute: Mute) -> bool:
    """Whether a mute is not over."""
    return mute.until is None or wing.clock.now() < mute.until


def mutes(wing: Wing, member: Member, actor: Iri) -> bool:
    """Whether a member does not want to be told of what an actor does."""
    mute = mute_of(wing, member, actor)
    return mute is not None and mute.hides_notifications


def hears(wing: Wing, member: Member, actor: Iri) -> bool:
    """Whether what an actor says to a member reaches them at all."""
    return not blocks(wing, member, actor) and not mutes(wing, member, actor)


def may_see(wing: Wing, member: Member, actor: Iri) -> bool:
    """Whether an actor, known by their signature, may see what the member shows to everybody."""
    return not wing.federation.refuses(actor) and not blocks(wing, member, actor)


def is_stranger(wing: Wing, member: Member, actor: Iri) -> bool:
    """Whether neither follows the other."""
    follower = wing.followers.get(member.id, actor)
    return not (follower is not None and follower.accepted) and not follows(wing, member, actor)


def must_wait(wing: Wing, member: Member, actor: Iri) -> bool:
    """Whether the first word of an actor waits in the tray: the member's wish, or a rule."""
    if not is_stranger(wing, member, actor):
        return False
    return wing.federation.silences(actor) or wants_tray(wing, member)


def wants_tray(wing: Wing, member: Member) -> bool:
    """Whether strangers wait until the member let them in."""
    return said(wing, member, SETTINGS).get("strangersWait") is True


def said(wing: Wing, member: Member, path: ResourcePath) -> read.Node:
    """A document of the member's own as JSON; empty where there is none, whatever they wrote."""
    found = wing.reader.resource(member.id, path)
    try:
        return read.parse(found.body) if found is not None else {}
    except (Invalid, TooLarge):
        return {}
