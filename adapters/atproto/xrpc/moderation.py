"""com.atproto.moderation, label and temp: reports are passed on or kept, the rest is answered.

Spec: lexicons com.atproto.moderation.createReport, com.atproto.label.queryLabels
"""

from __future__ import annotations

from typing import Any

from adapters.atproto.firehose.frames import time_text
from adapters.atproto.proxy import CREATE_REPORT, Request
from adapters.atproto.xrpc.call import Auth, Call, Result, procedure, query
from adapters.atproto.xrpc.elsewhere import answered, forward_for_anybody
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.moderation import Report
from pod.records.data import data_to_json, data_to_json_text


@procedure(CREATE_REPORT, takendown_may=True)
async def create_report(call: Call, services: Services) -> Result:
    """Report an account or a record to the named service, or to the server's own moderation.

    Where no service is set, the report is kept for the administrator.
    """
    if services.proxy.audience(call.nsid, call.headers) == "*":
        return await _keep(call, call.member, services)
    request = Request(call.nsid, call.query_string, call.headers, data_to_json_text(call.body))
    return answered(await services.proxy.forward(request, call.member, call.agent.credential))


async def _keep(call: Call, reporter: Member, services: Services) -> dict[str, Any]:
    now, body = services.clock.now(), call.body
    subject, reason = body["subject"], body.get("reason", "")
    number = int(now.timestamp() * 1_000_000)
    about = subject.get("uri") or subject.get("did")
    if about is None:
        raise Invalid("Invalid subject")
    kind = body["reasonType"].rpartition("#")[2].removeprefix("reason").lower()
    report = Report(
        Iri(f"{services.settings.origin}/reports/{number}"),
        reporter.webid,
        (about,),
        f"{kind}: {reason}" if reason else kind,
        now,
    )
    await services.reports.add(report)
    told = {"reason": reason} if reason else {}
    return {
        "id": number,
        "reasonType": body["reasonType"],
        **told,
        "subject": data_to_json(subject),
        "reportedBy": reporter.did,
        "createdAt": time_text(now),
    }


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
