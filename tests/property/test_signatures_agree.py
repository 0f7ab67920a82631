"""Two independent libraries and ours give one verdict on any request, whoever signed it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import http_message_signatures as hms
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from httpsig import HeaderSigner, HeaderVerifier
from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.signature import cavage, rfc9421
from adapters.activitypub.signature.request import Request, body_digest
from adapters.activitypub.signature.verify import fits
from pod.errors import Unauthenticated

KEY = generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
KEY_ID = "https://peer.test/users/bob#main-key"

words = st.text("abcdefghijklmnopqrstuvwxyz0123456789-._~", min_size=1, max_size=8)
paths = st.lists(words, max_size=3).map(lambda parts: "/" + "/".join(parts))
urls = st.builds(
    lambda host, path, query: f"https://{host}.test{path}" + (f"?{query}=1" if query else ""),
    st.text("abcxyz", min_size=1, max_size=5), paths, words | st.just(""),
)  # fmt: skip
requests = st.builds(
    lambda url, body, kind: Request("POST", url, [("Content-Type", kind)], body),
    urls, st.binary(min_size=1, max_size=60), st.sampled_from(["application/activity+json", "a/b"]),
)  # fmt: skip
spoilings = st.sampled_from(["", "", "path", "host", "type", "digest", "signature", "date"])


def sign(message: bytes) -> bytes:
    return KEY.sign(message, PKCS1v15(), SHA256())


def spoiled(request: Request, how: str) -> Request:
    """The request with one thing changed after it was signed."""
    headers = dict(request.headers)
    if how == "path":
        parts = urlsplit(request.url)
        return replace(request, url=parts._replace(path=parts.path + "x").geturl())
    if how == "host":
        host = urlsplit(request.url).netloc
        headers = {k: v if k != "Host" else f"x{v}" for k, v in headers.items()}
        url = request.url.replace(host, f"x{host}", 1)
        return replace(request, url=url, headers=list(headers.items()))
    names = {"type": "Content-Type", "date": "Date"}
    if how in names and names[how] in headers:
        headers[names[how]] = {"type": "x/y", "date": "Tue, 24 Nov 2026 12:00:01 GMT"}[how]
    if how == "digest":
        for name in ("Digest", "Content-Digest"):
            if name in headers:
                headers[name] = headers[name].replace("=", "=A", 1)
    if how == "signature":
        text = headers["Signature"]
        start = re.search(r'(?:signature="|sig1=:)', text).end() + 5  # type: ignore[union-attr]
        other = "A" if text[start] != "A" else "B"
        headers["Signature"] = text[:start] + other + text[start + 1 :]
    return replace(request, headers=list(headers.items()))


def ours(scheme: Any, request: Request, now: datetime) -> bool:
    try:
        return fits(scheme.read(request, now), KEY.public_key())
    except Unauthenticated:
        return False


def httpsig(request: Request) -> bool:
    headers = dict(request.headers)
    parts = urlsplit(request.url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    digest_holds = headers.get("Digest") == "SHA-256=" + body_digest(request.body)
    verifier = HeaderVerifier(
        {**headers, "authorization": "Signature " + headers["Signature"]},
        PUBLIC,
        required_headers=["(request-target)", "host", "date", "digest"],
        method=request.method,
        path=path,
        host=parts.netloc,
    )
    return bool(verifier.verify()) and digest_holds


@given(requests, spoilings)
def test_httpsig_judges_what_we_sign_as_we_do(bare: Request, how: str) -> None:
    now = datetime.now(UTC)
    added = cavage.sign(bare, key_id=KEY_ID, sign=sign, now=now)
    signed = spoiled(replace(bare, headers=[*bare.headers, *added.items()]), how)
    assert ours(cavage, signed, now) == httpsig(signed) == (how == "")


@given(requests, spoilings, st.permutations(["(request-target)", "host", "date", "digest"]))
def test_we_judge_what_httpsig_signs_as_it_does(
    bare: Request, how: str, covered: list[str]
) -> None:
    now = datetime.now(UTC)
    parts = urlsplit(bare.url)
    plain = {
        **dict(bare.headers),
        "Host": parts.netloc,
        "Date": format_datetime(now, usegmt=True),
        "Digest": "SHA-256=" + body_digest(bare.body),
    }
    signer = HeaderSigner(KEY_ID, PRIVATE.decode(), algorithm="rsa-sha256", headers=covered)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    told = signer.sign(plain, method="POST", path=path)["authorization"]
    headers = plain | {"Signature": told.removeprefix("Signature ")}
    signed = spoiled(replace(bare, headers=list(headers.items())), how)
    assert ours(cavage, signed, now) == httpsig(signed) == (how in ("", "type"))


class _Message:
    """A request in the shape that the independent library reads."""

    def __init__(self, request: Request) -> None:
        self.method, self.url = request.method, request.url
        self.headers: dict[str, Any] = dict(request.headers)


class _Keys(hms.HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> object:
        return KEY.public_key()

    def resolve_private_key(self, key_id: str) -> object:
        return KEY


def message_signatures(request: Request) -> bool:
    verifier = hms.HTTPMessageVerifier(
        signature_algorithm=hms.algorithms.RSA_V1_5_SHA256, key_resolver=_Keys()
    )
    told = dict(request.headers).get("Content-Digest")
    digest_holds = told == f"sha-256=:{body_digest(request.body)}:"
    try:
        return len(verifier.verify(_Message(request))) == 1 and digest_holds
    except hms.HTTPMessageSignaturesException:
        return False


@given(requests, spoilings)
def test_http_message_signatures_judges_what_we_sign_as_we_do(bare: Request, how: str) -> None:
    now = datetime.now(UTC)
    added = rfc9421.sign(bare, key_id=KEY_ID, sign=sign, now=now)
    signed = spoiled(replace(bare, headers=[*bare.headers, *added.items()]), how)
    holds = how in ("", "date")
    assert ours(rfc9421, signed, now) == message_signatures(signed) == holds


@given(
    requests,
    spoilings,
    st.sampled_from(
        [("@target-uri",), ("@authority", "@path", "@query"), ("@target-uri", "@path")]
    ),
    st.booleans(),
)
def test_we_judge_what_http_message_signatures_signs_as_it_does(
    bare: Request, how: str, where: tuple[str, ...], covers_type: bool
) -> None:
    now = datetime.now(UTC)
    digest = ("Content-Digest", f"sha-256=:{body_digest(bare.body)}:")
    message = _Message(replace(bare, headers=[*bare.headers, digest]))
    signer = hms.HTTPMessageSigner(
        signature_algorithm=hms.algorithms.RSA_V1_5_SHA256, key_resolver=_Keys()
    )
    kind = ("content-type",) if covers_type else ()
    signer.sign(
        message,
        key_id=KEY_ID,
        created=now,
        label="sig1",
        use_existing_digest=True,
        covered_component_ids=("@method", *where, "content-digest", *kind),
    )
    signed = spoiled(replace(bare, headers=list(message.headers.items())), how)
    holds = how in ("", "date") or (how == "type" and not covers_type)
    assert ours(rfc9421, signed, now) == message_signatures(signed) == holds
