"""Relation -> RDF: like, repost, follow and block as activities; they can be annotated, not edited.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#activity-types
"""

from __future__ import annotations

from typing import Final

from pyoxigraph import NamedNode

from adapters.solid.lens.edit import Changes, Lens, Place, facts, iri, moment
from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import AS, RDF, SCHEMA, SIOC
from pod.errors import Conflict
from pod.model.note import StrongRef
from pod.model.relation import Relation, RelationKind

_CLASSES: Final = {
    RelationKind.FOLLOW: (AS.Follow, SCHEMA.FollowAction),
    RelationKind.LIKE: (AS.Like, SCHEMA.LikeAction),
    RelationKind.REPOST: (AS.Announce, SCHEMA.ShareAction),
    RelationKind.BLOCK: (AS.Block,),
}


def show(relation: Relation, place: Place) -> Graph:
    """The default view of a relation."""
    subject = relation.subject
    url = (
        place.speech.object_url(subject.uri)
        if isinstance(subject, StrongRef)
        else place.speech.profile_url(subject)
    )
    target = iri(url) if url is not None else None
    webid = NamedNode(place.author.webid)
    graph = facts(
        place.topic,
        *((RDF.type, kind) for kind in _CLASSES[relation.kind]),
        (AS.actor, webid),
        (AS.object, target),
        (AS.published, moment(relation.created_at)),
    )
    if relation.kind is RelationKind.FOLLOW:
        graph += facts(webid, (SIOC.follows, target))
    return graph


def edit(relation: Relation, changes: Changes, place: Place) -> Relation:  # noqa: ARG001  a lens's shape
    """Refuse: what somebody did is not edited, but undone."""
    if changes:
        raise Conflict("A relation is not edited; delete it and make another")
    return relation


LENS: Final = Lens[Relation](
    editable={},
    derived=frozenset({AS.actor, AS.object, AS.published}),
    show=show,
    edit=edit,
)
