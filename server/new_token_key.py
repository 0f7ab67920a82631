"""``commonpod new-token-key``: a new key for what the server signs, while nothing serves."""

from __future__ import annotations

from pathlib import Path

from pod.errors import Invalid
from pod.keys.keyring import KeyRing
from storage.engine import Database
from storage.key_vault import Seal
from storage.sole import SoleUse
from storage.store import SqlStore


async def new_token_key(data_dir: Path) -> str:
    """Make a new key; its name in the key set, where the one before it stays.

    Raises Invalid if there is no pod, Conflict while it is served.
    """
    path, seal_key = data_dir / "pod.sqlite", data_dir / "seal.key"
    if not path.exists() or not seal_key.exists():
        raise Invalid(f"There is no pod in {data_dir}.")
    with SoleUse(data_dir):
        seal, database = Seal.open(seal_key), Database(path)
        try:
            keyring = KeyRing(SqlStore(database, seal))
            await keyring.open()
            await keyring.rotate_token_key()
            return keyring.token_key().public_jwk["kid"]
        finally:
            await database.close()
