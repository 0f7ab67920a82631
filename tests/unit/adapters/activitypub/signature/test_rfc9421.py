"""HTTP message signatures: the RFC's own example, an independent library, and hostile requests."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import http_message_signatures as hms
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.signature import rfc9421
from adapters.activitypub.signature.request import Claim, Request, body_digest
from adapters.activitypub.signature.structured import InnerList, read_dictionary, write_inner_list
from adapters.activitypub.signature.verify import fits
from pod.errors import Unauthenticated

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp())
URL = "https://alice.example/inbox/?a=b"
BODY = b'{"type":"Like"}'
KEY_ID = "https://peer.example/users/bob#main-key"


def rsa_sign(message: bytes) -> bytes:
    return KEY.sign(message, PKCS1v15(), SHA256())


def claim_of(
    items: str = '"@method" "@target-uri" "content-digest"',
    params: str = f';created={STAMP};keyid="{KEY_ID}";alg="rsa-v1_5-sha256"',
    *,
    body: bytes = BODY,
    url: str = URL,
    more: list[tuple[str, str]] | None = None,
    digest: str | None = None,
) -> Request:
    """A request signed over exactly these components, rightly or wrongly chosen."""
    digest = digest or f"sha-256=:{body_digest(BODY)}:"
    headers = [("Content-Digest", digest), ("Host", "alice.example"), *(more or [])]
    text = f"sig1=({items}){params}"
    claimed = read_dictionary(text)["sig1"]
    assert isinstance(claimed, InnerList)
    unsigned = Request("POST", URL, headers, BODY)
    signature = rsa_sign(rfc9421.signature_base(unsigned, claimed))
    encoded = b64encode(signature).decode()
    signed = [*headers, ("Signature-Input", text), ("Signature", f"sig1=:{encoded}:")]
    return Request("POST", url, signed, body)


def is_good(request: Request, now: datetime = NOW) -> bool:
    return fits(rfc9421.read(request, now), KEY.public_key())


@given(st.binary(max_size=200), st.sampled_from(["GET", "POST"]))
def test_what_we_sign_we_accept(body: bytes, method: str) -> None:
    body = body if method == "POST" else b""
    headers = rfc9421.sign(Request(method, URL, [], body), key_id=KEY_ID, sign=rsa_sign, now=NOW)
    assert is_good(Request(method, URL, list(headers.items()), body))


def test_the_example_b_2_6_of_the_rfc_verifies() -> None:
    key = load_pem_public_key(
        b"-----BEGIN PUBLIC KEY-----\n"
        b"MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n"
        b"-----END PUBLIC KEY-----\n"
    )
    request = Request(
        "POST",
        "https://example.com/foo?param=Value&Pet=dog",
        [
            ("Host", "example.com"),
            ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("Content-Type", "application/json"),
            ("Content-Length", "18"),
        ],
        b'{"hello": "world"}',
    )
    text = (
        'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"'
    )
    claimed = read_dictionary(text)["sig-b26"]
    assert isinstance(claimed, InnerList)
    signature = b64decode(
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    )
    base = rfc9421.signature_base(request, claimed)
    assert fits(Claim("test-key-ed25519", None, base, signature), key)  # type: ignore[arg-type]


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


def test_http_message_signatures_verifies_what_we_sign() -> None:
    now = datetime.now(UTC)
    headers = rfc9421.sign(Request("POST", URL, [], BODY), key_id=KEY_ID, sign=rsa_sign, now=now)
    verifier = hms.HTTPMessageVerifier(
        signature_algorithm=hms.algorithms.RSA_V1_5_SHA256, key_resolver=_Keys()
    )
    results = verifier.verify(_Message(Request("POST", URL, list(headers.items()), BODY)))
    assert len(results) == 1


def test_we_verify_what_http_message_signatures_signs() -> None:
    message = _Message(
        Request("POST", URL, [("Content-Digest", f"sha-256=:{body_digest(BODY)}:")], BODY)
    )
    signer = hms.HTTPMessageSigner(
        signature_algorithm=hms.algorithms.RSA_V1_5_SHA256, key_resolver=_Keys()
    )
    signer.sign(
        message,
        key_id=KEY_ID,
        created=NOW,
        use_existing_digest=True,
        covered_component_ids=("@method", "@target-uri", "@authority", "content-digest"),
    )
    assert is_good(Request("POST", URL, list(message.headers.items()), BODY))


def test_an_ed25519_key_is_accepted_for_its_own_algorithm() -> None:
    key = Ed25519PrivateKey.generate()
    headers = rfc9421.sign(Request("GET", URL, []), key_id=KEY_ID, sign=lambda _: b"", now=NOW)
    text = headers["Signature-Input"].replace("rsa-v1_5-sha256", "ed25519")
    claimed = read_dictionary(text)["sig1"]
    assert isinstance(claimed, InnerList)
    base = rfc9421.signature_base(Request("GET", URL, []), claimed)
    claim = Claim(KEY_ID, "ed25519", base, key.sign(base))
    assert fits(claim, key.public_key())
    assert not fits(claim, KEY.public_key())


@pytest.mark.parametrize(
    "items",
    [
        '"@method" "@target-uri"',
        '"@target-uri" "content-digest"',
        '"@method" "content-digest"',
        '"@method" "@authority" "@path" "content-digest"',
        "",
    ],
)
def test_what_must_be_covered_must_be_covered(items: str) -> None:
    with pytest.raises(Unauthenticated):
        rfc9421.read(claim_of(items), NOW)


@pytest.mark.parametrize(
    "items",
    [
        '"@method" "@authority" "@path" "@query" "content-digest"',
        '"@method" "@authority" "@request-target" "content-digest"',
    ],
)
def test_the_target_may_be_covered_in_parts(items: str) -> None:
    assert is_good(claim_of(items))


@pytest.mark.parametrize(
    "params",
    [
        f";created={STAMP}",
        f';keyid="{KEY_ID}"',
        f';created="{STAMP}";keyid="{KEY_ID}"',
        f';created={STAMP};keyid="{KEY_ID}";alg="hmac-sha256"',
        f';created={STAMP};keyid="{KEY_ID}";alg="rsa-pss-sha512"',
        f';created={STAMP};keyid="{KEY_ID}";expires=?1',
        f';created={STAMP + 3601};keyid="{KEY_ID}"',
        f';created={STAMP - 3901};keyid="{KEY_ID}"',
        f';created={STAMP - 48 * 3600};expires={STAMP + 9};keyid="{KEY_ID}"',
        f';created={STAMP - 8000};expires={STAMP - 3601};keyid="{KEY_ID}"',
        f';created={10**15 - 1};keyid="{KEY_ID}"',
    ],
)
def test_bad_parameters_are_refused(params: str) -> None:
    with pytest.raises(Unauthenticated):
        rfc9421.read(claim_of(params=params), NOW)


def test_a_long_life_is_believed_up_to_twelve_hours() -> None:
    params = f';created={STAMP - 8 * 3600};expires={STAMP + 3600};keyid="{KEY_ID}"'
    assert is_good(claim_of(params=params))
    with pytest.raises(Unauthenticated):
        rfc9421.read(claim_of(params=params), NOW + timedelta(hours=6))


def test_a_changed_body_or_digest_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        rfc9421.read(claim_of(body=b"other"), NOW)
    with pytest.raises(Unauthenticated):
        rfc9421.read(claim_of(digest="sha-512=:AAAA:"), NOW)


def test_another_url_is_refused() -> None:
    assert not is_good(claim_of(url="https://alice.example/inbox/"))


@pytest.mark.parametrize(
    "items",
    [
        '"@method" "@target-uri" "content-digest" "@method"',
        '"@method";req "@target-uri"',
        '"@method" "@target-uri" "content-digest";bs',
        '"@method" "@target-uri" "@query-param";name="a"',
        '"@method" "@target-uri" "Content-Digest"',
        '"@method" "@target-uri" "@status"',
    ],
)
def test_components_in_ways_we_do_not_speak_are_refused(items: str) -> None:
    with pytest.raises(Unauthenticated):
        claim_of(items)


def test_a_second_signature_is_refused() -> None:
    request = claim_of()
    headers = [
        (name, f"{value}, sig2={value.removeprefix('sig1=')}" if "Signature" in name else value)
        for name, value in request.headers
    ]
    with pytest.raises(Unauthenticated):
        rfc9421.read(Request("POST", URL, headers, BODY), NOW)


@pytest.mark.parametrize("name", ["Content-Digest", "Signature-Input", "Signature"])
def test_a_doubled_header_is_refused(name: str) -> None:
    request = claim_of()
    twin = next(pair for pair in request.headers if pair[0] == name)
    with pytest.raises(Unauthenticated):
        rfc9421.read(Request("POST", URL, [*request.headers, twin], BODY), NOW)


@given(st.text(max_size=100), st.text(max_size=100))
def test_no_header_breaks_the_reader(inputs: str, signature: str) -> None:
    headers = [("Signature-Input", inputs), ("Signature", signature)]
    with pytest.raises(Unauthenticated):
        rfc9421.read(Request("GET", URL, headers), NOW)


keys = st.from_regex(r"[a-z*][a-z0-9_\-.*]{0,10}", fullmatch=True)
strings = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
bares = strings | st.integers(-(10**15) + 1, 10**15 - 1) | st.booleans() | st.binary(max_size=12)
params = st.dictionaries(keys, bares, max_size=3)


@given(st.lists(st.tuples(strings, params), max_size=4), params)
def test_an_inner_list_reads_back_as_written(
    items: list[tuple[str, dict[str, Any]]], own: dict[str, Any]
) -> None:
    value = InnerList(tuple(items), own)
    assert read_dictionary(f"k={write_inner_list(value)}") == {"k": value}
