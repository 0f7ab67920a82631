"""``commonpod rebuild``: derived rows made anew from the native bytes, while nothing serves."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from pod.errors import Invalid
from pod.model.ids import Cid, MemberId
from pod.model.resource import Resource, Zone, record_key, zone_of
from pod.records.cbor import decode_trusted
from pod.records.cid import raw_cid
from pod.records.data import blobs_in
from pod.records.lens import index
from storage.engine import Database, Transaction
from storage.key_vault import Seal
from storage.rebuild import forget_actors, rebuild_member
from storage.sole import SoleUse
from storage.store import SqlStore, SqlTx

_PAGE: Final = 100
_NO_BYTES: Final = raw_cid(b"")


async def rebuild(data_dir: Path) -> None:
    """Rebuild the indexes of a data folder.

    Raises Invalid if there is no pod, Conflict while it is served.
    """
    path, seal_key = data_dir / "pod.sqlite", data_dir / "seal.key"
    if not path.exists() or not seal_key.exists():
        raise Invalid(f"There is no pod in {data_dir}.")
    with SoleUse(data_dir):
        await _rebuild_all(path, seal_key)


async def _rebuild_all(path: Path, seal_key: Path) -> None:
    seal, database = Seal.open(seal_key), Database(path)
    store, last = SqlStore(database, seal), MemberId(0)
    try:
        await database.write(lambda tx: forget_actors(SqlTx(tx, seal)))
        while page := store.members(after=last, limit=_PAGE):
            for member in page:
                await database.write(partial(_rebuild, seal, member.id))
            last = page[-1].id
    finally:
        await database.close()


def _rebuild(seal: Seal, member: MemberId, transaction: Transaction) -> None:
    rebuild_member(SqlTx(transaction, seal), member, derived)


def derived(resource: Resource) -> tuple[Iterable[Cid], str | None]:
    """The blobs that a resource refers to, and its subject: a record's follows from its bytes."""
    if resource.is_record:
        data = decode_trusted(resource.body)
        subject = resource.subject
        if zone_of(resource.path) is Zone.REPO and isinstance(data, dict):
            subject = index.subject_of(record_key(resource.path)[0], data)
        return dict.fromkeys(ref.cid for ref in blobs_in(data)), subject
    is_binary = not resource.body and resource.cid != _NO_BYTES
    return [resource.cid] if is_binary else [], resource.subject
