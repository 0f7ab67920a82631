"""Forwards methods of other services, signed in the member's name: AppView, labelers, chat.

Spec: https://atproto.com/specs/xrpc#service-proxying
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from adapters.atproto.did.document import read_document
from adapters.atproto.errors import XrpcError
from adapters.atproto.ports import Answered, Egress, Identities
from adapters.atproto.service_jwt import service_jwt
from pod.access.agent import Credential
from pod.errors import Invalid
from pod.keys.keyring import KeyRing
from pod.model.ids import Did, parse_did
from pod.model.member import Member
from pod.ports import Clock
from pod.settings import AppView

CREATE_REPORT: Final = "com.atproto.moderation.createReport"
MAX_ANSWER: Final = 10 * 1024 * 1024

CHAT_METHODS: Final = frozenset(
    "chat.bsky." + name
    for name in (
        "actor.deleteAccount",
        "actor.exportAccountData",
        "convo.deleteMessageForSelf",
        "convo.getConvo",
        "convo.getConvoForMembers",
        "convo.getLog",
        "convo.getMessages",
        "convo.leaveConvo",
        "convo.listConvos",
        "convo.muteConvo",
        "convo.sendMessage",
        "convo.sendMessageBatch",
        "convo.unmuteConvo",
        "convo.updateRead",
    )
)
_PRIVILEGED: Final = frozenset(
    name.lower() for name in (*CHAT_METHODS, "com.atproto.server.createAccount")
)
_PROTECTED: Final = frozenset(
    "com.atproto." + name.lower()
    for name in (
        "admin.sendEmail",
        "identity.requestPlcOperationSignature",
        "identity.signPlcOperation",
        "identity.updateHandle",
        "server.activateAccount",
        "server.confirmEmail",
        "server.createAppPassword",
        "server.deactivateAccount",
        "server.getAccountInviteCodes",
        "server.getSession",
        "server.listAppPasswords",
        "server.requestAccountDelete",
        "server.requestEmailConfirmation",
        "server.requestEmailUpdate",
        "server.revokeAppPassword",
        "server.updateEmail",
    )
)
_SENT: Final = (
    b"accept-language",
    b"atproto-accept-labelers",
    b"x-bsky-topics",
)
_RETURNED: Final = (
    "content-type",
    "content-language",
    "atproto-repo-rev",
    "atproto-content-labelers",
    "retry-after",
)


def is_protected(nsid: str) -> bool:
    """Whether a method is about the account itself, so that no token for it is given out."""
    return nsid.lower() in _PROTECTED


def is_privileged(nsid: str) -> bool:
    """Whether a method is closed to app passwords without privileges."""
    return nsid.lower() in _PRIVILEGED


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be forwarded; ``body`` is None for a query."""

    nsid: str
    query_string: bytes
    headers: Mapping[bytes, bytes]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the network: whom tokens are for, and where it is."""

    did: Did
    url: str


class Proxy:
    """Forwards requests to the service they name, or to the configured AppView."""

    def __init__(
        self,
        appview: AppView | None,
        identities: Identities,
        egress: Egress,
        keyring: KeyRing,
        clock: Clock,
        *,
        moderation: AppView | None = None,
    ) -> None:
        """``moderation`` gets reports, and what else is a moderator's, unless somebody is named."""
        self._appview = appview
        self._moderation = moderation
        self._identities = identities
        self._egress = egress
        self._keyring = keyring
        self._clock = clock

    async def forward(
        self,
        request: Request,
        member: Member | None,
        credential: Credential,
        *,
        purpose: tuple[Did, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the service's answer; XrpcError if it answers an error.

        ``member`` None forwards without a token. ``purpose`` is the audience and the method of a
        token that the service passes on. Raises Invalid, PeerUnavailable or TooLarge.
        """
        if is_protected(request.nsid):
            raise Invalid("Bad token method", name="InvalidToken")
        if is_privileged(request.nsid) and credential is Credential.APP_PASSWORD:
            raise Invalid("Bad token method", name="InvalidToken")
        service = await self._service(request)
        query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
        url = f"{service.url.rstrip('/')}/xrpc/{request.nsid}{query}"
        purpose = purpose or (service.did, request.nsid)
        headers = self._headers(request, member, purpose)
        if request.body is None:
            answer = await self._egress.get(url, headers, max_bytes=MAX_ANSWER)
        else:
            answer = await self._egress.post(url, request.body, headers, max_bytes=MAX_ANSWER)
        if answer.status >= 400:
            raise _upstream_error(answer)
        kept = {name: answer.headers[name] for name in _RETURNED if name in answer.headers}
        return answer.status, kept, answer.body

    def serves(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether there is a service to ask: one that the request names, or the AppView."""
        return b"atproto-proxy" in headers or self._appview is not None

    def audience(self, nsid: str, headers: Mapping[bytes, bytes]) -> str:
        """The ``did#service`` that a request is for, ``*`` where only the pod itself can answer."""
        named = headers.get(b"atproto-proxy")
        if named is not None:
            return named.decode("latin-1")
        default = self._default(nsid)
        if default is None:
            return "*"
        kind = "bsky_appview" if default is self._appview else "atproto_labeler"
        return f"{default.did}#{kind}"

    async def _service(self, request: Request) -> Service:
        named = request.headers.get(b"atproto-proxy")
        if named is None:
            default = self._default(request.nsid)
            if default is None:
                raise Invalid(f"No service configured for {request.nsid}")
            return Service(default.did, default.url)
        did, fragment = _parse_target(named.decode("latin-1"))
        if self._appview and did == self._appview.did and fragment == "bsky_appview":
            return Service(did, self._appview.url)
        document = await self._identities.did_document(did)
        if document is None:
            raise Invalid("could not resolve proxy did")
        url = read_document(did, document).services.get(fragment)
        if url is None:
            raise Invalid("could not resolve proxy did service url")
        return Service(did, url)

    def _default(self, nsid: str) -> AppView | None:
        is_moderation = nsid.startswith("tools.ozone.") or nsid == CREATE_REPORT
        return self._moderation if is_moderation else self._appview

    def _headers(
        self, request: Request, member: Member | None, purpose: tuple[Did, str]
    ) -> dict[str, str]:
        sent = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in request.headers.items()
            if name in _SENT or name.startswith(b"x-atproto-")
        }
        if request.body is not None and b"content-type" in request.headers:
            sent["content-type"] = request.headers[b"content-type"].decode("latin-1")
        if member is not None:
            token = service_jwt(
                self._keyring.repo_key(member.id),
                issuer=member.did,
                audience=purpose[0],
                now_s=int(self._clock.now().timestamp()),
                lxm=purpose[1],
            )
            sent["authorization"] = f"Bearer {token}"
        return sent


def _parse_target(target: str) -> tuple[Did, str]:
    did, _, fragment = target.partition("#")
    if not did:
        raise Invalid("no did specified in proxy header")
    if not fragment:
        raise Invalid("no service id specified in proxy header")
    if "#" in fragment:
        raise Invalid("invalid proxy header format")
    if " " in target:
        raise Invalid("proxy header cannot contain spaces")
    try:
        return parse_did(did), fragment
    except Invalid as err:
        raise Invalid("could not resolve proxy did") from err


def _upstream_error(answer: Answered) -> XrpcError:
    """The upstream's error under its own name; its crashes are bad gateways to our callers."""
    status = 502 if answer.status == 500 else answer.status
    try:
        told = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        told = None
    fields = told if isinstance(told, dict) else {}
    name, message = fields.get("error"), fields.get("message")
    return XrpcError(
        status,
        name if isinstance(name, str) else "UpstreamFailure",
        message if isinstance(message, str) else "Upstream Failure",
        {name: answer.headers[name] for name in _RETURNED if name in answer.headers},
    )
