"""Which lens shows which noun as AS2, and the activity that a change of one causes.

Spec: https://www.w3.org/TR/activitypub/#server-to-server-interactions
"""

from __future__ import annotations

from typing import Any

from adapters.activitypub.jsonld.context import NOTE, PUBLIC, with_context
from adapters.activitypub.lens import article, note, relation
from adapters.activitypub.lens.published import Published, View
from pod.model.article import Article
from pod.model.ids import Iri
from pod.model.note import Note
from pod.model.relation import Relation
from pod.read import noun_of


def get(published: Published) -> View | None:
    """A public record as AS2, without context; None for what is not federated."""
    match noun_of(published.resource):
        case Note() as noun:
            return note.get(noun, published)
        case Article() as noun:
            return article.get(noun, published)
        case Relation() as noun:
            return relation.get(noun, published)
        case _:
            return None


def is_activity(view: View) -> bool:
    """Whether the view is an activity of its own rather than an object."""
    return "actor" in view


def create(view: View, activity_id: str) -> View:
    """The activity that tells of a new object; a relation tells of itself."""
    return view if is_activity(view) else _about("Create", view, activity_id, view["published"])


def update(view: View, activity_id: str) -> View:
    """The activity that tells of a changed object."""
    return _about("Update", view, activity_id, view.get("updated"))


def update_actor(actor: View, activity_id: str) -> View:
    """The activity that tells of a changed profile."""
    return {
        "id": activity_id,
        "type": "Update",
        "actor": actor["id"],
        "to": [PUBLIC],
        "cc": [actor["followers"]],
        "object": actor,
    }


def delete(view: View, activity_id: str, deleted_at: str) -> View:
    """The activity that tells that something is gone: Undo for a relation, else Delete."""
    if is_activity(view):
        return undo(view, activity_id)
    return {
        "id": activity_id,
        "type": "Delete",
        "actor": view["attributedTo"],
        "to": view["to"],
        "cc": view["cc"],
        "object": tombstone(view["id"], view["type"], deleted_at),
    }


def undo(activity: View, activity_id: str) -> View:
    """The activity that takes another back."""
    told: View = {key: activity[key] for key in ("to", "cc") if key in activity}
    return {
        "id": activity_id,
        "type": "Undo",
        "actor": activity["actor"],
        **told,
        "object": {key: value for key, value in activity.items() if key != "@context"},
    }


def answer(kind: str, follow: View, member: Iri, activity_id: str) -> View:
    """Accept or Reject of a follow."""
    return {
        "id": activity_id,
        "type": kind,
        "actor": member,
        "to": [follow["actor"]],
        "object": follow,
    }


def tombstone(object_id: str, former: str, deleted_at: str) -> View:
    """What is shown of a deleted object."""
    return {"id": object_id, "type": "Tombstone", "formerType": former, "deleted": deleted_at}


def document(view: View) -> dict[str, Any]:
    """A note or activity as a document of its own."""
    return with_context(view, NOTE)


def _about(kind: str, view: View, activity_id: str, published: str | None) -> View:
    activity = {
        "id": activity_id,
        "type": kind,
        "actor": view["attributedTo"],
        "to": view["to"],
        "cc": view["cc"],
        "object": view,
    }
    return {**activity, "published": published} if published else activity
