"""The current request, free of the web framework: its fields, its URL, what it shows of its sender.

Spec: RFC 9110 sections 5 (fields) and 7.1 (target URI)
"""

from __future__ import annotations

from multidict import CIMultiDict, CIMultiDictProxy
from quart import request

from adapters.http.credentials import Presented
from adapters.http.hosts import Hosts


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
