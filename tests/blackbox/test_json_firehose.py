"""The firehose as JSON on both servers: the same events as the binary one, readable by anybody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cbrrr import decode_multi_dag_cbor_in_violation_of_the_spec
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.kit.process import running
from tests.kit.xrpc_client import XrpcClient

SUBSCRIBE = "/xrpc/com.atproto.sync.subscribeRepos"


@pytest.mark.parametrize("name", ["hypercorn", "uvicorn"])
def test_both_servers_tell_the_same_events_in_both_encodings(tmp_path: Path, name: str) -> None:
    pytest.importorskip(name, reason=f"{name} is not installed: it is an extra")
    with running(tmp_path / "data", options=("--server", name)) as server:
        did = XrpcClient(server.address).join("alice")["did"]
        url = f"ws://127.0.0.1:{server.port}{SUBSCRIBE}"
        asked = [Subprotocol("xrpc.v1.json")]
        with (
            connect(f"{url}?cursor=0") as binary,
            connect(f"{url}?cursor=0", subprotocols=asked) as text,
        ):
            assert (binary.subprotocol, text.subprotocol) == (None, "xrpc.v1.json")
            for _ in range(4):
                frame, message = binary.recv(timeout=5), json.loads(text.recv(timeout=5))
                assert isinstance(frame, bytes)
                head, body = decode_multi_dag_cbor_in_violation_of_the_spec(frame)
                assert isinstance(head, dict)
                assert isinstance(body, dict)
                assert message.keys() == {"$type", "payload"}
                assert message["$type"] == "message"
                payload = message["payload"]
                assert payload.pop("$type") == f"com.atproto.sync.subscribeRepos{head['t']}"
                assert payload.keys() == body.keys()
                assert payload["seq"] == body["seq"]
                assert did in (payload.get("did"), payload.get("repo"))
        with connect(f"{url}?cursor=999", subprotocols=asked) as refused:
            assert json.loads(refused.recv(timeout=5))["error"] == "FutureCursor"
