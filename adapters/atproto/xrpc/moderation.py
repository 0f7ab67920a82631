"""com.atproto.moderation, label and temp: reports are passed on, the rest is answered at once.

Spec: lexicons com.atproto.moderation.createReport, com.atproto.label.queryLabels
"""

from __future__ import annotations

from typing import Any

from adapters.atproto.proxy import CREATE_REPORT, Request
from adapters.atproto.xrpc.call import Auth, Call, Result, procedure, query
from adapters.atproto.xrpc.elsewhere import answered, forward_for_anybody
from adapters.atproto.xrpc.services import Services
from pod.records.data import data_to_json_text


@procedure(CREATE_REPORT, takendown_may=True)
async def create_report(call: Call, services: Services) -> Result:
    """Report an account or a record to the named service, or to the server's own moderation."""
    request = Request(call.nsid, call.query_string, call.headers, data_to_json_text(call.body))
    return answered(await services.proxy.forward(request, call.member, call.agent.credential))


@query("com.atproto.label.queryLabels")
async def query_labels(call: Call, services: Services) -> Result:
    """Labels of the service that the request names; the pod itself labels nothing."""
    if b"atproto-proxy" in call.headers:
        return await forward_for_anybody(call, services)
    return {"labels": []}


@query("com.atproto.temp.checkSignupQueue", Auth.ACCESS)
async def check_signup_queue(call: Call, services: Services) -> dict[str, Any]:  # noqa: ARG001
    """Nobody waits here."""
    return {"activated": True}
