"""App passwords: made here, never chosen, so a plain digest keeps them as well as a slow hash."""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256
from secrets import token_bytes
from typing import Final

from pod.model.ids import Did

_BYTES: Final = 10


def new_app_password() -> str:
    """80 random bits as ``xxxx-xxxx-xxxx-xxxx``."""
    text = b32encode(token_bytes(_BYTES)).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def app_password_digest(did: Did, password: str) -> str:
    """What is kept of an app password."""
    return sha256(f"{did} {password}".encode()).hexdigest()
