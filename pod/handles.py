"""Which handles this server gives out, and which it lets members bring.

The rules are those of the network's own servers: labels of 3 to 18 characters under the service
domains, names that would mislead kept back, and no handle under a domain that nobody can own.
"""

from __future__ import annotations

import re
from typing import Final

from pod.errors import Invalid
from pod.model.ids import Handle, Origin, parse_handle
from pod.settings import Settings

MIN_LABEL: Final = 3
MAX_LABEL: Final = 18
RESERVED: Final = frozenset(
    {
        "about",
        "abuse",
        "account",
        "accounts",
        "activitypub",
        "admin",
        "administrator",
        "api",
        "app",
        "apps",
        "at",
        "atp",
        "atproto",
        "auth",
        "billing",
        "blog",
        "bluesky",
        "bot",
        "bots",
        "bsky",
        "cdn",
        "co-op",
        "commonpod",
        "console",
        "coop",
        "dashboard",
        "dev",
        "did",
        "dns",
        "docs",
        "domain",
        "email",
        "fediverse",
        "feed",
        "feeds",
        "ftp",
        "handle",
        "help",
        "home",
        "host",
        "hostmaster",
        "imap",
        "inbox",
        "info",
        "instance",
        "invite",
        "ldap",
        "legal",
        "lex",
        "lexicon",
        "localhost",
        "login",
        "mail",
        "main",
        "me",
        "media",
        "member",
        "members",
        "moderation",
        "mx",
        "news",
        "nodeinfo",
        "noreply",
        "ns",
        "nsid",
        "oauth",
        "oidc",
        "operator",
        "outbox",
        "owner",
        "pds",
        "plc",
        "pod",
        "pods",
        "policy",
        "pop",
        "postmaster",
        "press",
        "privacy",
        "public",
        "relay",
        "repo",
        "root",
        "security",
        "server",
        "service",
        "setup",
        "signin",
        "signup",
        "smtp",
        "solid",
        "ssl",
        "staff",
        "static",
        "status",
        "support",
        "sysadmin",
        "system",
        "team",
        "terms",
        "test",
        "tid",
        "tls",
        "users",
        "webfinger",
        "webid",
        "webmaster",
        "well-known",
        "www",
        "xrpc",
    }
)
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NOWHERE: Final = frozenset({"alt", "arpa", "internal", "invalid", "local", "onion"})
"""Top-level domains of which no handle is, not even in development."""


class HandleRules:
    """The rules of one server."""

    def __init__(self, settings: Settings) -> None:
        self._domains = settings.service_domains
        self._reserved = RESERVED.union(settings.reserved_handles)

    def parse(self, text: str, *, may_be_reserved: bool = False) -> Handle:
        """The handle that somebody wishes for, in lower case; Invalid.

        The error is named ``InvalidHandle``, or ``HandleNotAvailable`` for a reserved name, which
        only an administrator gives out.
        """
        try:
            handle = parse_handle(text)
        except Invalid as err:
            raise Invalid(err.safe_text, name="InvalidHandle") from err
        if handle.rpartition(".")[2] in _NOWHERE:
            raise Invalid("Handle TLD is invalid or disallowed", name="InvalidHandle")
        label = self._label(handle)
        if label is not None:
            _check_label(label)
            if label in self._reserved and not may_be_reserved:
                raise Invalid("Reserved handle", name="HandleNotAvailable")
        return handle

    def is_ours(self, handle: Handle) -> bool:
        """Whether a handle is under a service domain."""
        return self._label(handle) is not None

    def origin_of(self, handle: Handle) -> Origin:
        """The origin that a handle gives its member."""
        for domain in self._domains:
            if handle.endswith(domain.handle_suffix):
                label = handle.removesuffix(domain.handle_suffix)
                return Origin(domain.origin.format(name=label))
        return Origin(f"https://{handle}")

    def guest_origin(self, handle: Handle, number: int) -> Origin:
        """An origin under our own domain for a member whose domain leads elsewhere.

        ``number`` makes it another one, where the one before was taken. Raises Invalid
        (``UnsupportedDomain``) where the server has no domain to give names under.
        """
        if not self._domains:
            raise Invalid("Not a supported handle domain", name="UnsupportedDomain")
        label = handle.partition(".")[0] + (f"-{number}" if number else "")
        return Origin(self._domains[0].origin.format(name=label))

    def _label(self, handle: Handle) -> str | None:
        for domain in self._domains:
            if handle.endswith(domain.handle_suffix):
                return handle.removesuffix(domain.handle_suffix)
        return None


def _check_label(label: str) -> None:
    if "." in label or not _LABEL.fullmatch(label):
        raise Invalid("Invalid characters in handle", name="InvalidHandle")
    if len(label) < MIN_LABEL:
        raise Invalid("Handle too short", name="InvalidHandle")
    if len(label) > MAX_LABEL:
        raise Invalid("Handle too long", name="InvalidHandle")
