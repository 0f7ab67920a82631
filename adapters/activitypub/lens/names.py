"""How at-uris and DIDs are named in the fediverse, and back: pure string rules for members here.

Spec: https://www.w3.org/TR/activitypub/#obj-id
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from pod.errors import Invalid
from pod.model.blob import BlobRef
from pod.model.ids import (
    AtUri,
    Cid,
    Did,
    Iri,
    Nsid,
    Origin,
    Rkey,
    parse_did,
    parse_nsid,
    parse_rkey,
)
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath, record_path
from pod.ports import Reader
from pod.read import record_of
from pod.records.data import Data

BRIDGED: Final = "https://bsky.brid.gy/ap/"
"""What stands before the DID in the actor ids of the bridge between both networks."""

_ELSEWHERE: Final = "https://bsky.app/profile/"
"""Where a person is shown whose DID is not of this pod."""


def object_id(member: Member, path: ResourcePath, generation: int) -> Iri:
    """The id of a public object: its URL, marked with the generation once the path was reborn.

    Peers refuse for ever an id that they saw deleted.
    """
    url = member.url(path)
    return url if generation == 1 else Iri(f"{url};g{generation}")


def read_object_path(path: str) -> tuple[ResourcePath, int]:
    """Path and generation of an object id's path; the inverse of `object_id`."""
    bare, mark, number = path.rpartition(";g")
    if mark and number.isascii() and number.isdecimal() and len(number) < 10 and number[0] != "0":
        return ResourcePath(bare), int(number)
    return ResourcePath(path), 1


class Names:
    """Names as one member's objects use them; point reads only."""

    def __init__(
        self,
        reader: Reader,
        author: Member,
        blurhash: Callable[[Cid], str | None] = lambda _: None,
        emoji: Callable[..., list[dict[str, Any]]] = lambda *_: [],
    ) -> None:
        """``blurhash`` tells that of a picture, if it was computed, ``emoji`` the tags in texts."""
        self._reader = reader
        self._tags = f"{author.origin}/?tag="
        self.blurhash = blurhash
        self.emoji = emoji

    def blob(self, member: Member, cid: Cid) -> BlobRef | None:
        """A blob that a member holds."""
        row = self._reader.blob(member.id, cid)
        return BlobRef(cid, row.media_type, row.size) if row is not None else None

    def beside(self, member: Member, collection: str, rkey: str) -> dict[str, Data] | None:
        """The record of another collection that has the key of a post: a gate."""
        found = self._reader.resource(member.id, record_path(Nsid(collection), Rkey(rkey)))
        return record_of(found) if found is not None and found.is_record else None

    def profile_url(self, did: str) -> str:
        """Where a person is shown; the actor's id for members of this pod."""
        member = self._reader.member_by_did(Did(did))
        return member.webid if member is not None else _ELSEWHERE + did

    def did_at(self, url: str) -> str | None:
        """The inverse of `profile_url`; also whom the bridge shows in the fediverse."""
        for start in (_ELSEWHERE, BRIDGED):
            if url.startswith(start):
                try:
                    return parse_did(url.removeprefix(start))
                except Invalid:
                    return None
        member = member_at(self._reader, url)
        return member.did if member is not None and member.webid == url else None

    def tag_url(self, tag: str) -> str:
        """Where a hashtag of the author leads."""
        return self._tags + quote(tag, safe="")

    def tag_at(self, url: str) -> str | None:
        """The inverse of `tag_url`."""
        return unquote(url.removeprefix(self._tags)) if url.startswith(self._tags) else None

    def member(self, did: str) -> Member | None:
        """The member of this pod with a DID."""
        return self._reader.member_by_did(Did(did))

    def object_url(self, uri: str) -> Iri | None:
        """The id of the object that an at-uri means, None where it is not of this pod."""
        found = self.locate(uri)
        return object_id(found[0], found[1].path, found[1].generation) if found else None

    def post_url(self, uri: str) -> str:
        """Where a post is shown: its id in this pod, else a page for people."""
        found = self.object_url(uri)
        if found is not None:
            return found
        did, _, rest = uri.removeprefix("at://").partition("/")
        return f"{_ELSEWHERE}{did}/post/{rest.rpartition('/')[2]}"

    def locate(self, uri: str) -> tuple[Member, Resource] | None:
        """The member and record behind an at-uri of this pod."""
        parts = uri.removeprefix("at://").split("/")
        if len(parts) != 3 or (member := self._reader.member_by_did(Did(parts[0]))) is None:
            return None
        try:
            path = record_path(parse_nsid(parts[1]), parse_rkey(parts[2]))
        except Invalid:
            return None
        resource = self._reader.resource(member.id, path)
        return (member, resource) if resource is not None else None

    def at_uri(self, url: str) -> AtUri | None:
        """The at-uri of an object id of this pod; the inverse of `object_url`."""
        member = member_at(self._reader, url)
        path = member.path(url) if member is not None else None
        if member is None or path is None:
            return None
        bare, generation = read_object_path(path)
        parts = bare.split("/")
        if len(parts) != 4 or parts[1] != "repo":
            return None
        resource = self._reader.resource(member.id, bare)
        if resource is None or resource.generation != generation:
            return None
        return member.at_uri(bare)


def member_at(reader: Reader, url: str) -> Member | None:
    """The member whose origin a URL has."""
    parts = urlsplit(url)
    return reader.member_by_origin(Origin(f"{parts.scheme}://{parts.netloc}"))
