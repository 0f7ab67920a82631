"""One-time codes of authenticator apps (RFC 6238): six digits, a new one every thirty seconds."""

from __future__ import annotations

import hmac
import secrets
from base64 import b32encode
from datetime import datetime
from typing import Final
from urllib.parse import quote

STEP_S: Final = 30
DIGITS: Final = 6


def new_secret() -> bytes:
    """A fresh secret of 160 bits, to be shared with the member's authenticator."""
    return secrets.token_bytes(20)


def secret_text(secret: bytes) -> str:
    """A secret as people type it into an authenticator: base32 without padding."""
    return b32encode(secret).decode().rstrip("=")


def otpauth_uri(secret: bytes, *, account: str, issuer: str) -> str:
    """The URI by which authenticators take a secret over."""
    label = quote(f"{issuer}:{account}")
    return f"otpauth://totp/{label}?secret={secret_text(secret)}&issuer={quote(issuer)}"


def matching_step(secret: bytes, code: str, now: datetime) -> int | None:
    """The time step whose code this is: the present one or a neighbour; None for none.

    Whoever accepts a code keeps its step and refuses that one and all before it from then on.
    """
    present = int(now.timestamp()) // STEP_S
    for step in (present, present - 1, present + 1):
        if hmac.compare_digest(_code(secret, step).encode(), code.strip().encode()):
            return step
    return None


def _code(secret: bytes, step: int) -> str:
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"
