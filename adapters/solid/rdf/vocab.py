"""The terms that this wing speaks: prefixes, namespaces and named nodes.

Spec: https://www.w3.org/TR/rdf11-concepts/#vocabularies
"""

from __future__ import annotations

from typing import Final

from pyoxigraph import NamedNode


class Namespace:
    """A namespace whose terms read as attributes: ``LDP.contains``; odd names by ``NS["a#b"]``."""

    def __init__(self, iri: str) -> None:
        self.iri: Final = iri

    def __getitem__(self, name: str) -> NamedNode:
        return NamedNode(self.iri + name)

    def __getattr__(self, name: str) -> NamedNode:
        if name.startswith("__"):
            raise AttributeError(name)
        term = NamedNode(self.iri + name)
        setattr(self, name, term)
        return term

    def __contains__(self, term: object) -> bool:
        return isinstance(term, NamedNode) and term.value.startswith(self.iri)


RDF: Final = Namespace("http://www.w3.org/1999/02/22-rdf-syntax-ns#")
BOOKMARK: Final = Namespace("http://www.w3.org/2002/01/bookmark#")
XSD: Final = Namespace("http://www.w3.org/2001/XMLSchema#")
OWL: Final = Namespace("http://www.w3.org/2002/07/owl#")
AS: Final = Namespace("https://www.w3.org/ns/activitystreams#")
SCHEMA: Final = Namespace("https://schema.org/")
SIOC: Final = Namespace("http://rdfs.org/sioc/ns#")
FOAF: Final = Namespace("http://xmlns.com/foaf/0.1/")
VCARD: Final = Namespace("http://www.w3.org/2006/vcard/ns#")
LDP: Final = Namespace("http://www.w3.org/ns/ldp#")
ACL: Final = Namespace("http://www.w3.org/ns/auth/acl#")
PIM: Final = Namespace("http://www.w3.org/ns/pim/space#")
SOLID: Final = Namespace("http://www.w3.org/ns/solid/terms#")
DCT: Final = Namespace("http://purl.org/dc/terms/")
STAT: Final = Namespace("http://www.w3.org/ns/posix/stat#")
SD: Final = Namespace("http://www.w3.org/ns/sparql-service-description#")
VOID: Final = Namespace("http://rdfs.org/ns/void#")
RDFS: Final = Namespace("http://www.w3.org/2000/01/rdf-schema#")
NOTIFY: Final = Namespace("http://www.w3.org/ns/solid/notifications#")
LEX: Final = Namespace("lex:")
QUOTE: Final = NamedNode("https://w3id.org/fep/044f#quote")
SENSITIVE: Final = NamedNode("https://www.w3.org/ns/activitystreams#sensitive")

PREFIXES: Final[dict[str, str]] = {
    "rdf": RDF.iri,
    "xsd": XSD.iri,
    "owl": OWL.iri,
    "as": AS.iri,
    "schema": SCHEMA.iri,
    "sioc": SIOC.iri,
    "foaf": FOAF.iri,
    "vcard": VCARD.iri,
    "ldp": LDP.iri,
    "acl": ACL.iri,
    "pim": PIM.iri,
    "solid": SOLID.iri,
    "notify": NOTIFY.iri,
    "dct": DCT.iri,
    "stat": STAT.iri,
    "lex": LEX.iri,
    "bookmark": BOOKMARK.iri,
    "rdfs": RDFS.iri,
    "sd": SD.iri,
    "void": VOID.iri,
}
"""Prefixes that written Turtle may use."""


def _words(text: str) -> list[str]:
    return text.split()


_AS_IRIS = _words(
    "actor attachment attributedTo audience bcc bto cc context first followers following generator"
    " icon image inReplyTo instrument items last liked likes location next object origin outbox"
    " prev preview replies result shares tag target to url href describes partOf current oneOf"
    " anyOf endpoints proxyUrl sharedInbox movedTo alsoKnownAs"
)
_AS_TEXTS = _words(
    "content name summary mediaType rel preferredUsername hreflang height width duration"
    " startIndex totalItems latitude longitude altitude accuracy radius units sensitive"
)
_AS_TIMES = _words("published updated startTime endTime deleted closed")
_AS_TYPES = _words(
    "Accept Activity Add Announce Application Arrive Article Audio Block Collection CollectionPage"
    " Create Delete Dislike Document Event Flag Follow Group Hashtag Ignore Image"
    " IntransitiveActivity Invite Join Leave Like Link Listen Mention Move Note Object Offer"
    " OrderedCollection OrderedCollectionPage Organization Page Person Place Profile Question Read"
    " Reject Relationship Remove Service TentativeAccept TentativeReject Tombstone Travel Undo"
    " Update Video View"
)

AS_CONTEXT: Final[dict[str, object]] = {
    "xsd": XSD.iri,
    "as": AS.iri,
    "ldp": LDP.iri,
    "vcard": VCARD.iri,
    "id": "@id",
    "type": "@type",
    "Public": {"@id": "as:Public", "@type": "@id"},
    "inbox": {"@id": "ldp:inbox", "@type": "@id"},
    "orderedItems": {"@id": "as:items", "@type": "@id", "@container": "@list"},
    "contentMap": {"@id": "as:content", "@container": "@language"},
    "nameMap": {"@id": "as:name", "@container": "@language"},
    "summaryMap": {"@id": "as:summary", "@container": "@language"},
    **{name: f"as:{name}" for name in (*_AS_TYPES, *_AS_TEXTS)},
    **{name: {"@id": f"as:{name}", "@type": "@id"} for name in _AS_IRIS},
    **{name: {"@id": f"as:{name}", "@type": "xsd:dateTime"} for name in _AS_TIMES},
}

_NOTIFY_TERMS: Final[dict[str, object]] = {
    "id": "@id",
    "type": "@type",
    "notify": NOTIFY.iri,
    "xsd": XSD.iri,
    **{
        name: f"notify:{name}"
        for name in _words(
            "accept state WebSocketChannel2023 WebhookChannel2023 StreamingHTTPChannel2023"
            " LDNChannel2023 EventSourceChannel2023"
        )
    },
    **{
        name: {"@id": f"notify:{name}", "@type": "@id"}
        for name in _words("channel receiveFrom sender sendTo subscription topic")
    },
    **{name: {"@id": f"notify:{name}", "@type": "@vocab"} for name in ("channelType", "feature")},
    **{name: {"@id": f"notify:{name}", "@type": "xsd:dateTime"} for name in ("startAt", "endAt")},
    "rate": {"@id": "notify:rate", "@type": "xsd:duration"},
}

CONTEXTS: Final[dict[str, object]] = {
    "https://www.w3.org/ns/activitystreams": AS_CONTEXT,
    "http://www.w3.org/ns/activitystreams": AS_CONTEXT,
    "https://www.w3.org/ns/solid/notification/v1": _NOTIFY_TERMS,
    "https://www.w3.org/ns/solid/notifications-context/v1": _NOTIFY_TERMS,
    "https://schema.org": {"@vocab": SCHEMA.iri, "id": "@id", "type": "@type"},
    "https://schema.org/": {"@vocab": SCHEMA.iri, "id": "@id", "type": "@type"},
}
"""Term tables that stand for remote JSON-LD contexts; nothing is ever fetched."""
