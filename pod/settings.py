"""Everything an operator can choose, as one frozen tree that is handed down.

Read once by ``server/environment.py``; units are part of the names. Costs that tests want low
(hashing, waits) are settings too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pod.model.ids import Did, Origin


@dataclass(frozen=True, slots=True)
class ServiceDomain:
    """A domain under which this server gives out names.

    ``handle_suffix`` is what follows the member's label in the handle (``.pods.coop``);
    ``origin`` is the member's origin with ``{name}`` for the label.
    """

    handle_suffix: str
    origin: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes that the pod accepts."""

    record_bytes: int = 1_000_000
    document_bytes: int = 10_000_000
    blob_bytes: int = 52_428_800
    quota_bytes: int = 10_000_000_000
    repo_import_bytes: int = 1_000_000_000
    blob_grace_s: int = 3_600
    firehose_window_s: int = 86_400
    firehose_buffer: int = 500


@dataclass(frozen=True, slots=True)
class Hashing:
    """Cost of argon2id for passwords."""

    time_cost: int = 2
    memory_kib: int = 19_456
    parallelism: int = 1
    workers: int = 2


@dataclass(frozen=True, slots=True)
class AppView:
    """The service that answers ``app.bsky.*`` reads."""

    url: str
    did: Did


@dataclass(frozen=True, slots=True)
class Egress:
    """How the pod talks to others."""

    fetch_timeout_s: float = 10.0
    fetch_bytes: int = 1_000_000
    may_reach_private: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole tree. ``origin`` is the server's own; ``dev`` allows plain http and loopback."""

    origin: Origin
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 2583
    dev: bool = False
    service_domains: tuple[ServiceDomain, ...] = ()
    open_sign_up: bool = False
    rate_limits: bool = True
    plc_url: str | None = None
    relays: tuple[str, ...] = ()
    appview: AppView | None = None
    contact_email: str | None = None
    admin_password: str | None = field(default=None, repr=False)
    limits: Limits = field(default_factory=Limits)
    hashing: Hashing = field(default_factory=Hashing)
    egress: Egress = field(default_factory=Egress)

    @property
    def host_name(self) -> str:
        """Host (and port) of the server's origin."""
        return self.origin.split("://", 1)[1]

    @property
    def did(self) -> Did:
        """The server's own did:web."""
        return Did("did:web:" + self.host_name.replace(":", "%3A"))
