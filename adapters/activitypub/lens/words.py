"""An author's words and links as the fediverse view writes them, for whoever shows the same post.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#dfn-content
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.activitypub.lens import html
from adapters.activitypub.lens.names import Names
from pod.model.ids import AtUri, Iri
from pod.model.member import Member
from pod.model.richtext import Segment
from pod.ports import Reader


class Words:
    """Rendering and names for one author; point reads only."""

    def __init__(self, reader: Reader, author: Member) -> None:
        self._names = Names(reader, author)

    def render(self, text: Sequence[Segment]) -> str:
        """Words with features as HTML."""
        return html.render(text, self._names)

    def read(self, source: str) -> tuple[Segment, ...]:
        """The words and features of HTML, whoever wrote it."""
        return html.read(source, self._names)

    def profile_url(self, did: str) -> str:
        """Where a person is shown; the WebID for members of this pod."""
        return self._names.profile_url(did)

    def did_at(self, url: str) -> str | None:
        """The DID of the person who is shown at a URL; the inverse of `profile_url`."""
        return self._names.did_at(url)

    def object_url(self, uri: str) -> Iri | None:
        """The id of the object that an at-uri means, None where it is not of this pod."""
        return self._names.object_url(uri)

    def at_uri(self, url: str) -> AtUri | None:
        """The at-uri of an object id of this pod; the inverse of `object_url`."""
        return self._names.at_uri(url)
