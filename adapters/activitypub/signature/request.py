"""An HTTP request as signatures see it, and the claim that a signature makes about it.

Spec: https://www.rfc-editor.org/rfc/rfc9110#section-6 and https://www.rfc-editor.org/rfc/rfc9530
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from pod.errors import Unauthenticated

Algorithm = Literal["rsa-sha256", "ed25519"]

SKEW: Final = timedelta(hours=1)
"""How far a peer's clock may be off, each way (Mastodon's margin)."""

LIFETIME: Final = timedelta(minutes=5)
"""How long a signature lives that names no end."""

MAX_LIFETIME: Final = timedelta(hours=12)
"""The longest life a signature may ask for."""


COVERED: Final = ("content-type", "collection-synchronization")
"""Headers that we sign where they are sent, besides what each scheme always covers."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f]")


@dataclass(frozen=True, slots=True)
class Request:
    """A request: absolute ``url`` as the public names it, header pairs in order, whole body."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""

    @property
    def parts(self) -> SplitResult:
        """The parts of the URL."""
        return urlsplit(self.url)

    @property
    def target(self) -> str:
        """Path and query, as they stand in the request line."""
        parts = self.parts
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def authority(self) -> str:
        """Host and port in lower case, without the scheme's default port."""
        parts = self.parts
        default = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
        netloc = parts.netloc.lower()
        return netloc.removesuffix(default) if default else netloc

    def has(self, name: str) -> bool:
        """Whether a header is there."""
        return any(key.lower() == name for key, _ in self.headers)

    def one(self, name: str) -> str:
        """The value of a header that must be there exactly once; raises Unauthenticated."""
        values = [value for key, value in self.headers if key.lower() == name]
        if len(values) != 1:
            raise Unauthenticated(f"The signature needs exactly one {name} header.")
        value = values[0].strip(" \t")
        if _CONTROL.search(value):
            raise Unauthenticated(f"The {name} header holds control characters.")
        return value


@dataclass(frozen=True, slots=True)
class Claim:
    """What a signature claims: that the key ``key_id`` signed ``base``.

    ``algorithm`` is None where the scheme leaves it to the key. ``bare_base`` is the base of a GET
    without the query of its target, where it has one: some peers sign so.
    """

    key_id: str
    algorithm: Algorithm | None
    base: bytes
    signature: bytes
    bare_base: bytes | None = None


Prepared = tuple[bytes, Callable[[bytes], dict[str, str]]]
"""What is to be signed, and what makes the headers to add of its signature."""


def check_window(created: datetime, expires: datetime | None, now: datetime) -> None:
    """Refuse a signature that is from the future, too old or too long-lived."""
    end = min(expires or created + LIFETIME, created + MAX_LIFETIME)
    if created > now + SKEW:
        raise Unauthenticated("The signature is from the future.")
    if now > end + SKEW:
        raise Unauthenticated("The signature is too old.")


def from_epoch(seconds: int) -> datetime:
    """A signature's Unix time; raises Unauthenticated when no calendar holds it."""
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (OverflowError, ValueError, OSError) as err:
        raise Unauthenticated("The signature's time is out of range.") from err


def decode_signature(text: str) -> bytes:
    """Strict base64; raises Unauthenticated."""
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as err:
        raise Unauthenticated("The signature is not base64.") from err


def body_digest(body: bytes) -> str:
    """Base64 of the body's SHA-256."""
    return b64encode(hashlib.sha256(body).digest()).decode()


def check_digest(claimed: str, body: bytes) -> None:
    """Compare a claimed base64 SHA-256 with the body, strictly; raises Unauthenticated."""
    if not hmac.compare_digest(claimed.encode(), body_digest(body).encode()):
        raise Unauthenticated("The digest does not match the body.")
