"""One notification: an activity of ActivityStreams 2.0 about a resource, as JSON-LD or RDF.

Spec: https://solidproject.org/TR/notifications-protocol#notification-message-data-model
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import orjson

from adapters.http.negotiate import choose
from adapters.solid.channel_terms import CONTEXT, NOTIFY, moment_text
from pod.model.ids import Iri

JSONLD: Final = "application/ld+json"
OFFERED: Final = (JSONLD, "text/turtle", "application/n-triples")
"""Media types of messages; the first is meant where nobody says."""

MessageType = Literal["Create", "Update", "Delete", "Add", "Remove"]


@dataclass(frozen=True, slots=True)
class Message:
    """What happened. ``state`` is an entity tag of what the topic is now, if it has one.

    ``origin_id`` is the same whenever the same thing is told again, to whomever.
    """

    origin_id: str
    type: MessageType
    object: Iri
    published: datetime
    target: Iri | None = None
    state: str | None = None

    @property
    def id(self) -> str:
        """The id of the notification."""
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, self.origin_id)}"

    def written(self, media_type: str) -> bytes:
        """The message in one of the `OFFERED` media types."""
        return self._json() if media_type == JSONLD else self._rdf(media_type)

    def _json(self) -> bytes:
        told = {
            "@context": ["https://www.w3.org/ns/activitystreams", CONTEXT],
            "id": self.id,
            "type": self.type,
            "object": self.object,
            "target": self.target,
            "state": self.state,
            "published": moment_text(self.published),
        }
        return orjson.dumps({name: value for name, value in told.items() if value is not None})

    def _rdf(self, media_type: str) -> bytes:
        from pyoxigraph import Literal as Text
        from pyoxigraph import NamedNode

        from adapters.solid.lens.edit import facts
        from adapters.solid.rdf.vocab import AS, RDF, XSD
        from adapters.solid.rdf.write import write_rdf

        graph = facts(
            NamedNode(self.id),
            (RDF.type, AS[self.type]),
            (AS.object, NamedNode(self.object)),
            (AS.target, NamedNode(self.target) if self.target else None),
            (NamedNode(f"{NOTIFY}state"), Text(self.state) if self.state else None),
            (AS.published, Text(moment_text(self.published), datatype=XSD.dateTime)),
        )
        return write_rdf(graph, media_type)


def media_of(accept: str | None) -> str | None:
    """The media type of the messages for somebody; None if they take none of ours."""
    return choose(accept, OFFERED)
