"""What one server passes on of another's: believed by its author's proof, or asked for anew.

Spec: https://www.w3.org/TR/activitypub/#inbox-forwarding and https://w3id.org/fep/8b32
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

import orjson

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.receive.activity import Activity
from adapters.activitypub.signature.proof import is_proven
from adapters.activitypub.wing import Wing
from adapters.http.throttle import Limit
from pod.errors import Forbidden, Gone, Invalid, TooLarge, Unauthenticated
from pod.model.ids import Iri

STRANGERS: Final = Limit(120, 60)
"""Activities of one server in a minute that others wrote: each may cost a fetch."""

_TOLD: Final = ("to", "cc", "audience")


def limit(wing: Wing, sender: str) -> None:
    """Count what the sender's server passes on; raises Throttled."""
    wing.throttle.take(f"forwarded {urlsplit(sender).netloc.lower()}", STRANGERS)


async def believed(wing: Wing, activity: Activity) -> Activity | None:
    """What may be done about an activity that somebody else than its actor sent.

    With its actor's proof it stands as it is. Of a Create, Update or Delete without one only the
    object's id is taken, and the object is asked for at its own origin. None where nothing comes of
    it; raises Unauthenticated for all other activities, and what fetching raises.
    """
    if await is_proven(activity.node, activity.actor, wing.actors, activity.at):
        return activity
    about = activity.object
    is_asked_for = activity.kind in ("Create", "Update", "Delete") and about is not None
    if about is None or not is_asked_for or wing.is_local(about):
        raise Unauthenticated("The activity is not signed by its actor.")
    try:
        found = await wing.actors.document(about)
    except Gone:
        return _deletion(activity, about)
    except (Invalid, Forbidden, TooLarge):
        return None
    if "Tombstone" in read.types(found):
        return _deletion(activity, about)
    return _news(activity, found, about) if activity.kind != "Delete" else None


def _deletion(activity: Activity, about: Iri) -> Activity | None:
    """The deletion of something that its own server says is gone."""
    if activity.kind != "Delete" or not read.same_origin(about, activity.actor):
        return None
    return replace(activity, id=Iri(f"{about}#gone"))


def _news(activity: Activity, found: Node, about: Iri) -> Activity | None:
    """The object as its origin shows it, told by its author. The id is none that others know."""
    author = read.author(found)
    if author is None or read.id_of(found) != about or not read.same_origin(about, author):
        return None
    digest = hashlib.sha256(orjson.dumps(found, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
    told: Node = {key: found[key] for key in _TOLD if key in found}
    node = {"type": activity.kind, "actor": author, "object": found, **told}
    return replace(activity, id=Iri(f"{about}#{digest}"), actor=author, node=node)
