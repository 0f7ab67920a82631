"""The memory of the development PLC directory: a row of the vault for each DID."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import orjson

from adapters.atproto.face import Entry
from pod.model.ids import Did
from pod.ports import Store, Tx


class VaultLog:
    """An `OperationLog` kept in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def entries(self, did: Did) -> list[Entry]:
        """All entries of a DID, oldest first, nullified ones included."""
        return _read(self._store.secret(None, _purpose(did)))

    async def add(self, did: Did, entry: Entry, nullified: Collection[str]) -> bool:
        """Append durably and mark; False if another entry with the same ``prev`` came first."""

        def work(tx: Tx) -> bool:
            kept = _read(tx.secret(None, _purpose(did)))
            prev = entry.operation["prev"]
            in_force = [e for e in kept if not e.nullified and e.cid not in nullified]
            if any(e.operation["prev"] == prev for e in in_force):
                return False
            marked = [
                Entry(e.operation, e.cid, e.created_at, e.nullified or e.cid in nullified)
                for e in kept
            ]
            tx.put_secret(None, _purpose(did), _write([*marked, entry]))
            return True

        return await self._store.write(work)


def _purpose(did: Did) -> str:
    return f"plc-log {did}"


def _read(stored: bytes | None) -> list[Entry]:
    rows: list[dict[str, Any]] = orjson.loads(stored) if stored is not None else []
    return [
        Entry(
            row["operation"],
            row["cid"],
            datetime.fromisoformat(row["created_at"]),
            row["nullified"],
        )
        for row in rows
    ]


def _write(entries: list[Entry]) -> bytes:
    return orjson.dumps(
        [
            {
                "operation": entry.operation,
                "cid": entry.cid,
                "created_at": entry.created_at,
                "nullified": entry.nullified,
            }
            for entry in entries
        ]
    )
