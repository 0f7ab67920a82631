"""A strict relay: checks a firehose as the severest consumers do, with none of our own codecs.

CBOR by cbrrr, the tree by atmst, signatures by the atproto SDK and a low-S rule of its own.

Spec: https://atproto.com/specs/sync, https://atproto.com/specs/event-stream
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from atproto_crypto.verify import verify_signature

from tests.kit.other_cbor import (
    CID,
    decode_dag_cbor,
    decode_multi_dag_cbor_in_violation_of_the_spec,
)
from tests.kit.other_cbor import encode_dag_cbor as encode
from tests.kit.repo import OtherTree

_TID: Final = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_DIGITS: Final = "234567abcdefghijklmnopqrstuvwxyz"
_HALF_ORDERS: Final = {
    "did:key:zQ3s": 0x7FFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_5D576E73_57A4501D_DFE92F46_681B20A0,
    "did:key:zDna": 0x7FFFFFFF_80000000_7FFFFFFF_FFFFFFFF_DE737D56_D38BCF42_79DCE561_7E3192A8,
}
_STATUSES: Final = {"takendown", "suspended", "deleted", "deactivated"}
_FIELDS: Final[dict[str, tuple[set[str], set[str]]]] = {
    "#commit": (
        {"seq", "rebase", "tooBig", "repo", "commit", "rev", "since", "blocks", "ops", "blobs"}
        | {"time"},
        {"prevData"},
    ),
    "#sync": ({"seq", "did", "blocks", "rev", "time"}, set()),
    "#identity": ({"seq", "did", "time"}, {"handle"}),
    "#account": ({"seq", "did", "time", "active"}, {"status"}),
    "#info": ({"name"}, {"message"}),
}


class Refused(AssertionError):
    """The relay would not take this event."""


def _demand(condition: object, reason: str) -> None:
    if not condition:
        raise Refused(reason)


@dataclass
class RepoState:
    """What the relay knows of one repository."""

    rev: str
    data: bytes
    records: dict[str, bytes] = field(default_factory=dict)


class StrictRelay:
    """Takes frames of one connection, in order; `Refused` on the first that breaks a rule.

    ``key_of`` resolves a DID to its did:key. The relay keeps every record's CID as the events
    tell it, so that at the end `records` can be compared with the host's own view.
    """

    def __init__(self, key_of: Callable[[str], str]) -> None:
        self._key_of = key_of
        self.repos: dict[str, RepoState] = {}
        self.active: dict[str, bool] = {}
        self.seen: list[str] = []
        self._seq = 0

    def take(self, frame: bytes) -> dict[str, Any]:
        """Check one frame and return its body."""
        _demand(len(frame) <= 5_000_000, "frame over 5 MB")
        parts: list[Any] = list(decode_multi_dag_cbor_in_violation_of_the_spec(frame))
        _demand(len(parts) == 2, "a frame is two objects")
        head, body = parts
        _demand(encode(head) + encode(body) == frame, "not canonical")
        _demand(head.get("op") == 1 and head.keys() == {"op", "t"}, "header")
        kind: str = head["t"]
        required, optional = _FIELDS[kind]
        _demand(required <= body.keys() <= required | optional, f"fields of {kind}")
        self.seen.append(kind)
        if kind == "#info":
            return dict(body)
        _demand(self._seq < body["seq"] < 2**53, "seq must rise")
        self._seq = body["seq"]
        _demand(_TIME.fullmatch(body["time"]), "time")
        match kind:
            case "#commit":
                self._commit(body)
            case "#sync":
                self._sync(body)
            case "#account":
                self._account(body)
        return dict(body)

    def _account(self, body: dict[str, Any]) -> None:
        _demand(body["active"] == ("status" not in body), "status exactly if not active")
        _demand(body.get("status", "deleted") in _STATUSES, "status")
        self.active[body["did"]] = body["active"]

    def _sync(self, body: dict[str, Any]) -> None:
        _demand(len(body["blocks"]) <= 10_000, "blocks of a sync over 10 kB")
        root, blocks = _car(body["blocks"])
        _demand(list(blocks) == [root], "a sync holds its commit alone")
        commit = self._signed_commit(root, blocks, body["did"], body["rev"])
        self.repos[body["did"]] = RepoState(body["rev"], bytes(commit["data"]))

    def _commit(self, body: dict[str, Any]) -> None:
        did, ops = body["repo"], body["ops"]
        _demand(self.active.get(did, True), "account not active")
        _demand(body["rebase"] is False and body["tooBig"] is False, "deprecated flags")
        _demand(body["blobs"] == [], "deprecated blobs")
        _demand(0 < len(body["blocks"]) <= 2_000_000, "size of blocks")
        _demand(len(ops) <= 200, "number of ops")
        root, blocks = _car(body["blocks"])
        _demand(bytes(body["commit"]) == root, "commit is the root of the CAR")
        commit = self._signed_commit(root, blocks, did, body["rev"])
        data = bytes(commit["data"])
        state = self.repos.get(did)
        if state is None:
            _demand(body["since"] is None and "prevData" not in body, "first commit of a repo")
            state = RepoState("", OtherTree().root)
        else:
            _demand(body["rev"] > state.rev, "rev must rise")
            _demand(body["since"] == state.rev, "since is the rev before")
            prev_data = body.get("prevData")
            _demand(prev_data and bytes(prev_data) == state.data, "prevData is the data before")
        _demand(len({op["path"] for op in ops}) == len(ops), "one op for a path")
        for op in ops:
            _check_op(op, blocks, state.records)
        self._invert(data, blocks, ops, state.data)
        for op in ops:
            if op["cid"] is None:
                del state.records[op["path"]]
            else:
                state.records[op["path"]] = bytes(op["cid"])
        self.repos[did] = RepoState(body["rev"], data, state.records)

    def _invert(
        self, data: bytes, blocks: dict[bytes, bytes], ops: list[dict[str, Any]], before: bytes
    ) -> None:
        try:
            tree = OtherTree(data, blocks)
            for op in reversed(ops):
                prev = op.get("prev")
                tree.revert([(op["path"], None if prev is None else bytes(prev))])
        except KeyError as err:
            raise Refused("blocks for the inversion are missing") from err
        _demand(tree.root == before, "the inverted tree is not prevData")

    def _signed_commit(
        self, root: bytes, blocks: dict[bytes, bytes], did: str, rev: str
    ) -> dict[str, Any]:
        commit: Any = decode_dag_cbor(blocks[root])
        _demand(commit.keys() == {"did", "version", "data", "rev", "prev", "sig"}, "commit fields")
        _demand(commit["version"] == 3 and commit["prev"] is None, "commit version")
        _demand(commit["did"] == did and commit["rev"] == rev, "did and rev of the commit")
        _demand(_TID.fullmatch(rev), "rev is a TID")
        number = 0
        for digit in rev:
            number = number << 5 | _DIGITS.index(digit)
        limit = datetime.now(UTC) + timedelta(minutes=5)
        _demand((number >> 10) / 1e6 <= limit.timestamp(), "rev is in the future")
        signature = commit.pop("sig")
        key = self._key_of(did)
        low = int.from_bytes(signature[32:], "big") <= _HALF_ORDERS[key[:12]]
        _demand(len(signature) == 64 and low, "signature form")
        _demand(verify_signature(key, encode(commit), signature), "signature")
        return dict(commit)


def _check_op(op: dict[str, Any], blocks: dict[bytes, bytes], records: dict[str, bytes]) -> None:
    path, cid, prev = op["path"], op["cid"], op.get("prev")
    _demand({"action", "path", "cid"} <= op.keys() <= {"action", "path", "cid", "prev"}, "op")
    known = records.get(path)
    match op["action"]:
        case "create":
            _demand(cid is not None and "prev" not in op, "a create has a cid and no prev")
            _demand(known is None, "a create of what is there")
        case "update":
            _demand(cid is not None and prev is not None, "an update has a cid and a prev")
        case "delete":
            _demand(cid is None and prev is not None, "a delete has a prev and no cid")
        case _:
            raise Refused("unknown action")
    if known is not None:
        _demand(bytes(prev) == known, "prev is the state before")
    if cid is not None:
        _demand(bytes(cid) in blocks, "the record of an op is missing")
        record = blocks[bytes(cid)]
        _demand(len(record) <= 1_000_000, "record over 1 MB")
        _demand(isinstance(decode_dag_cbor(record), dict), "a record is an object")


def _car(body: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """Root and blocks of a CAR file, each block hashed."""
    sections, at = [], 0
    while at < len(body):
        length = shift = 0
        while True:
            byte = body[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        sections.append(body[at : at + length])
        at += length
    _demand(at == len(body), "CAR is cut off")
    header: Any = decode_dag_cbor(sections[0])
    _demand(header["version"] == 1 and len(header["roots"]) == 1, "CAR header")
    blocks: dict[bytes, bytes] = {}
    for section in sections[1:]:
        cid, block = section[:36], section[36:]
        _demand(cid == bytes(CID.cidv1_dag_cbor_sha256_32_from(block)), "hash of a block")
        _demand(cid[4:] == sha256(block).digest(), "hash of a block")
        _demand(cid not in blocks, "a block twice")
        blocks[cid] = block
    root = bytes(header["roots"][0])
    _demand(root in blocks, "the root is not in the CAR")
    _demand(next(iter(blocks)) == root, "the commit comes first")
    return root, blocks
