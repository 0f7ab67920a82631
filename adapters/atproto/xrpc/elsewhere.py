"""Methods that other services answer: the way of a call through the proxy and back.

Spec: https://atproto.com/specs/xrpc#service-proxying
"""

from __future__ import annotations

from adapters.atproto.errors import XrpcError
from adapters.atproto.proxy import Request
from adapters.atproto.xrpc.call import Body, Call
from adapters.atproto.xrpc.services import Services
from pod.errors import Unauthenticated


async def forward(call: Call, services: Services) -> Body:
    """Answer a method that this server does not have; a member must ask, or it is unknown."""
    if not services.proxy.serves(call.headers):
        raise XrpcError(501, "MethodNotImplemented", "Method Not Implemented")
    if call.caller.member is None:
        raise Unauthenticated(name="AuthMissing")
    return await forward_for_anybody(call, services)


async def forward_for_anybody(call: Call, services: Services) -> Body:
    """Forward a call, with the caller's token if there is a caller."""
    body = None
    if call.stream is not None:
        chunks = call.stream(services.settings.limits.blob_bytes)
        body = b"".join([chunk async for chunk in chunks])
    request = Request(call.nsid, call.query_string, call.headers, body)
    return answered(
        await services.proxy.forward(request, call.caller.member, call.agent.credential)
    )


def answered(answer: tuple[int, dict[str, str], bytes]) -> Body:
    """A service's answer as our own."""
    status, headers, content = answer
    media_type = headers.pop("content-type", "application/json")
    kept = tuple((name.encode(), value.encode("latin-1")) for name, value in headers.items())
    return Body(content, media_type, kept, status)
