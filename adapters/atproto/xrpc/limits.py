"""Rate limits of single methods, with the numbers of the network's own servers, told in headers.

Spec: https://docs.bsky.app/docs/advanced-guides/rate-limits
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from adapters.atproto.xrpc.call import Call
from adapters.http.throttle import Allowance, Limit, Throttle
from pod.errors import Throttled

MINUTES_5: Final = 300
HOUR: Final = 3_600
DAY: Final = 86_400
_COSTS: Final = {"create": 3, "update": 2, "delete": 1}
_ACTIONS: Final = {
    "com.atproto.repo.createRecord": "create",
    "com.atproto.repo.putRecord": "update",
    "com.atproto.repo.deleteRecord": "delete",
}

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Rule:
    """Limits that a method's calls count against; methods with one ``bucket`` share it."""

    limits: tuple[Limit, ...]
    key: Callable[[Call], str]
    bucket: str = ""
    points: Callable[[Call], int] = lambda _: 1


def _client(call: Call) -> str:
    return call.client


def _member(call: Call) -> str:
    return call.member.did


def _sign_in(call: Call) -> str:
    identifier = str(call.body["identifier"]).lower()[:300]
    return f"{identifier} {call.client}"


def _write_points(call: Call) -> int:
    action = _ACTIONS.get(call.nsid)
    if action is not None:
        return _COSTS[action]
    writes: list[dict[str, Any]] = call.body["writes"]
    return sum(_COSTS.get(str(write.get("$type", "")).rpartition("#")[2], 3) for write in writes)


_WRITE: Final = Rule((Limit(5_000, HOUR), Limit(35_000, DAY)), _member, "write", _write_points)
_LETTER: Final = Rule((Limit(5, HOUR), Limit(15, DAY)), _member)
_RULES: Final = {
    "com.atproto.identity.refreshIdentity": Rule((Limit(100, MINUTES_5),), _client),
    "com.atproto.identity.requestPlcOperationSignature": _LETTER,
    "com.atproto.identity.updateHandle": Rule((Limit(10, MINUTES_5), Limit(50, DAY)), _member),
    "com.atproto.repo.applyWrites": _WRITE,
    "com.atproto.repo.createRecord": _WRITE,
    "com.atproto.repo.deleteRecord": _WRITE,
    "com.atproto.repo.putRecord": _WRITE,
    "com.atproto.repo.uploadBlob": Rule((Limit(1_000, DAY),), _client),
    "com.atproto.server.createAccount": Rule((Limit(100, MINUTES_5),), _client),
    "com.atproto.server.createSession": Rule((Limit(30, MINUTES_5), Limit(300, DAY)), _sign_in),
    "com.atproto.server.deleteAccount": Rule((Limit(50, MINUTES_5),), _client),
    "com.atproto.server.requestAccountDelete": _LETTER,
    "com.atproto.server.requestEmailConfirmation": _LETTER,
    "com.atproto.server.requestEmailUpdate": _LETTER,
    "com.atproto.server.requestPasswordReset": Rule((Limit(15, HOUR), Limit(50, DAY)), _client),
    "com.atproto.server.reserveSigningKey": Rule((Limit(50, MINUTES_5),), _client),
    "com.atproto.server.resetPassword": Rule((Limit(50, MINUTES_5),), _client),
    "com.atproto.sync.getRepo": Rule((Limit(6_000, MINUTES_5),), _client),
}


def spend(throttle: Throttle, call: Call, headers: Headers) -> None:
    """Count a call and add the headers of the tightest of its limits; raises Throttled."""
    rule = _RULES.get(call.nsid)
    if rule is None or not throttle.is_enabled:
        return
    key, points = f"{rule.bucket or call.nsid} {rule.key(call)}", rule.points(call)
    left: list[Allowance] = []
    for limit in rule.limits:
        try:
            left.append(throttle.take(key, limit, points))
        except Throttled as err:
            _tell(headers, Allowance(limit, 0, err.retry_after_s))
            raise
    _tell(headers, min(left, key=lambda allowance: allowance.remaining))


def _tell(headers: Headers, allowance: Allowance) -> None:
    told = allowance.headers(time.time())
    headers += [(name.lower().encode(), value.encode()) for name, value in told.items()]
