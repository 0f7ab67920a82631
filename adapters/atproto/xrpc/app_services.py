"""app.bsky methods that other services answer under a rule of their own: feeds, push, age.

Spec: lexicons app.bsky.feed.getFeed, app.bsky.notification.registerPush, app.bsky.ageassurance.*
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import orjson

from adapters.atproto.errors import XrpcError
from adapters.atproto.firehose.frames import time_text
from adapters.atproto.proxy import Request
from adapters.atproto.xrpc.call import Auth, Call, Result, procedure, query
from adapters.atproto.xrpc.elsewhere import answered, forward
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid
from pod.model.ids import Did, parse_did
from pod.records.data import data_to_json_text

GENERATOR: Final = "app.bsky.feed.getFeedGenerator"
SKELETON: Final = "app.bsky.feed.getFeedSkeleton"


@query("app.bsky.feed.getFeed", Auth.ACCESS)
async def get_feed(call: Call, services: Services) -> Result:
    """A feed: the AppView fills it, with a token for the generator that makes its skeleton."""
    member, credential = call.member, call.agent.credential
    feed = f"feed={quote(call.params['feed'], safe='')}".encode()
    _, _, body = await services.proxy.forward(
        Request(GENERATOR, feed, call.headers), member, credential
    )
    generator = _generator(body)
    request = Request(call.nsid, call.query_string, call.headers)
    return answered(
        await services.proxy.forward(request, member, credential, purpose=(generator, SKELETON))
    )


@procedure("app.bsky.notification.registerPush")
async def register_push(call: Call, services: Services) -> Result:
    """Have a service push notifications to a device."""
    return await _push(call, services)


@procedure("app.bsky.notification.unregisterPush")
async def unregister_push(call: Call, services: Services) -> Result:
    """Have a service push no more."""
    return await _push(call, services)


@query("app.bsky.ageassurance.getState", Auth.ACCESS)
async def get_age_state(call: Call, services: Services) -> Result:
    """What the AppView knows of somebody's age; without one, nobody asked and nothing is shut."""
    if services.proxy.serves(call.headers):
        return await forward(call, services)
    metadata = {"accountCreatedAt": time_text(call.member.created_at)}
    return {"state": {"status": "unknown", "access": "full"}, "metadata": metadata}


@query("app.bsky.unspecced.getAgeAssuranceState", Auth.ACCESS)
async def get_age_assurance_state(call: Call, services: Services) -> Result:
    """The same in its first form."""
    if services.proxy.serves(call.headers):
        return await forward(call, services)
    return {"status": "unknown"}


async def _push(call: Call, services: Services) -> Result:
    did: str = call.body["serviceDid"]
    appview = services.settings.appview
    service = "bsky_appview" if appview is not None and did == appview.did else "bsky_notif"
    headers = {**call.headers, b"atproto-proxy": f"{did}#{service}".encode()}
    request = Request(call.nsid, call.query_string, headers, data_to_json_text(call.body))
    return answered(await services.proxy.forward(request, call.member, call.agent.credential))


def _generator(body: bytes) -> Did:
    try:
        told: Any = orjson.loads(body)["view"]["did"]
        return parse_did(told)
    except (orjson.JSONDecodeError, KeyError, TypeError, Invalid) as err:
        raise XrpcError(502, "UpstreamFailure", "could not resolve feed generator did") from err
