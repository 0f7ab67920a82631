"""Documents that the pod writes itself: storage description, the list of /repo/.

Spec: https://solidproject.org/TR/protocol#server-storage-description
"""

from __future__ import annotations

from typing import Final

from pyoxigraph import Literal, NamedNode

from adapters.solid.channel_terms import FEATURES, GATEWAY, TYPES, service
from adapters.solid.lens.edit import facts
from adapters.solid.paths import STORAGE
from adapters.solid.rdf.vocab import ACL, FOAF, NOTIFY, PIM, RDF, RDFS, SOLID, VOID
from adapters.solid.rdf.write import write_turtle
from adapters.solid.wing import CONSTRAINTS
from pod.model.member import Member

_CONSTRAINTS: Final = (
    "What a container contains, and what is told of it, changes with the resources themselves.",
    "A container that is not empty, the storage and its access control list cannot be deleted.",
    "Names that end in .acl or .meta belong to the resource that is named before.",
    "An RDF document may have 8 MiB, 200,000 triples and 64 levels; contexts are not fetched.",
    "Access control lists and descriptions are RDF; a list must leave its owner in control.",
    "What is in /repo/ is public: edits keep to what a record can say, and access stays open.",
)


def storage_description(member: Member) -> bytes:
    """What `/.well-known/solid` says of a member's one storage, and of what tells its changes."""
    storage = NamedNode(member.url(STORAGE))
    services = {kind: NamedNode(service(member, kind)) for kind in TYPES}
    graph = [
        *facts(
            storage,
            (RDF.type, PIM.Storage),
            (SOLID.owner, NamedNode(member.webid)),
            (SOLID.storageDescription, NamedNode(member.url("/.well-known/solid"))),
            (VOID.sparqlEndpoint, NamedNode(member.url("/sparql"))),
            (SOLID.notificationGateway, NamedNode(member.url(GATEWAY))),
            *((NOTIFY.subscription, each) for each in services.values()),
        ),
        *facts(
            NamedNode(f"{member.origin}{CONSTRAINTS}"),
            (RDFS.seeAlso, NamedNode("https://solidproject.org/TR/protocol#writing-resources")),
            *((RDFS.comment, Literal(text, language="en")) for text in _CONSTRAINTS),
        ),
    ]
    for kind, each in services.items():
        features = ((NOTIFY.feature, NOTIFY[name]) for name in FEATURES)
        graph += facts(each, (NOTIFY.channelType, NOTIFY[kind]), *features)
    return write_turtle(graph)


def repo_acl(member: Member) -> bytes:
    """The list of the public zone: everybody reads, the owner does the rest; it cannot change."""
    document = member.url("/repo/.acl")
    repo = NamedNode(member.url("/repo/"))
    everybody, owner = NamedNode(f"{document}#public"), NamedNode(f"{document}#owner")
    about = [(RDF.type, ACL.Authorization), (ACL.accessTo, repo), (ACL.default, repo)]
    return write_turtle(
        [
            *facts(everybody, *about, (ACL.agentClass, FOAF.Agent), (ACL.mode, ACL.Read)),
            *facts(
                owner,
                *about,
                (ACL.agent, NamedNode(member.webid)),
                *((ACL.mode, mode) for mode in (ACL.Read, ACL.Write, ACL.Control)),
            ),
        ]
    )
