"""A public record as the AS2 lenses see it: whose it is, under which id, and with what complement.

Spec: https://www.w3.org/TR/activitypub/#obj-id
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.lens.names import Names, object_id
from pod.errors import Conflict, Invalid
from pod.model.blob import BlobRef
from pod.model.ids import Cid, Iri, Tid
from pod.model.member import Member
from pod.model.noun import Noun
from pod.model.resource import (
    EMPTY,
    Annotation,
    Complement,
    Override,
    Resource,
    Tombstone,
    repo_key,
)
from pod.records.cid import cid_from_text, cid_text

View = dict[str, Any]

COMPLEMENT: Final = "as2"
"""The name under which AS2 keeps what a record cannot hold."""

INTERNAL: Final = "_"
"""The key of what an annotation says to this pod alone; no view shows it."""


@dataclass(frozen=True, slots=True)
class Published:
    """A record of the public zone, its author, and how others are named."""

    author: Member
    resource: Resource
    names: Names

    def __post_init__(self) -> None:
        """Refuse what is not public, whoever asks."""
        repo_key(self.resource.path)

    @property
    def id(self) -> Iri:
        """The object's id."""
        return object_id(self.author, self.resource.path, self.resource.generation)

    @property
    def annotation(self) -> View:
        """AS2 properties that the record has no place for."""
        return _load(self.resource.complement.annotation(COMPLEMENT))

    @property
    def internal(self) -> View:
        """What was noted beside the record for this pod alone."""
        found: View = self.annotation.get(INTERNAL, {})
        return found

    @property
    def override(self) -> View:
        """Richer renderings, while they fit the record."""
        return _load(self.resource.complement.override(COMPLEMENT, self.resource.cid))

    def audience(self, beside: View) -> tuple[list[str], list[str]]:
        """``to`` and ``cc``: everybody and followers, the other way round for what is unlisted."""
        everybody, followers = str(PUBLIC), f"{self.author.origin}/followers"
        if is_unlisted(beside):
            return [followers], [everybody]
        return [everybody], [followers]

    def blob_url(self, blob: BlobRef) -> Iri:
        """Where a blob of the author is served."""
        return self.author.url(f"/blobs/{cid_text(blob.cid)}")

    def blob_at(self, url: str) -> BlobRef | None:
        """The blob of the author that is served at a URL."""
        return blob_at(self.names, self.author, url)


def blob_at(names: Names, author: Member, url: str) -> BlobRef | None:
    """The blob of an author that is served at a URL, or will be once a record shows it."""
    path = author.path(url) or ""
    try:
        cid = cid_from_text(path.removeprefix("/blobs/"))
    except Invalid:
        return None
    return names.blob(author, cid) if path.startswith("/blobs/") else None


@dataclass(frozen=True, slots=True)
class Put:
    """What a view written back means: the noun, and what goes beside its record."""

    noun: Noun
    annotation: View
    override: View


def is_unlisted(beside: View) -> bool:
    """Whether a post is for everybody, but shown only to who comes for it or follows its author."""
    return bool(beside.get(INTERNAL, {}).get("unlisted"))


def addressed(view: View, beside: View) -> View:
    """What stands beside a new post, with how it is addressed: no record can say it."""
    told = read.recipients({"to": view.get("to")})
    if PUBLIC in told or PUBLIC not in read.recipients(view):
        return beside
    return {**beside, INTERNAL: {**beside.get(INTERNAL, {}), "unlisted": True}}


def require_shown(view: View, before: View, after: View) -> None:
    """PutGet or refuse: what ``view`` says must be shown afterwards, or have been shown before.

    What follows from the rest may be left as it was, and an empty value says no more than none;
    Conflict names a property that may not be so.
    """
    for key in sorted(view.keys() - {"@context"}):
        is_kept = view[key] == after[key] if key in after else not view[key]
        if not is_kept and (key not in before or view[key] != before[key]):
            raise Conflict(f"The property {key} cannot be kept as it is written.")


def annotated(before: Complement, annotation: View) -> Complement:
    """A complement with another annotation of ours; all else stays."""
    others = tuple(part for part in before.annotations if part.view != COMPLEMENT)
    ours = (Annotation(COMPLEMENT, _dump(annotation)),) if annotation else ()
    return replace(before, annotations=others + ours)


def beside(put: Put, cid: Cid, before: Complement) -> Complement:
    """The complement after a put, for the record ``cid``; other views' notes stay."""
    others = tuple(part for part in before.overrides if part.view != COMPLEMENT)
    ours = (Override(COMPLEMENT, _dump(put.override), cid),) if put.override else ()
    return replace(annotated(before, put.annotation), overrides=others + ours)


def buried(tombstone: Tombstone) -> Resource:
    """What a deleted record was, for the views that tell of its end."""
    return Resource(
        member=tombstone.member,
        path=tombstone.path,
        media_type=tombstone.media_type,
        cid=tombstone.cid,
        size=len(tombstone.body),
        body=tombstone.body,
        rev=Tid(""),
        created_at=tombstone.deleted_at,
        updated_at=tombstone.deleted_at,
        generation=tombstone.generation,
        complement=EMPTY,
    )


def _dump(view: View) -> bytes:
    """The same bytes for the same facts, so that what says nothing new changes nothing."""
    return orjson.dumps(view, option=orjson.OPT_SORT_KEYS)


def _load(data: bytes | None) -> View:
    return orjson.loads(data) if data else {}
