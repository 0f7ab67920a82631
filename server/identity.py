"""``commonpod identity verify``: the knot verifier with the network as its source."""

from __future__ import annotations

from urllib.parse import quote

import orjson

from adapters.atproto import face as atproto
from adapters.http.fetch import Fetch
from adapters.identity import face as identity
from pod.errors import NotFound, PodError
from pod.model.ids import Did, Handle, parse_did, parse_handle
from pod.settings import PUBLIC_PLC, Egress
from server.clock import SystemClock


class _Network:
    """Fetches what each name says, from the authority that controls it."""

    def __init__(self, fetch: Fetch, plc: str, pod: str | None) -> None:
        self._fetch = fetch
        self._plc = plc
        self._pod = pod
        resolver = atproto.HandleResolver(lambda _: None, atproto.dns_txt, fetch)
        self._identities = atproto.NetworkIdentities(
            atproto.PlcClient(fetch, plc), resolver, fetch, SystemClock(), own=lambda _: None
        )

    async def handle(self, text: str) -> identity.Found | None:
        handle = parse_handle(text)
        if self._pod is not None:
            return await self._handle_of_pod(self._pod, handle)
        did = await self._identities.resolve_handle(handle)
        if did is None:
            return None
        return identity.Found(did.encode(), "text/plain", handle, "DNS or the handle's own server")

    async def did(self, text: str) -> identity.Found | None:
        did: Did = parse_did(text)
        document = await self._identities.did_document(did, fresh=True)
        if document is None:
            return None
        is_plc = did.startswith("did:plc:")
        authority = f"the PLC directory {self._plc}" if is_plc else "the domain of the DID"
        return identity.Found(orjson.dumps(document), "application/json", did, authority)

    async def get(self, url: str, accept: str) -> identity.Found | None:
        try:
            answer = await self._fetch.get(url, {"Accept": accept})
        except PodError:
            return None
        if answer.status != 200:
            return None
        host = url.split("/")[2]
        return identity.Found(answer.body, answer.content_type, url, f"the server of {host}")

    async def _handle_of_pod(self, pod: str, handle: Handle) -> identity.Found | None:
        url = f"{pod}/xrpc/com.atproto.identity.resolveHandle?handle={quote(handle)}"
        answer = await self._fetch.get(url)
        if answer.status != 200:
            return None
        did = orjson.loads(answer.body)["did"].encode()
        return identity.Found(did, "text/plain", url, f"the development pod {pod}")


async def verify_name(name: str, *, plc: str | None, pod: str | None) -> tuple[str, bool]:
    """The report on all names that one name leads to, and whether every pair of them is proved.

    ``pod`` is the origin of a development pod: its handles have no DNS, its addresses are local,
    and its own PLC directory is asked unless ``plc`` names another.
    """
    fetch = Fetch(Egress(may_reach_private=pod is not None))
    directory = plc or (f"{pod}/plc" if pod is not None else PUBLIC_PLC)
    network = _Network(fetch, directory, pod)
    sources = identity.Sources(
        network.handle, network.did, network.get, "http" if pod is not None else "https"
    )
    try:
        knot = await identity.verify(name, sources)
    finally:
        await fetch.close()
    if len(knot.names) < 2:
        raise NotFound(f"Nothing is known about {name}.")
    return identity.report(knot), not knot.unproved and not knot.conflicts
