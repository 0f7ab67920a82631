"""The current request, free of the web framework: its fields, its URL, what it shows of its sender.

Spec: RFC 9110 sections 5 (fields) and 7.1 (target URI)
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from multidict import CIMultiDict, CIMultiDictProxy
from quart import request

from adapters.http.credentials import Presented
from adapters.http.hosts import Hosts
from pod.errors import Invalid, TooLarge


def fields() -> CIMultiDictProxy[str]:
    """Header fields as sent, names without case; ``.items()`` keeps repeats and order."""
    return CIMultiDictProxy(CIMultiDict(request.headers.items()))


def presented(hosts: Hosts, body: bytes = b"") -> Presented:
    """What the request shows of its sender.

    The URL is the public one (the server's scheme, the Host as sent) with the target exactly as
    it stood in the request line: signatures and proofs cover those bytes.
    """
    target = request.scope["raw_path"].partition(b"?")[0]
    query = request.query_string
    url = hosts.origin(request.host) + (target + (b"?" + query if query else b"")).decode("latin-1")
    return Presented(request.method, url, fields(), body)


async def small_body(limit: int) -> bytes:
    """The body, read to its end; TooLarge as soon as there is more of it than ``limit``."""
    received = bytearray()
    async for chunk in request.body:
        received += chunk
        if len(received) > limit:
            raise TooLarge
    return bytes(received)


async def small_form(limit: int) -> dict[str, str]:
    """The fields of a URL-encoded form, each once; Invalid or TooLarge."""
    try:
        pairs = parse_qsl((await small_body(limit)).decode(), keep_blank_values=True)
    except ValueError as err:
        raise Invalid("The form is not valid UTF-8", name="invalid_request") from err
    if len({name for name, _ in pairs}) != len(pairs):
        raise Invalid("A parameter came more than once", name="invalid_request")
    return dict(pairs)
