"""Firehose messages as JSON text, one self-describing object each: ``xrpc.v1.json``.

An experiment after a draft; the type of an event is ``message``, as the streams that speak it have
it.

Spec: https://github.com/bluesky-social/proposals/tree/main/0015-json-event-streams
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from adapters.atproto.firehose.frames import read_error, read_frame
from pod.records.data import Data, data_to_json_text

_TYPE: Final = "com.atproto.sync.subscribeRepos#"


@lru_cache(maxsize=64)
def json_message(frame: bytes) -> str:
    """A binary message as `adapters.atproto.firehose.frames` writes it, as JSON.

    The consumers that are at the live end ask for the same ones one after another.
    """
    error = read_error(frame)
    message: dict[str, Data]
    if error is not None:
        message = {"$type": "error", **error}
    else:
        kind, body = read_frame(frame)
        message = {"$type": "message", "payload": {"$type": _TYPE + kind, **body}}
    return data_to_json_text(message).decode()
