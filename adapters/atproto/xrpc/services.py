"""What the XRPC methods work with: the core's services and the wing's ports, handed in once.

Spec: https://atproto.com/specs/xrpc
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.atproto.crawl import Crawl
from adapters.atproto.did.client import Directory
from adapters.atproto.firehose.consumers import Consumers
from adapters.atproto.ports import (
    Egress,
    Grants,
    Identities,
    Invites,
    Passwords,
    Preferences,
    Reports,
)
from adapters.atproto.project import MemoryProjection
from adapters.atproto.proxy import Proxy
from adapters.atproto.session_tokens import SessionTokens
from adapters.http.throttle import Throttle
from pod.account import Accounts
from pod.confirm import Confirmations, Mailbox
from pod.farewell import Farewell
from pod.keys.keyring import KeyRing
from pod.media import Media
from pod.moderate import Moderation
from pod.oauth.server import AuthorizationServer
from pod.ports import AccountBook, Clock, Reader, Store
from pod.read import Read
from pod.second_factor import SecondFactor
from pod.settings import Settings
from pod.transfer import Transfer
from pod.write import Write


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a handler may call. ``version`` is the server's own, as health checks see it.

    ``shown`` is the store without the records that were taken down.
    """

    settings: Settings
    version: str
    clock: Clock
    store: Store
    shown: Reader
    read: Read
    write: Write
    media: Media
    transfer: Transfer
    accounts: Accounts
    keyring: KeyRing
    repos: MemoryProjection
    tokens: SessionTokens
    grants: Grants
    passwords: Passwords
    preferences: Preferences
    identities: Identities
    proxy: Proxy
    crawl: Crawl
    consumers: Consumers
    oauth: AuthorizationServer
    factor: SecondFactor
    book: AccountBook
    confirmations: Confirmations
    mailbox: Mailbox
    invites: Invites
    moderation: Moderation
    reports: Reports
    farewell: Farewell
    directory: Directory
    egress: Egress
    throttle: Throttle
