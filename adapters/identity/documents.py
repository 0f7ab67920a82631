"""The DID documents that origins carry: the server's own, a member's, and the did:web mirror.

Spec: https://w3c-ccg.github.io/did-method-web/, https://atproto.com/specs/did#did-documents
"""

from __future__ import annotations

from typing import Any, Final

from pod.model.ids import Did, Origin
from pod.model.member import Member

Document = dict[str, Any]
_CONTEXT: Final = "https://www.w3.org/ns/did/v1"
_ATPROTO_KEY: Final = "#atproto"


def did_web(origin: Origin) -> Did:
    """The did:web of an origin; a port is percent-encoded as the method wants."""
    return Did("did:web:" + origin.split("://", 1)[1].replace(":", "%3A"))


def server_document(origin: Origin) -> Document:
    """The server's own DID document: where its services are."""
    return {
        "@context": [_CONTEXT],
        "id": did_web(origin),
        "service": [
            {
                "id": "#atproto_pds",
                "type": "AtprotoPersonalDataServer",
                "serviceEndpoint": origin,
            }
        ],
    }


def member_document(member: Member, account: Document) -> Document:
    """The DID document on a member's origin, made from the document of their account.

    Where the did:web is the account itself it is that document. Else it is a mirror: the same
    keys under another name, the account among ``alsoKnownAs``, and no ATProto key or service, so
    that nobody sees two accounts.
    """
    own = did_web(member.origin)
    if account["id"] == own:
        return account
    names = [member.did, *account.get("alsoKnownAs", ()), member.webid]
    methods = [
        {**method, "id": own + _renamed(method["id"]), "controller": own}
        for method in account.get("verificationMethod", ())
    ]
    return {
        "@context": account.get("@context", [_CONTEXT]),
        "id": own,
        "alsoKnownAs": [name for name in dict.fromkeys(names) if name != own],
        "verificationMethod": methods,
    }


def _renamed(method: str) -> str:
    fragment = "#" + method.rpartition("#")[2]
    return "#repo" if fragment == _ATPROTO_KEY else fragment


def names_of(member: Member) -> dict[str, Any]:
    """All names of a member, and where each can be checked (``/identity.json``)."""
    host = f"{member.origin}/.well-known"
    return {
        "did": member.did,
        "handle": member.handle,
        "acct": f"acct:{member.acct}",
        "actor": member.webid,
        "webid": member.webid,
        "did_web": did_web(member.origin),
        "evidence": {
            "acct": f"{host}/webfinger?resource=acct:{member.acct}",
            "actor": member.webid,
            "webid": member.webid,
            "did_web": f"{host}/did.json",
            "handle": f"https://{member.handle}/.well-known/atproto-did",
        },
    }
