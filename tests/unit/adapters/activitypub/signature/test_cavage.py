"""draft-cavage signatures: what we sign others verify, what others sign we read, and no tricks."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
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

from adapters.activitypub.signature import cavage
from adapters.activitypub.signature.request import Request, body_digest
from adapters.activitypub.signature.verify import fits
from pod.errors import Unauthenticated

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "https://alice.example/inbox/"
BODY = b'{"type":"Like"}'
KEY_ID = "https://peer.example/users/bob#main-key"
TYPE = ("Content-Type", "application/activity+json")


def rsa_sign(message: bytes) -> bytes:
    return KEY.sign(message, PKCS1v15(), SHA256())


def post(headers: dict[str, str], *, url: str = URL, body: bytes = BODY) -> Request:
    return Request("POST", url, [TYPE, *headers.items()], body)


def signed(
    *,
    now: datetime = NOW,
    body: bytes = BODY,
    covered: str = "",
    created: int | None = None,
    algorithm: str | None = "rsa-sha256",
    extra: str = "",
    drop: str = "",
) -> dict[str, str]:
    """Headers signed the long way round, with freedom to do it wrongly."""
    covered = covered or "(request-target) host date digest content-type"
    headers = {
        "Host": "alice.example",
        "Date": format_datetime(now, usegmt=True),
        "Digest": "SHA-256=" + body_digest(body),
    }
    values = {
        "(request-target)": "post /inbox/",
        "content-type": TYPE[1],
        "(created)": str(created),
    }
    values |= {name.lower(): value for name, value in headers.items()}
    base = "\n".join(f"{name}: {values[name.lower()]}" for name in covered.split(" "))
    parts = [f'keyId="{KEY_ID}"', f'headers="{covered}"']
    parts += [f'algorithm="{algorithm}"'] if algorithm else []
    parts += [f"created={created}"] if created is not None else []
    parts.append(f'signature="{b64encode(rsa_sign(base.encode())).decode()}"')
    headers["Signature"] = ",".join(parts) + extra
    return {name: value for name, value in headers.items() if name != drop}


def is_good(request: Request, now: datetime = NOW) -> bool:
    return fits(cavage.read(request, now), KEY.public_key())


@given(
    st.binary(min_size=1, max_size=200), st.sampled_from([URL, "http://a.test:8080/x?y=1&z=%20"])
)
def test_what_we_sign_we_accept(body: bytes, url: str) -> None:
    bare = Request("POST", url, [TYPE], body)
    headers = cavage.sign(bare, key_id=KEY_ID, sign=rsa_sign, now=NOW)
    assert is_good(post(headers, url=url, body=body))


def test_a_signed_get_covers_target_host_and_date() -> None:
    bare = Request("GET", URL, [])
    headers = cavage.sign(bare, key_id=KEY_ID, sign=rsa_sign, now=NOW)
    assert 'headers="(request-target) host date"' in headers["Signature"]
    assert is_good(Request("GET", URL, list(headers.items())))


def test_httpsig_verifies_what_we_sign() -> None:
    bare = Request("POST", URL, [TYPE], BODY)
    headers = cavage.sign(bare, key_id=KEY_ID, sign=rsa_sign, now=NOW)
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    authorization = "Signature " + headers["Signature"]
    verifier = HeaderVerifier(
        {**headers, TYPE[0]: TYPE[1], "authorization": authorization},
        pem,
        required_headers=["(request-target)", "host", "date", "digest", "content-type"],
        method="POST",
        path="/inbox/",
        host="alice.example",
    )
    assert verifier.verify()


def test_we_verify_what_httpsig_signs() -> None:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    plain = {
        "Host": "alice.example",
        "Date": format_datetime(NOW, usegmt=True),
        "Digest": "SHA-256=" + body_digest(BODY),
    }
    signer = HeaderSigner(
        KEY_ID,
        pem.decode(),
        algorithm="rsa-sha256",
        headers=["(request-target)", "host", "date", "digest"],
    )
    theirs = signer.sign(plain, method="POST", path="/inbox/")
    headers = plain | {"Signature": theirs["authorization"].removeprefix("Signature ")}
    assert is_good(post(headers))


@pytest.mark.parametrize("algorithm", ["rsa-sha256", "hs2019", None])
def test_the_three_labels_of_rsa_sha256_are_accepted(algorithm: str | None) -> None:
    assert is_good(post(signed(algorithm=algorithm)))


@pytest.mark.parametrize("algorithm", ["rsa-sha1", "hmac-sha256", "none", ""])
def test_other_algorithms_are_refused(algorithm: str) -> None:
    headers = signed()
    headers["Signature"] = headers["Signature"].replace("rsa-sha256", algorithm)
    with pytest.raises(Unauthenticated):
        cavage.read(post(headers), NOW)


def test_a_key_is_never_used_with_the_other_kinds_algorithm() -> None:
    other = Ed25519PrivateKey.generate()
    assert not fits(cavage.read(post(signed()), NOW), other.public_key())
    headers = signed()
    headers["Signature"] = headers["Signature"].replace("rsa-sha256", "ed25519")
    assert not is_good(post(headers))


@pytest.mark.parametrize("missing", ["(request-target)", "host", "date", "digest"])
def test_what_must_be_covered_must_be_covered(missing: str) -> None:
    names = ["(request-target)", "host", "date", "digest", "content-type"]
    headers = signed(covered=" ".join(name for name in names if name != missing))
    with pytest.raises(Unauthenticated):
        cavage.read(post(headers), NOW)


@pytest.mark.parametrize("dropped", ["Host", "Date", "Digest", "Signature"])
def test_a_covered_header_must_be_there(dropped: str) -> None:
    with pytest.raises(Unauthenticated):
        cavage.read(post(signed(drop=dropped)), NOW)


@pytest.mark.parametrize("doubled", ["host", "date", "digest", "content-type", "signature"])
def test_a_covered_header_must_be_there_only_once(doubled: str) -> None:
    request = post(signed())
    twin = next(pair for pair in request.headers if pair[0].lower() == doubled)
    with pytest.raises(Unauthenticated):
        cavage.read(Request("POST", URL, [*request.headers, twin], BODY), NOW)


@pytest.mark.parametrize(
    "covered",
    [
        "(request-target) host date digest host",
        "(request-target) Host date digest",
        "(request-target)  host date digest",
        "",
    ],
)
def test_a_strange_header_list_is_refused(covered: str) -> None:
    headers = signed()
    headers["Signature"] = re.sub(r'headers="[^"]*"', f'headers="{covered}"', headers["Signature"])
    with pytest.raises(Unauthenticated):
        cavage.read(post(headers), NOW)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        cavage.read(post(signed(), body=BODY + b" "), NOW)


def test_a_digest_of_another_kind_alone_is_refused() -> None:
    headers = signed()
    headers["Digest"] = "MD5=abc"
    with pytest.raises(Unauthenticated):
        cavage.read(post(headers), NOW)


@pytest.mark.parametrize(
    ("age", "accepted"),
    [
        (timedelta(minutes=-59), True),
        (timedelta(minutes=-61), False),
        (timedelta(minutes=64), True),
        (timedelta(minutes=66), False),
    ],
)
def test_the_window_is_an_hour_ahead_and_an_hour_and_five_minutes_back(
    age: timedelta, accepted: bool
) -> None:
    request = post(signed(now=NOW - age))
    if accepted:
        assert is_good(request)
    else:
        with pytest.raises(Unauthenticated):
            cavage.read(request, NOW)


def test_created_stands_for_the_date_with_hs2019_only() -> None:
    stamp = int(NOW.timestamp())
    covered = "(request-target) (created) host digest"
    assert is_good(post(signed(covered=covered, created=stamp, algorithm="hs2019")))
    with pytest.raises(Unauthenticated):
        cavage.read(post(signed(covered=covered, created=stamp)), NOW)
    late = signed(covered=covered, created=stamp + 3700, algorithm="hs2019")
    with pytest.raises(Unauthenticated):
        cavage.read(post(late), NOW)


def test_a_get_may_be_signed_without_its_query_and_nothing_else() -> None:
    bare = Request("GET", URL, [])
    headers = list(cavage.sign(bare, key_id=KEY_ID, sign=rsa_sign, now=NOW).items())
    assert is_good(Request("GET", f"{URL}?page=2", headers))
    assert not is_good(Request("GET", f"{URL}x?page=2", headers))


def test_a_signature_for_another_host_or_path_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        cavage.read(post(signed(), url="https://mallory.example/inbox/"), NOW)
    assert not is_good(post(signed(), url="https://alice.example/inbox/?admin=1"))


@pytest.mark.parametrize("extra", [',keyId="https://evil.example/k"', ",", " junk", ',a="\\""'])
def test_a_malformed_signature_header_is_refused(extra: str) -> None:
    with pytest.raises(Unauthenticated):
        cavage.read(post(signed(extra=extra)), NOW)


@pytest.mark.parametrize("value", ["x\r\nhost: evil", "x\ny", "a\x00"])
def test_control_characters_never_reach_the_signed_text(value: str) -> None:
    with pytest.raises(Unauthenticated):
        cavage.sign(
            Request("POST", URL, [("Content-Type", value)], BODY),
            key_id=KEY_ID,
            sign=rsa_sign,
            now=NOW,
        )


@given(st.text(max_size=200))
def test_no_signature_header_breaks_the_reader(header: str) -> None:
    headers = signed() | {"Signature": header}
    with pytest.raises(Unauthenticated):
        cavage.read(post(headers), NOW)
