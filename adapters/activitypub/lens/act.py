"""A member's own acts towards the fediverse, follow to move, each kept as an AS2 document.

Spec: https://www.w3.org/TR/activitypub/#follow-activity-outbox
"""

from __future__ import annotations

from typing import Final, Literal

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import MEDIA_TYPE
from adapters.activitypub.lens.published import View
from pod.errors import Invalid, TooLarge
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath, Tombstone

Act = Literal["follow", "like", "announce", "react", "vote", "block", "ignore", "domain", "move"]

TYPES: Final[dict[Act, str]] = {
    "follow": "Follow",
    "like": "Like",
    "announce": "Announce",
    "react": "EmojiReact",
    "vote": "Create",
    "block": "Block",
    "ignore": "Ignore",
    "domain": "Block",
    "move": "Move",
}
SOCIAL: Final = "/data/social/"
"""Documents below are activities of the member, delivered as they stand to whom they address:
mutes and blocks of whole domains to nobody."""

FOLLOWS: Final = f"{SOCIAL}follow/"
LIKES: Final = f"{SOCIAL}like/"
VOTES: Final = f"{SOCIAL}vote/"


def get(member: Member, document: Resource | Tombstone) -> View | None:
    """The activity that a document is; None unless it is an act of this member under its own id.

    The member may write anything there by other protocols: only what the pod itself could have
    written is told to others.
    """
    if document.media_type != MEDIA_TYPE:
        return None
    try:
        view = read.parse(document.body)
    except (Invalid, TooLarge):
        return None
    kind = next((kind for act, kind in TYPES.items() if document.path.startswith(folder(act))), "")
    is_own = view.get("id") == member.url(document.path) and view.get("actor") == member.webid
    if not is_own or view.get("type") != kind or object_of(view) is None:
        return None
    return view


def folder(act: Act) -> ResourcePath:
    """Where acts of a kind lie."""
    return ResourcePath(f"{SOCIAL}{act}/")


def object_of(view: View) -> Iri | None:
    """What the act is about, named by its id alone; of a vote the poll."""
    target = view.get("object")
    if isinstance(target, dict):
        return read.iri(target, "inReplyTo") if _is_vote(view, target) else None
    return read.iri(view, "object") if isinstance(target, str) else None


def _is_vote(view: View, note: View) -> bool:
    """Whether an activity is the choice of one answer: a note with a name and without words."""
    is_own = note.get("attributedTo") == view.get("actor") and note.get("type") == "Note"
    return view.get("type") == "Create" and is_own and "name" in note and "content" not in note
