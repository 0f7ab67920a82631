"""HTTP signatures as the fediverse has sent them since 2017: sign a request, read a claim.

Spec: https://datatracker.ietf.org/doc/html/draft-cavage-http-signatures-12
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
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
    decode_signature,
    from_epoch,
)
from pod.errors import Unauthenticated

_PARAM: Final = re.compile(r'([a-zA-Z]{1,20})=(?:"([^"\\\x00-\x1f]{0,4096})"|([0-9]{1,20}))')
_ALGORITHMS: Final[dict[str, Algorithm | None]] = {
    "rsa-sha256": "rsa-sha256",
    "ed25519": "ed25519",
    "hs2019": None,
}


def sign(
    request: Request, *, key_id: str, sign: Callable[[bytes], bytes], now: datetime
) -> dict[str, str]:
    """The headers that sign ``request`` with an RSA key: Host, Date, Digest with a body, Signature.

    ``sign`` gives the RSASSA-PKCS1-v1_5 SHA-256 signature of bytes.
    """
    base, finish = prepare(request, key_id=key_id, now=now)
    return finish(sign(base))


def prepare(request: Request, *, key_id: str, now: datetime) -> Prepared:
    """The two halves of `sign`, between which the signature is made."""
    added = {
        "Host": request.parts.netloc,
        "Date": format_datetime(now.astimezone(UTC), usegmt=True),
    }
    covered = ["(request-target)", "host", "date"]
    if request.body or request.method == "POST":
        added["Digest"] = "SHA-256=" + body_digest(request.body)
        covered.append("digest")
    covered += [name for name in COVERED if request.has(name)]
    signed = Request(request.method, request.url, [*request.headers, *added.items()], request.body)

    def finish(signature: bytes) -> dict[str, str]:
        text = b64encode(signature).decode()
        names = " ".join(covered)
        claim = f'keyId="{key_id}",algorithm="rsa-sha256",headers="{names}",signature="{text}"'
        return {**added, "Signature": claim}

    return _base(signed, covered, {}), finish


def read(request: Request, now: datetime) -> Claim:
    """What the request's Signature header claims, its coverage, time and digest checked.

    Covered must be the target, the host, a time, and the digest of a body. Raises Unauthenticated.
    """
    params = _parameters(request.one("signature"))
    if "keyId" not in params or "signature" not in params:
        raise Unauthenticated("The signature lacks keyId or signature.")
    label = params.get("algorithm", "hs2019").lower()
    if label not in _ALGORITHMS:
        raise Unauthenticated("The signature's algorithm is not supported.")
    covered = params.get("headers", "").split(" ")
    if len(set(covered)) != len(covered) or any(name != name.lower() for name in covered):
        raise Unauthenticated("The signature's header list is malformed.")
    _check_coverage(request, covered)
    _check_time(request, covered, params, label, now)
    if "digest" in covered:
        check_digest(_sha256_of(request.one("digest")), request.body)
    if request.one("host").lower() not in (request.authority, request.parts.netloc.lower()):
        raise Unauthenticated("The signature is for another host.")
    bare = replace(request, url=request.url.partition("?")[0])
    may_lack_query = request.method == "GET" and bool(request.parts.query)
    return Claim(
        key_id=params["keyId"],
        algorithm=_ALGORITHMS[label],
        base=_base(request, covered, params),
        signature=decode_signature(params["signature"]),
        bare_base=_base(bare, covered, params) if may_lack_query else None,
    )


def _parameters(header: str) -> dict[str, str]:
    params: dict[str, str] = {}
    at = 0
    while match := _PARAM.match(header, at):
        name, quoted, number = match.groups()
        if name in params:
            raise Unauthenticated("The signature repeats a parameter.")
        params[name] = quoted if quoted is not None else number
        at = match.end()
        if at == len(header):
            return params
        if not (comma := re.compile(r"[ \t]*,[ \t]*").match(header, at)):
            break
        at = comma.end()
    raise Unauthenticated("The Signature header is malformed.")


def _check_coverage(request: Request, covered: list[str]) -> None:
    needed = {"(request-target)", "host"}
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        needed.add("digest")
    if missing := needed.difference(covered):
        raise Unauthenticated(f"The signature must cover {', '.join(sorted(missing))}.")
    if "date" not in covered and "(created)" not in covered:
        raise Unauthenticated("The signature must cover date or (created).")


def _check_time(
    request: Request, covered: list[str], params: dict[str, str], label: str, now: datetime
) -> None:
    if ("(created)" in covered or "(expires)" in covered) and label != "hs2019":
        raise Unauthenticated("(created) and (expires) go with hs2019 only.")
    expires = from_epoch(_number(params, "expires")) if "expires" in params else None
    if "(created)" in covered:
        check_window(from_epoch(_number(params, "created")), expires, now)
    if "date" in covered:
        try:
            date = parsedate_to_datetime(request.one("date"))
        except (ValueError, TypeError, OverflowError) as err:
            raise Unauthenticated("The date header is malformed.") from err
        check_window(date if date.tzinfo else date.replace(tzinfo=UTC), expires, now)


def _number(params: dict[str, str], name: str) -> int:
    text = params.get(name, "")
    if not text.isascii() or not text.isdecimal():
        raise Unauthenticated(f"The signature's {name} is not a number.")
    return int(text)


def _sha256_of(header: str) -> str:
    found = [
        value
        for name, _, value in (part.strip().partition("=") for part in header.split(","))
        if name.lower() == "sha-256"
    ]
    if len(found) != 1:
        raise Unauthenticated("The digest header needs one SHA-256.")
    return found[0]


def _base(request: Request, covered: list[str], params: dict[str, str]) -> bytes:
    lines = []
    for name in covered:
        if name == "(request-target)":
            value = f"{request.method.lower()} {request.target}"
        elif name in ("(created)", "(expires)"):
            value = str(_number(params, name[1:-1]))
        else:
            value = request.one(name)
        lines.append(f"{name}: {value}")
    return "\n".join(lines).encode()
