"""NodeInfo: what software lives on an origin, and for how many people.

Spec: https://nodeinfo.diaspora.software/protocol, https://w3id.org/fep/2677 (the server's actor)
"""

from __future__ import annotations

from typing import Any, Final

from adapters.identity.usage import Used
from adapters.identity.webfinger import ServerActor
from pod.model.ids import Origin

VERSIONS: Final = ("2.0", "2.1")
_APPLICATION: Final = "https://www.w3.org/ns/activitystreams#Application"


def discovery(origin: Origin, actor: ServerActor | None) -> dict[str, Any]:
    """Links to the documents of the same origin, so that peers see each member's domain."""
    links = [
        {
            "rel": f"http://nodeinfo.diaspora.software/ns/schema/{version}",
            "href": f"{origin}/nodeinfo/{version}",
        }
        for version in VERSIONS
    ]
    if actor is not None:
        links.append({"rel": _APPLICATION, "href": actor.iri})
    return {"links": links}


def document(
    version: str, *, host: str, software: str, used: Used, open_sign_up: bool
) -> dict[str, Any]:
    """The document of a host in a version of `VERSIONS`; ``software`` is the pod's own version."""
    return {
        "version": version,
        "software": {"name": "commonpod", "version": software},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": ["atom1.0", "rss2.0"]},
        "openRegistrations": open_sign_up,
        "usage": {
            "users": {
                "total": used.members,
                "activeMonth": used.month,
                "activeHalfyear": used.half_year,
            },
            "localPosts": used.posts,
        },
        "metadata": {
            "nodeName": host,
            "nodeDescription": "Its people are on the fediverse, ATProto and Solid at once.",
            "networks": ["activitypub", "atproto", "solid"],
        },
    }


def media_type(version: str) -> str:
    """The Content-Type of a document."""
    schema = f"http://nodeinfo.diaspora.software/ns/schema/{version}#"
    return f'application/json; profile="{schema}"; charset=utf-8'
