"""People and records of other repositories, as their DID documents and servers give them."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import orjson

from adapters.atproto.did.document import read_document
from adapters.atproto.ports import Identities
from adapters.http.fetch import Fetch
from pod.errors import Invalid, PeerUnavailable
from pod.model.ids import AtUri, Did, at_uri_parts

_MOST_BYTES: Final = 256 * 1024


class Elsewhere:
    """Asks the network; nothing is believed that an ActivityPub server does not confirm."""

    def __init__(self, identities: Identities, fetch: Fetch) -> None:
        self._identities = identities
        self._fetch = fetch

    async def did_document(self, did: Did) -> dict[str, Any] | None:
        """The DID document; raises PeerUnavailable."""
        return await self._identities.did_document(did)

    async def record(self, uri: AtUri) -> dict[str, Any] | None:
        """A public record, asked of the server that its DID names; raises as fetching does."""
        parts = at_uri_parts(uri)
        did = Did(parts.authority)
        pds = read_document(did, await self.did_document(did)).pds
        if pds is None:
            return None
        query = f"repo={quote(did)}&collection={parts.collection}&rkey={quote(parts.rkey or '')}"
        url = f"{pds}/xrpc/com.atproto.repo.getRecord?{query}"
        answer = await self._fetch.get(url, max_bytes=_MOST_BYTES)
        if answer.status == 429 or answer.status >= 500:
            raise PeerUnavailable(f"Another server answered with {answer.status}.")
        if answer.status != 200:
            return None
        try:
            value = orjson.loads(answer.body).get("value")
        except (orjson.JSONDecodeError, AttributeError) as err:
            raise Invalid("The server did not answer with a record.") from err
        return value if isinstance(value, dict) else None
