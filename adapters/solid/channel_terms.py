"""The words of the notifications protocol: types, features, paths, and how its times are written.

Spec: https://solidproject.org/TR/notifications-protocol#data-model,
https://www.w3.org/TR/xmlschema11-2/#duration
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from pod.errors import Unprocessable
from pod.model.member import Member
from pod.model.resource import ResourcePath

NOTIFY: Final = "http://www.w3.org/ns/solid/notifications#"
CONTEXT: Final = "https://www.w3.org/ns/solid/notification/v1"
CONTEXTS: Final = (CONTEXT, "https://www.w3.org/ns/solid/notifications-context/v1")
WEBSOCKET: Final = "WebSocketChannel2023"
WEBHOOK: Final = "WebhookChannel2023"
STREAMING: Final = "StreamingHTTPChannel2023"
TYPES: Final = (WEBSOCKET, WEBHOOK, STREAMING)
FEATURES: Final = ("accept", "endAt", "rate", "startAt", "state")

ROOT: Final = "/.notifications/"
GATEWAY: Final = f"{ROOT}gateway"
DESCRIPTION: Final = "/.well-known/solid"
STREAM: Final = f"{ROOT}{STREAMING}/of"
"""What stands before the path of a resource whose changes are streamed."""

RECEIVE: Final = "receive"
STREAMS: Final = "http://www.w3.org/ns/solid/terms#updatesViaStreamingHttp2023"

_DURATION: Final = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,6})D)?"
    r"(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII
)


def service(member: Member, kind: str) -> str:
    """The URL of the subscription service for a type of channel."""
    return f"{member.origin}{ROOT}{kind}/"


def channel_url(member: Member, kind: str, ident: str) -> str:
    """The URL of one channel."""
    return service(member, kind) + ident


def receive_from(member: Member, kind: str, secret: str) -> str:
    """The URL where the messages of a channel are received; who knows it may."""
    url = f"{service(member, kind)}{RECEIVE}/{secret}"
    return "ws" + url.removeprefix("http") if kind == WEBSOCKET else url


def sender(member: Member) -> str:
    """Who sends webhooks, as a WebID."""
    return f"{service(member, WEBHOOK)}webId"


def stream_link(member: Member, path: ResourcePath) -> str:
    """The link-value that leads from a resource to the stream of its changes."""
    return f'<{member.url(STREAM + path)}>; rel="{STREAMS}"'


def moment(text: str) -> datetime:
    """An xsd:dateTime, in UTC where it names no zone; raises Unprocessable."""
    try:
        at = datetime.fromisoformat(text if _TIME.fullmatch(text) else "")
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as err:
        raise Unprocessable(f"{text[:50]!r} is not an xsd:dateTime") from err


def moment_text(at: datetime) -> str:
    """A time as xsd:dateTime, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def span(text: str) -> timedelta:
    """An xsd:duration that is not negative, a month being 30 days; raises Unprocessable.

    Small letters are taken too: the channel types' own examples have them.
    """
    match = _DURATION.fullmatch(text.upper())
    if match is None or not any(match.groups()):
        raise Unprocessable(f"{text[:50]!r} is not an xsd:duration")
    years, months, days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return timedelta(
        days=365 * years + 30 * months + days, hours=hours, minutes=minutes, seconds=seconds
    )


def span_text(rate: timedelta) -> str:
    """A duration as xsd:duration."""
    seconds = rate / timedelta(seconds=1)
    return f"PT{seconds:.3f}".rstrip("0").rstrip(".") + "S"
