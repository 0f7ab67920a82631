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
from adapters.activitypub.lens import html, poll
from adapters.activitypub.lens.act import SOCIAL
from adapters.activitypub.lens.published import View
from pod.errors import Invalid, TooLarge, Unprocessable
from pod.model.ids import Iri, parse_datetime
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath, Tombstone

CIRCLE: Final = f"{SOCIAL}note/"
"""Where such posts lie."""

MEDIA: Final = f"{SOCIAL}media/"
"""Where what they show lies."""

_IDS: Final = "/notes/"
_FILES: Final = "/notes/media/"
_KEPT: Final = ("inReplyTo", "tag", "sensitive", "contentMap", "attachment")
_AUDIENCE: Final = ("to", "cc")
_UNMEANT: Final = frozenset({"bto", "bcc", "audience"})


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
    kind = "Question" if poll.is_poll(view) else "Note"
    is_own = view.get("id") == id_of(member, document.path) and view.get("type") == kind
    is_own = is_own and view.get("attributedTo") == member.webid
    has_files = all(isinstance(part.get("url"), str) for part in read.nodes(view, "attachment"))
    return view if is_own and has_files and is_narrow(view) else None


def put(view: Node, member: Member, path: ResourcePath, told: Node, now: str) -> View:
    """The document of a new or (``told`` being the old one) changed post.

    Raises Unprocessable for what such a post cannot hold.
    """
    if unmeant := _UNMEANT.intersection(view):
        raise Unprocessable(f"A post to a circle cannot have {', '.join(sorted(unmeant))}.")
    content = read.text(view, "content")
    if content is None:
        raise Unprocessable("A post needs content.")
    is_new = "published" not in told
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
    if poll.is_poll(view):
        asked = poll.new(view, parse_datetime(now)) if is_new else view
        shown |= {"type": "Question", **{key: asked[key] for key in poll.KEYS & asked.keys()}}
    if "contentMap" in shown:
        shown["contentMap"] = {k: html.clean(v) for k, v in read.text_map(view, "content").items()}
    return shown if is_new else {**shown, "updated": now}


def id_of(member: Member, path: str) -> Iri:
    """The id of a post, which says nothing of where it lies."""
    return member.url(ResourcePath(_IDS + path.rpartition("/")[2]))


def path_of(member: Member, iri: str) -> ResourcePath | None:
    """Where the post with an id lies."""
    start = member.origin + _IDS
    name = iri.removeprefix(start)
    return ResourcePath(CIRCLE + name) if iri.startswith(start) and name.isalnum() else None


def file_url(member: Member, path: str) -> Iri:
    """Where a file of such a post is served, to whoever knows: see `shows`."""
    return member.url(ResourcePath(_FILES + path.rpartition("/")[2]))


def file_path(member: Member, url: str) -> ResourcePath | None:
    """Where the file behind a URL lies."""
    start = member.origin + _FILES
    return ResourcePath(MEDIA + url.removeprefix(start)) if url.startswith(start) else None


def shows(view: Node, url: str) -> bool:
    """Whether a post shows a file. Mastodon and most others fetch files without a signature, so a
    URL that nobody can guess, told to the audience alone, is the only key that all of them carry;
    it opens nothing once the post is gone or shows the file no more.
    """
    return any(read.iri(part, "url") == url for part in read.nodes(view, "attachment"))
