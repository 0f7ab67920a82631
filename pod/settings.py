"""Everything an operator can choose, as one frozen tree that is handed down.

Read once by ``server/environment.py``; units are part of the names, and each setting carries the
sentence that docs/configuration.md shows. Costs that tests want low (hashing, waits) are settings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated as Say
from typing import Final

from pod.model.ids import Did, Origin

PUBLIC_PLC: Final = "https://plc.directory"
"""Where did:plc identities of the whole network are registered."""


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

    record_bytes: Say[int, "Largest record"] = 1_000_000
    document_bytes: Say[int, "Largest document in Solid storage"] = 10_000_000
    blob_bytes: Say[int, "Largest image, film or other file"] = 52_428_800
    quota_bytes: Say[int, "What one member may keep in all"] = 10_000_000_000
    repo_import_bytes: Say[int, "Largest repository that may be imported"] = 1_000_000_000
    blob_grace_s: Say[int, "How long a file may wait for the first record that shows it"] = 3_600
    firehose_window_s: Say[int, "How far back a relay may ask for events"] = 86_400
    firehose_buffer: Say[int, "Events a slow consumer may lag behind"] = 500


@dataclass(frozen=True, slots=True)
class Hashing:
    """Cost of argon2id for passwords."""

    time_cost: Say[int, "argon2id passes over the memory"] = 2
    memory_kib: Say[int, "argon2id memory"] = 19_456
    parallelism: Say[int, "argon2id lanes"] = 1
    workers: Say[int, "Passwords that are hashed at the same time"] = 2


@dataclass(frozen=True, slots=True)
class AppView:
    """A service of the network, such as the one that answers ``app.bsky.*`` reads."""

    url: str
    did: Did


@dataclass(frozen=True, slots=True)
class Egress:
    """How the pod talks to others."""

    fetch_timeout_s: Say[float, "How long another server may take to answer"] = 10.0
    fetch_bytes: Say[int, "Largest answer that is read"] = 1_000_000
    may_reach_private: Say[bool, "Whether local and private addresses may be asked"] = False


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole tree. ``origin`` is the server's own; ``dev`` allows plain http and loopback."""

    origin: Say[Origin, "The server's own address, such as `https://pods.example`"]
    data_dir: Say[Path, "Where everything is kept"]
    host: Say[str, "Address to listen on"] = "127.0.0.1"
    port: Say[int, "Port to listen on"] = 2583
    dev: Say[bool, "Development: plain http, local addresses, every domain believed"] = False
    service_domains: Say[
        tuple[ServiceDomain, ...],
        'Domains that names are given under: `[{"handle_suffix": ".pods.example", '
        '"origin": "https://{name}.pods.example"}]`',
    ] = ()
    open_sign_up: Say[bool, "Whether anybody may create an account, or only who was invited"] = (
        False
    )
    invite_interval_s: Say[int | None, "How often a member may invite somebody; None: never"] = None
    reserved_handles: Say[
        tuple[str, ...], "Names that only the administrator gives out, besides the usual ones"
    ] = ()
    refuses_disposable_email: Say[
        bool, "Whether addresses of known throw-away mail services are refused"
    ] = True
    refused_email_domains: Say[
        tuple[str, ...], "More domains whose addresses are not taken, nor those of their subdomains"
    ] = ()
    recovery_key: Say[str | None, "The operator's own rotation key (did:key) in every did:plc"] = (
        None
    )
    watches_domains: Say[
        bool,
        "Whether members' domains are looked at from here, and nothing is sent to the fediverse "
        "for one that does not lead here with a good certificate; off where this machine cannot "
        "reach its own public address",
    ] = True
    rate_limits: Say[bool, "Whether requests are limited per address"] = True
    plc_url: Say[str, "did:plc directory; empty: the pod runs its own, for trials"] = PUBLIC_PLC
    relays: Say[tuple[str, ...], "Relays that are asked to crawl"] = ()
    appview: Say[AppView | None, 'Who answers `app.bsky.*`: `{"url": ..., "did": ...}`'] = None
    moderation: Say[AppView | None, "Whose moderators may act here, and who gets reports"] = None
    authorized_fetch: Say[
        bool, "Whether other servers must sign their requests for what members show to everybody"
    ] = False
    federation_allow_list: Say[
        bool, "Whether the fediverse is only those servers that a rule allows"
    ] = False
    contact_email: Say[str | None, "Shown to people and peers"] = None
    email_from: Say[str | None, "Sender of the server's letters"] = None
    smtp_url: Say[
        str | None,
        "Mail server: `smtp://user:password@host:587` or `smtps://...`; without one, letters go "
        "to files in `outbox/` in the data folder",
    ] = field(default=None, repr=False)
    admin_password: Say[str | None, "Password of `admin` in HTTP Basic"] = field(
        default=None, repr=False
    )
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
