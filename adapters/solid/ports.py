"""What the Solid wing needs of others: how a member's words and links read on the open web.

Spec: https://solidproject.org/TR/protocol
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from adapters.http.fetch import Fetched
from pod.model.ids import Iri, Nsid, Rkey
from pod.model.member import Member
from pod.model.richtext import Segment


class Speech(Protocol):
    """Words and names as one author's posts use them; the same rules as in the fediverse view."""

    def render(self, text: Sequence[Segment]) -> str:
        """Words with features as HTML."""
        ...

    def read(self, html: str) -> tuple[Segment, ...]:
        """The words and features of HTML, whoever wrote it; ``read(render(text))`` keeps text."""
        ...

    def profile_url(self, did: str) -> str:
        """Where a person is shown; the WebID for members of this pod."""
        ...

    def did_at(self, url: str) -> str | None:
        """The DID of the person who is shown at a URL; the inverse of `profile_url`."""
        ...

    def object_url(self, uri: str) -> Iri | None:
        """The URL of the thing that an at-uri means, None where it is not of this pod."""
        ...

    def at_uri(self, url: str) -> str | None:
        """The at-uri of a thing of this pod; the inverse of `object_url`."""
        ...


class SpeechOf(Protocol):
    """Gives each author their speech."""

    def __call__(self, author: Member) -> Speech: ...


class MintKey(Protocol):
    """The key of a new record that was given none."""

    def __call__(self, collection: Nsid) -> Rkey: ...


class Egress(Protocol):
    """The guarded way out (`adapters.http.fetch.Fetch` fits)."""

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, max_bytes: int | None = None
    ) -> Fetched: ...
