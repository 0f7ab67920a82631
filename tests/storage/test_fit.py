"""Both stores fit the ports of the core; the type checker reads this, running it proves imports."""

from __future__ import annotations

from pod.ports import Reader, Store, Tx
from storage.in_memory import MemoryReader, MemoryStore, MemoryTx
from storage.store import SqlReader, SqlStore, SqlTx


def stores(sql: SqlStore, memory: MemoryStore) -> list[Store]:
    return [sql, memory]


def transactions(sql: SqlTx, memory: MemoryTx) -> list[Tx]:
    return [sql, memory]


def readers(sql: SqlReader, memory: MemoryReader) -> list[Reader]:
    return [sql, memory]


def test_the_stores_have_every_method_of_the_ports() -> None:
    for port, fits in [
        (Store, (SqlStore, MemoryStore)),
        (Tx, (SqlTx, MemoryTx)),
        (Reader, (SqlReader, MemoryReader)),
    ]:
        wanted = {name for name in dir(port) if not name.startswith("_")}
        for fit in fits:
            assert wanted <= set(dir(fit))
