"""Posts that are not for everybody, kept as AS2 documents outside the public zone.

They are in no repository, no firehose, no outbox and on no page: their followers or whom they
address get them delivered, and may fetch them signed.

Spec: https://www.w3.org/TR/activitypub/#delivery
"""

from __future__ import annotations

from typing import Any, Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import MEDIA_TYPE, PUBLIC
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import html
from adapters.activitypub.lens.act import SOCIAL
from adapters.activitypub.lens.published import View
from pod.errors import Invalid, TooLarge, Unprocessable
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath, Tombstone

CIRCLE: Final = f"{SOCIAL}note/"
"""Where such posts lie."""

_IDS: Final = "/notes/"
_KEPT: Final = ("inReplyTo", "tag", "sensitive", "contentMap")
_AUDIENCE: Final = ("to", "cc")
_UNMEANT: Final = frozenset({"attachment", "bto", "bcc", "audience", "oneOf", "anyOf"})


def is_narrow(*parts: Node) -> bool:
    """Whether a post is addressed to somebody, and not to everybody."""
    told = read.recipients(*parts)
    return bool(told) and PUBLIC not in told


def get(member: Member, document: Resource | Tombstone) -> View | None:
    """The post that a document is; None unless the pod itself could have written it."""
    if document.media_type != MEDIA_TYPE or not document.path.startswith(CIRCLE):
        return None
    try:
        view = read.parse(document.body)
    except (Invalid, TooLarge):
        return None
    is_own = view.get("id") == id_of(member, document.path) and view.get("type") == "Note"
    is_own = is_own and view.get("attributedTo") == member.webid
    return view if is_own and is_narrow(view) else None


def put(view: Node, member: Member, path: ResourcePath, told: Node, now: str) -> View:
    """The document of a new or (``told`` being the old one) changed post.

    Raises Unprocessable for what such a post cannot hold.
    """
    if unmeant := _UNMEANT.intersection(view):
        raise Unprocessable(f"A post to a circle cannot have {', '.join(sorted(unmeant))}.")
    content = read.text(view, "content")
    if content is None:
        raise Unprocessable("A post needs content.")
    summary = read.text(view, "summary")
    shown: dict[str, Any] = {
        "id": id_of(member, path),
        "type": "Note",
        "attributedTo": member.webid,
        **{key: list(read.iris(told, key)) for key in _AUDIENCE},
        "published": told.get("published", now),
        **({"summary": html.plain(summary)} if summary else {}),
        "content": html.clean(content),
        **{key: view[key] for key in _KEPT if key in view},
    }
    if "contentMap" in shown:
        shown["contentMap"] = {k: html.clean(v) for k, v in read.text_map(view, "content").items()}
    return {**shown, "updated": now} if "published" in told else shown


def id_of(member: Member, path: str) -> Iri:
    """The id of a post, which says nothing of where it lies."""
    return member.url(ResourcePath(_IDS + path.rpartition("/")[2]))


def path_of(member: Member, iri: str) -> ResourcePath | None:
    """Where the post with an id lies."""
    start = member.origin + _IDS
    name = iri.removeprefix(start)
    return ResourcePath(CIRCLE + name) if iri.startswith(start) and name.isalnum() else None
