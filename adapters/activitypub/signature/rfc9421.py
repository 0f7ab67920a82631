"""HTTP Message Signatures: sign a request, read a claim.

Spec: https://www.rfc-editor.org/rfc/rfc9421
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from adapters.activitypub.signature.request import (
    COVERED,
    Algorithm,
    Claim,
    Prepared,
    Request,
    body_digest,
    check_digest,
    check_window,
    from_epoch,
)
from adapters.activitypub.signature.structured import (
    Bare,
    InnerList,
    read_dictionary,
    write_bare,
    write_inner_list,
)
from pod.errors import Unauthenticated

_ALGORITHMS: Final[dict[str, Algorithm]] = {
    "rsa-v1_5-sha256": "rsa-sha256",
    "ed25519": "ed25519",
}


def sign(
    request: Request, *, key_id: str, sign: Callable[[bytes], bytes], now: datetime
) -> dict[str, str]:
    """The headers that sign ``request`` with an RSA key; ``sign`` as in the older scheme."""
    base, finish = prepare(request, key_id=key_id, now=now)
    return finish(sign(base))


def prepare(request: Request, *, key_id: str, now: datetime) -> Prepared:
    """The two halves of `sign`, between which the signature is made."""
    added: dict[str, str] = {}
    covered = ["@method", "@target-uri"]
    if request.body or request.method == "POST":
        added["Content-Digest"] = f"sha-256=:{body_digest(request.body)}:"
        covered.append("content-digest")
    covered += [name for name in COVERED if request.has(name)]
    params: dict[str, Bare] = {
        "created": int(now.timestamp()),
        "keyid": key_id,
        "alg": "rsa-v1_5-sha256",
    }
    claimed = InnerList(tuple((name, {}) for name in covered), params)
    signed = Request(request.method, request.url, [*request.headers, *added.items()], request.body)
    added["Signature-Input"] = f"sig1={write_inner_list(claimed)}"

    def finish(signature: bytes) -> dict[str, str]:
        return {**added, "Signature": f"sig1={write_bare(signature)}"}

    return signature_base(signed, claimed), finish


def read(request: Request, now: datetime) -> Claim:
    """What the request's one message signature claims, its coverage, time and digest checked.

    Covered must be the method, the whole target, and the digest of a body. Raises Unauthenticated.
    """
    inputs = read_dictionary(request.one("signature-input"))
    signatures = read_dictionary(request.one("signature"))
    if len(inputs) != 1 or inputs.keys() != signatures.keys():
        raise Unauthenticated("Exactly one signature is expected.")
    (claimed,), (signature,) = inputs.values(), signatures.values()
    if not isinstance(claimed, InnerList) or not isinstance(signature, bytes):
        raise Unauthenticated("The signature is malformed.")
    key_id, created = claimed.params.get("keyid"), claimed.params.get("created")
    expires, label = claimed.params.get("expires"), claimed.params.get("alg")
    if not isinstance(key_id, str) or not _is_int(created):
        raise Unauthenticated("The signature needs keyid and created.")
    if expires is not None and not _is_int(expires):
        raise Unauthenticated("The signature's expires is malformed.")
    if label is not None and (not isinstance(label, str) or label not in _ALGORITHMS):
        raise Unauthenticated("The signature's algorithm is not supported.")
    check_window(from_epoch(_int(created)), from_epoch(_int(expires)) if expires else None, now)
    _check_coverage(request, claimed)
    return Claim(
        key_id=key_id,
        algorithm=_ALGORITHMS[label] if isinstance(label, str) else None,
        base=signature_base(request, claimed),
        signature=signature,
    )


def signature_base(request: Request, claimed: InnerList) -> bytes:
    """The bytes that are signed (section 2.5); Unauthenticated for components we do not speak."""
    lines: list[str] = []
    seen: set[str] = set()
    for name, params in claimed.items:
        if params or name in seen:
            raise Unauthenticated("The signature covers a component in a way we do not support.")
        seen.add(name)
        lines.append(f"{write_bare(name)}: {_component(request, name)}")
    lines.append(f'"@signature-params": {write_inner_list(claimed)}')
    return "\n".join(lines).encode()


def _component(request: Request, name: str) -> str:
    parts = request.parts
    match name:
        case "@method":
            return request.method.upper()
        case "@target-uri":
            return request.url
        case "@authority":
            return request.authority
        case "@scheme":
            return parts.scheme
        case "@request-target":
            return request.target
        case "@path":
            return parts.path or "/"
        case "@query":
            return f"?{parts.query}"
        case _ if name.startswith("@") or name != name.lower():
            raise Unauthenticated("The signature covers an unknown component.")
        case _:
            return request.one(name)


def _check_coverage(request: Request, claimed: InnerList) -> None:
    covered = {name for name, _ in claimed.items}
    whole = (
        "@target-uri" in covered
        or {"@authority", "@request-target"} <= covered
        or ({"@authority", "@path"} <= covered and (not request.parts.query or "@query" in covered))
    )
    if "@method" not in covered or not whole:
        raise Unauthenticated("The signature must cover @method and @target-uri.")
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        if "content-digest" not in covered:
            raise Unauthenticated("The signature must cover content-digest.")
        claimed_digest = read_dictionary(request.one("content-digest")).get("sha-256")
        if not isinstance(claimed_digest, bytes):
            raise Unauthenticated("The content-digest needs a sha-256.")
        check_digest(write_bare(claimed_digest).strip(":"), request.body)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise Unauthenticated("The signature's time is malformed.")
    return value
