"""Flag: what people elsewhere complain of, kept for the administrator.

Spec: https://docs.joinmastodon.org/spec/activitypub/#Flag
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import html
from adapters.activitypub.receive.activity import Activity
from adapters.activitypub.wing import Wing
from adapters.http.throttle import Limit
from pod.model.moderation import Report

MAX_COMMENT: Final = 5_000

PER_SERVER: Final = Limit(60, 3_600)
"""Reports of one server in an hour."""


async def on_flag(wing: Wing, activity: Activity) -> None:
    """Keep a report that names members or their posts, unless its server's are not wanted.

    Raises Throttled where a server reports too much.
    """
    named = tuple(iri for iri in read.iris(activity.node, "object") if wing.is_local(iri))
    if not named or not wing.federation.takes_reports(activity.actor):
        return
    wing.throttle.take(f"reports {urlsplit(activity.actor).netloc.lower()}", PER_SERVER)
    comment = html.plain(read.text(activity.node, "content") or "")[:MAX_COMMENT]
    report = Report(activity.id, activity.actor, named, comment, activity.at)
    await wing.reports.add(report)
