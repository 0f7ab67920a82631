"""Firehose messages as bytes: header and body of every event, canonical DAG-CBOR set by hand.

Spec: https://atproto.com/specs/event-stream and the lexicon com.atproto.sync.subscribeRepos
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from adapters.atproto.repo.car import car_bytes
from adapters.atproto.repo.drisl import FALSE, NULL, TRUE, head, link, text, uint
from pod.errors import Invalid
from pod.model.change import RecordOp, RepoHead
from pod.model.ids import Cid, Did, Handle, Tid
from pod.model.member import Standing
from pod.records.cbor import decode
from pod.records.data import Data


def _header(kind: str) -> bytes:
    return head(5, 2) + b"\x61t" + text(kind) + b"\x62op\x01"


_COMMIT = _header("#commit") + head(5, 11) + b"\x63ops"
_COMMIT_WITH_PREV_DATA = _header("#commit") + head(5, 12) + b"\x63ops"
_SYNC = _header("#sync") + head(5, 5)
_IDENTITY = _header("#identity") + head(5, 4)
_ACCOUNT = _header("#account")
_INFO = _header("#info") + head(5, 2)
_ERROR_HEADER = head(5, 1) + b"\x62op\x20"
_ERROR = _ERROR_HEADER + head(5, 2)


def time_text(at: datetime) -> str:
    """An instant as events tell it: UTC, milliseconds, ``Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def commit_frame(
    did: Did,
    head_after: RepoHead,
    head_before: RepoHead | None,
    ops: Sequence[RecordOp],
    blocks: bytes,
) -> Callable[[int, datetime], bytes]:
    """A ``#commit`` event but for its sequence number and time; ``blocks`` is the CAR file.

    ``since`` and ``prevData`` come from the head before, None at the birth of a repository.
    """
    parts = [_COMMIT if head_before is None else _COMMIT_WITH_PREV_DATA, head(4, len(ops))]
    parts += [_op(op) for op in ops]
    parts += [b"\x63rev", text(head_after.rev), b"\x63seq"]
    before_seq = b"".join(parts)
    before_time = b"\x64repo" + text(did) + b"\x64time"
    since = NULL if head_before is None else text(head_before.rev)
    parts = [b"\x65blobs\x80\x65since", since, b"\x66blocks", head(2, len(blocks)), blocks]
    parts += [b"\x66commit", link(head_after.commit), b"\x66rebase", FALSE, b"\x66tooBig", FALSE]
    if head_before is not None:
        parts += [b"\x68prevData", link(head_before.data)]
    after_time = b"".join(parts)

    def frame(seq: int, at: datetime) -> bytes:
        return b"".join((before_seq, uint(seq), before_time, text(time_text(at)), after_time))

    return frame


def _op(op: RecordOp) -> bytes:
    prev = b"" if op.prev is None else b"\x64prev" + link(op.prev)
    return b"".join(
        (
            b"\xa4" if prev else b"\xa3",
            b"\x63cid",
            link(op.cid),
            b"\x64path",
            text(op.key),
            prev,
            b"\x66action",
            text(op.action),
        )
    )


def sync_frame(
    did: Did, rev: Tid, commit: Cid, commit_block: bytes, *, seq: int, at: datetime
) -> bytes:
    """A ``#sync`` event: this is the state of the repository, whatever came before."""
    blocks = car_bytes(commit, [(commit, commit_block)])
    parts = [_SYNC, b"\x63did", text(did), b"\x63rev", text(rev), b"\x63seq", uint(seq)]
    parts += [b"\x64time", text(time_text(at)), b"\x66blocks", head(2, len(blocks)), blocks]
    return b"".join(parts)


def identity_frame(did: Did, handle: Handle, *, seq: int, at: datetime) -> bytes:
    """An ``#identity`` event: resolve this account's identity again."""
    parts = [_IDENTITY, b"\x63did", text(did), b"\x63seq", uint(seq)]
    parts += [b"\x64time", text(time_text(at)), b"\x66handle", text(handle)]
    return b"".join(parts)


def account_frame(did: Did, standing: Standing, *, seq: int, at: datetime) -> bytes:
    """An ``#account`` event: whether the account is active here, and if not, why."""
    is_active = standing is Standing.ACTIVE
    parts = [_ACCOUNT, head(5, 4 if is_active else 5), b"\x63did", text(did), b"\x63seq", uint(seq)]
    parts += [b"\x64time", text(time_text(at)), b"\x66active", TRUE if is_active else FALSE]
    if not is_active:
        parts += [b"\x66status", text(standing.value)]
    return b"".join(parts)


def info_frame(name: str, message: str) -> bytes:
    """An ``#info`` message, which has no sequence number."""
    return b"".join((_INFO, b"\x64name", text(name), b"\x67message", text(message)))


def error_frame(name: str, message: str) -> bytes:
    """An error; the stream must be closed after it."""
    return b"".join((_ERROR, b"\x65error", text(name), b"\x67message", text(message)))


def read_frame(frame: bytes) -> tuple[str, dict[str, Data]]:
    """Kind (``commit``, ...) and body of an event as this file writes it; Invalid for all else."""
    for kind in ("commit", "sync", "identity", "account", "info"):
        header = _header(f"#{kind}")
        if frame.startswith(header):
            body = decode(frame[len(header) :])
            if isinstance(body, dict):
                return kind, body
    raise Invalid("not an event")


def read_error(frame: bytes) -> dict[str, Data] | None:
    """The body of an error message, None if it is none."""
    body = decode(frame[len(_ERROR_HEADER) :]) if frame.startswith(_ERROR_HEADER) else None
    return body if isinstance(body, dict) else None
