"""DID documents: written for members, read tolerantly from everybody else.

Spec: https://atproto.com/specs/did#did-documents
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pod.errors import Invalid
from pod.keys.curves import Curve, parse_did_key, parse_multibase_key
from pod.model.ids import Did, Handle, parse_handle
from pod.model.member import Member

PDS_TYPE: Final = "AtprotoPersonalDataServer"
_CONTEXT: Final = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1")
_SUITE_CONTEXTS: Final = {
    Curve.K256: "https://w3id.org/security/suites/secp256k1-2019/v1",
    Curve.P256: "https://w3id.org/security/suites/ecdsa-2019/v1",
}
_BARE_POINT_SUITES: Final = {
    "EcdsaSecp256k1VerificationKey2019": Curve.K256,
    "EcdsaSecp256r1VerificationKey2019": Curve.P256,
}


def build_document(
    did: str,
    *,
    also_known_as: list[str],
    verification_methods: Mapping[str, str],
    services: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """A DID document out of what a PLC operation holds; keys are did:key.

    A key of an unknown kind is passed on as it is, without a context of its own.
    """
    context = list(_CONTEXT)
    methods: list[dict[str, str]] = []
    for name, key in verification_methods.items():
        try:
            suite = _SUITE_CONTEXTS[parse_did_key(key).curve]
        except Invalid:
            suite = None
        if suite is not None and suite not in context:
            context.append(suite)
        methods.append(
            {
                "id": f"{did}#{name}",
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": key.removeprefix("did:key:"),
            }
        )
    return {
        "@context": context,
        "id": did,
        "alsoKnownAs": list(also_known_as),
        "verificationMethod": methods,
        "service": [
            {"id": f"#{name}", "type": service["type"], "serviceEndpoint": service["endpoint"]}
            for name, service in services.items()
        ],
    }


def names_of(handle: Handle, webid: str) -> list[str]:
    """What a member is also known as: the handle first, then WebID and actor."""
    return [f"at://{handle}", webid]


def pds_service(endpoint: str) -> dict[str, dict[str, str]]:
    """The one service of a member: this server."""
    return {"atproto_pds": {"type": PDS_TYPE, "endpoint": endpoint}}


def member_document(member: Member, signing_key: str, pds: str) -> dict[str, Any]:
    """The document of a member whose did:web we serve; also the mirror of a did:plc."""
    return build_document(
        member.did,
        also_known_as=names_of(member.handle, member.webid),
        verification_methods={"atproto": signing_key},
        services=pds_service(pds),
    )


@dataclass(frozen=True, slots=True)
class Identity:
    """What a DID document says that matters here; each part is None where it says nothing usable.

    ``handle`` is only claimed until it resolves back to the DID. ``signing_key`` is a did:key.
    """

    did: Did
    handle: Handle | None = None
    signing_key: str | None = None
    pds: str | None = None
    also_known_as: tuple[str, ...] = ()
    services: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)


def read_document(did: Did, document: object) -> Identity:
    """Read a foreign DID document; Invalid only if it is not a document of ``did`` at all."""
    if not isinstance(document, dict) or document.get("id") != did:
        raise Invalid("not the document of this DID")
    names = tuple(n for n in _list(document.get("alsoKnownAs")) if isinstance(n, str))
    services = dict(_entries(did, document.get("service")))
    pds = services.get("atproto_pds", {})
    methods = _entries(did, document.get("verificationMethod"))
    keys = {name: key for name, entry in methods if (key := _did_key(entry)) is not None}
    return Identity(
        did,
        handle=next((h for h in map(_handle, names) if h is not None), None),
        signing_key=keys.get("atproto"),
        pds=_endpoint(pds) if pds.get("type") == PDS_TYPE else None,
        also_known_as=names,
        keys=keys,
        services={n: url for n, e in services.items() if (url := _endpoint(e)) is not None},
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _entries(did: Did, value: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Entries with their fragment, whether their ids are absolute or relative; the first wins."""
    seen: set[str] = set()
    for entry in _list(value):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            continue
        base, _, name = entry["id"].partition("#")
        if name and base in ("", did) and name not in seen:
            seen.add(name)
            yield name, entry


def _handle(name: str) -> Handle | None:
    try:
        return parse_handle(name.removeprefix("at://")) if name.startswith("at://") else None
    except Invalid:
        return None


def _did_key(entry: Mapping[str, Any]) -> str | None:
    text, kind = entry.get("publicKeyMultibase"), entry.get("type")
    if not isinstance(text, str):
        return None
    try:
        return parse_multibase_key(text, _BARE_POINT_SUITES.get(str(kind))).did_key
    except Invalid:
        return None


def _endpoint(entry: Mapping[str, Any]) -> str | None:
    url = entry.get("serviceEndpoint")
    is_web = isinstance(url, str) and url.startswith(("https://", "http://"))
    return str(url).rstrip("/") if is_web else None
