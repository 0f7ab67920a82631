"""What an app's token must permit before a method is called; methods not named take none.

Spec: https://atproto.com/specs/permission
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from adapters.atproto.proxy import Proxy
from adapters.atproto.xrpc.call import Call
from pod.errors import Forbidden
from pod.oauth.scope import Account, Blob, Identity, Permission, Rpc

Rule = Callable[[Call, Proxy], tuple[Permission, ...]]

_NOT_FOR_APPS: Final = "OAuth credentials are not supported for this endpoint"
_REACTIVATION: Final = (
    "Account reactivation is not available with OAuth credentials. "
    "Sign in to your account management page to reactivate."
)
_EMAIL_UPDATE: Final = (
    "Use the account manager interface to update email address associated with an account"
)


def rule_of(nsid: str) -> Rule:
    """The rule of a method; what belongs to other services needs ``rpc:``."""
    rule = _RULES.get(nsid)
    if rule is not None:
        return rule
    is_ours = nsid.startswith("com.atproto.") and nsid != "com.atproto.moderation.createReport"
    return _refuse(_NOT_FOR_APPS) if is_ours else rpc


def check_scopes(call: Call, proxy: Proxy) -> None:
    """Pass, or raise Forbidden, for a caller whose token may be too narrow for a method."""
    if call.agent.scopes is not None:
        for permission in rule_of(call.nsid)(call, proxy):
            call.agent.needs(permission)


def rpc(call: Call, proxy: Proxy) -> tuple[Permission, ...]:
    """Calls in the member's name, of the service that the request is for."""
    return (Rpc(frozenset({call.nsid}), proxy.audience(call.nsid, call.headers)),)


def _feed(call: Call, proxy: Proxy) -> tuple[Permission, ...]:
    skeleton = frozenset({"app.bsky.feed.getFeedSkeleton"})
    return (*rpc(call, proxy), Rpc(skeleton, proxy.audience(call.nsid, call.headers)))


def _service_auth(call: Call, _: Proxy) -> tuple[Permission, ...]:
    return (Rpc(frozenset({call.params.get("lxm") or "*"}), call.params["aud"]),)


def _upload(call: Call, _: Proxy) -> tuple[Permission, ...]:
    told = call.header(b"content-type") or ""
    return (Blob(frozenset({told.partition(";")[0].strip().lower()})),)


def _always(_: Call, __: Proxy) -> tuple[Permission, ...]:
    return ()


def _only(*permissions: Permission) -> Rule:
    return lambda _, __: permissions


def _refuse(text: str) -> Rule:
    def refuse(_: Call, __: Proxy) -> tuple[Permission, ...]:
        raise Forbidden(text)

    return refuse


def _manage(attr: str) -> Rule:
    return _only(Account(attr, frozenset({"manage"})))


_WHOLE_IDENTITY: Final = _only(Identity("*"))
_RULES: Final[Mapping[str, Rule]] = {
    "app.bsky.feed.getFeed": _feed,
    "com.atproto.identity.getRecommendedDidCredentials": _always,
    "com.atproto.identity.requestPlcOperationSignature": _WHOLE_IDENTITY,
    "com.atproto.identity.signPlcOperation": _WHOLE_IDENTITY,
    "com.atproto.identity.submitPlcOperation": _WHOLE_IDENTITY,
    "com.atproto.identity.updateHandle": _only(Identity("handle")),
    # Writes are held to repo: scopes where they are applied, record by record.
    "com.atproto.repo.applyWrites": _always,
    "com.atproto.repo.createRecord": _always,
    "com.atproto.repo.deleteRecord": _always,
    "com.atproto.repo.putRecord": _always,
    "com.atproto.repo.importRepo": _manage("repo"),
    "com.atproto.repo.listMissingBlobs": _always,
    "com.atproto.repo.uploadBlob": _upload,
    "com.atproto.server.activateAccount": _refuse(_REACTIVATION),
    "com.atproto.server.checkAccountStatus": _always,
    "com.atproto.server.confirmEmail": _manage("email"),
    "com.atproto.server.deactivateAccount": _manage("status"),
    "com.atproto.server.getServiceAuth": _service_auth,
    "com.atproto.server.getSession": _always,
    "com.atproto.server.requestEmailConfirmation": _manage("email"),
    "com.atproto.server.requestEmailUpdate": _refuse(_EMAIL_UPDATE),
    "com.atproto.server.updateEmail": _refuse(_EMAIL_UPDATE),
    "com.atproto.sync.getBlob": _always,
    "com.atproto.sync.getBlocks": _always,
    "com.atproto.sync.getCheckout": _always,
    "com.atproto.sync.getHead": _always,
    "com.atproto.sync.getLatestCommit": _always,
    "com.atproto.sync.getRecord": _always,
    "com.atproto.sync.getRepo": _always,
    "com.atproto.sync.listBlobs": _always,
}
