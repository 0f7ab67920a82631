"""Lexicons of other authorities: from an NSID by DNS to the repository that publishes its schema.

Spec: https://atproto.com/specs/lexicon#lexicon-publication-and-resolution
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import orjson

from adapters.atproto.did.handle import Txt
from adapters.atproto.ports import Egress, Identities
from pod.errors import NotFound
from pod.model.ids import Did, Nsid, parse_did

COLLECTION: Final = "com.atproto.lexicon.schema"
_MAX_BYTES: Final = 1_000_000


class LexiconSource:
    """Resolves lexicon schemas over the network; nothing is kept here."""

    def __init__(self, txt: Txt, identities: Identities, egress: Egress) -> None:
        self._txt = txt
        self._identities = identities
        self._egress = egress

    async def schema(self, nsid: Nsid) -> dict[str, Any]:
        """The schema of an NSID; NotFound, Invalid or PeerUnavailable where there is none."""
        did = await self._authority(nsid)
        document = await self._identities.did_document(did)
        services = document.get("service", ()) if document is not None else ()
        url = next(
            (
                service.get("serviceEndpoint")
                for service in services
                if service.get("id") in ("#atproto_pds", f"{did}#atproto_pds")
            ),
            None,
        )
        if not isinstance(url, str):
            raise NotFound(f"The authority of {nsid} has no repository.")
        query = urlencode({"repo": did, "collection": COLLECTION, "rkey": nsid})
        answer = await self._egress.get(
            f"{url.rstrip('/')}/xrpc/com.atproto.repo.getRecord?{query}", max_bytes=_MAX_BYTES
        )
        schema = _value(answer.body) if answer.status == 200 else None
        if schema is None or schema.get("id") != nsid or schema.get("$type") != COLLECTION:
            raise NotFound(f"The authority of {nsid} does not publish it.")
        return schema

    async def _authority(self, nsid: Nsid) -> Did:
        domain = ".".join(reversed(nsid.split(".")[:-1]))
        texts = await self._txt(f"_lexicon.{domain}")
        dids = {text.removeprefix("did=") for text in texts if text.startswith("did=")}
        if len(dids) != 1:
            raise NotFound(f"Nobody publishes lexicons for {domain}.")
        return parse_did(dids.pop())


def _value(body: bytes) -> dict[str, Any] | None:
    """The record in an answer of getRecord."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    value = told.get("value") if isinstance(told, dict) else None
    return value if isinstance(value, dict) else None
