"""The two signing curves of ATProto, secp256k1 and P-256, with low-S compact signatures.

Spec: https://atproto.com/specs/cryptography
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, Protocol

from coincurve import PrivateKey as K256PrivateKey
from coincurve import PublicKey as K256PublicKey
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pod.errors import Invalid
from pod.keys import multibase

_ECDSA: Final = ec.ECDSA(SHA256())
_ECDSA_DETERMINISTIC: Final = ec.ECDSA(SHA256(), deterministic_signing=True)


class Curve(Enum):
    """A curve: its multicodec prefix, its JWT ``alg`` and the order of its group."""

    K256 = (
        b"\xe7\x01",
        "ES256K",
        0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141,
    )
    P256 = (
        b"\x80\x24",
        "ES256",
        0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
    )

    def __init__(self, prefix: bytes, jwt_alg: str, order: int) -> None:
        self.prefix = prefix
        self.jwt_alg = jwt_alg
        self.order = order


class _Checks(Protocol):
    def __call__(self, message: bytes, der: bytes, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key; ``point`` is compressed (33 bytes)."""

    curve: Curve
    point: bytes

    @property
    def multibase_key(self) -> str:
        """The Multikey text: ``z`` + base58btc of multicodec prefix and point."""
        return multibase.encode(self.curve.prefix + self.point)

    @property
    def did_key(self) -> str:
        """The key as a ``did:key``."""
        return f"did:key:{self.multibase_key}"

    def verify(self, message: bytes, signature: bytes, *, allow_high_s: bool = False) -> bool:
        """Whether ``signature`` (64 bytes r||s) is this key's over ``message`` (hashed here).

        High-S signatures are refused unless ``allow_high_s``, which JWTs of peers need.
        """
        if len(signature) != 64:
            return False
        order = self.curve.order
        r = int.from_bytes(signature[:32], "big")
        s = int.from_bytes(signature[32:], "big")
        if not (0 < r < order and 0 < s < order):
            return False
        if s > order // 2:
            if not allow_high_s:
                return False
            s = order - s
        return _checker(self)(message, encode_dss_signature(r, s))


@lru_cache(maxsize=4096)
def _checker(key: PublicKey) -> _Checks:
    if key.curve is Curve.K256:
        k256 = K256PublicKey(key.point)
        return lambda message, der: k256.verify(der, message)
    p256 = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key.point)

    def check(message: bytes, der: bytes, /) -> bool:
        try:
            p256.verify(der, message, _ECDSA)
        except InvalidSignature:
            return False
        return True

    return check


def public_key(curve: Curve, point: bytes) -> PublicKey:
    """A key from its point, compressed or not; Invalid if the point is not on the curve."""
    try:
        if curve is Curve.K256:
            return PublicKey(curve, K256PublicKey(point).format(compressed=True))
        p256 = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as err:
        raise Invalid("not a point of the curve") from err
    return PublicKey(curve, p256.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


def parse_multibase_key(text: str, curve: Curve | None = None) -> PublicKey:
    """A key from ``publicKeyMultibase``: a Multikey, or the bare point if ``curve`` is told.

    The bare form belongs to the older ``Ecdsa...VerificationKey2019`` suites. Raises Invalid.
    """
    raw = multibase.decode(text)
    if curve is not None:
        return public_key(curve, raw)
    for known in Curve:
        if raw.startswith(known.prefix) and len(raw) == 35:
            return public_key(known, raw[2:])
    raise Invalid("unsupported key type")


@lru_cache(maxsize=4096)
def parse_did_key(text: str) -> PublicKey:
    """A key from a ``did:key``; Invalid unless it is a well-formed key of one of the curves."""
    if not text.startswith("did:key:"):
        raise Invalid("not a did:key")
    return parse_multibase_key(text[8:])


def verify(did_key: str, message: bytes, signature: bytes, *, allow_high_s: bool = False) -> bool:
    """Whether ``signature`` (64 bytes, low-S) over ``message`` is by ``did_key`` (or Invalid)."""
    return parse_did_key(did_key).verify(message, signature, allow_high_s=allow_high_s)


class SigningKey:
    """A private key of one of the curves; keep the object, loading one costs more than signing."""

    def __init__(self, curve: Curve, secret: bytes) -> None:
        self.secret_bytes: Final = secret
        self._k256: K256PrivateKey | None = None
        self._p256: ec.EllipticCurvePrivateKey | None = None
        try:
            if curve is Curve.K256:
                self._k256 = K256PrivateKey(secret)
                point = self._k256.public_key.format(compressed=True)
            else:
                scalar = int.from_bytes(secret, "big")
                self._p256 = ec.derive_private_key(scalar, ec.SECP256R1())
                point = self._p256.public_key().public_bytes(
                    Encoding.X962, PublicFormat.CompressedPoint
                )
        except ValueError as err:
            raise Invalid("not a private key of the curve") from err
        self.public: Final = PublicKey(curve, point)
        self.did_key: Final = self.public.did_key

    def __repr__(self) -> str:
        return f"SigningKey({self.did_key})"

    @classmethod
    def from_bytes(cls, secret: bytes, curve: Curve = Curve.K256) -> SigningKey:
        """A key from its 32 secret bytes; Invalid if they are no scalar of the curve."""
        if len(secret) != 32:
            raise Invalid("a private key has 32 bytes")
        return cls(curve, secret)

    @classmethod
    def generate_k256(cls) -> SigningKey:
        """A fresh secp256k1 key."""
        return cls(Curve.K256, K256PrivateKey().secret)

    @classmethod
    def generate_p256(cls) -> SigningKey:
        """A fresh P-256 key."""
        numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
        return cls(Curve.P256, numbers.private_value.to_bytes(32, "big"))

    @property
    def multibase_key(self) -> str:
        """The public key as Multikey text."""
        return self.public.multibase_key

    @property
    def jwt_alg(self) -> str:
        """``alg`` of JWTs signed with this key."""
        return self.public.curve.jwt_alg

    def sign(self, message: bytes) -> bytes:
        """Sign the SHA-256 of ``message``: 64 bytes r||s, low-S, deterministic (RFC 6979)."""
        if self._k256 is not None:
            return self._k256.sign_recoverable(message)[:64]
        assert self._p256 is not None
        r, s = decode_dss_signature(self._p256.sign(message, _ECDSA_DETERMINISTIC))
        order = self.public.curve.order
        s = min(s, order - s)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
