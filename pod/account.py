"""The life of an account: sign-up, handle changes, rest and return.

Event order follows the reference: creation is identity, account, commit, sync; activation is
account, identity, sync (https://atproto.com/specs/account, reference page section 2.5).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pod.access.agent import Agent, Credential
from pod.errors import Conflict, Forbidden, Invalid, NotFound
from pod.keys.curves import SigningKey
from pod.keys.keyring import REPO
from pod.model.change import Change, ChangeKind
from pod.model.ids import Did, Handle, MemberId, Origin, parse_handle
from pod.model.member import Member, Standing
from pod.ports import Clock, DidMethod, RepoProjection, Store, Tx
from pod.settings import Settings

PASSWORD: Final = "password-hash"  # noqa: S105  the name of a secret, not one
LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
MIN_LABEL: Final = 3
MAX_LABEL: Final = 18
NOWHERE: Final = frozenset({"alt", "arpa", "internal", "invalid", "local", "onion"})
"""Top-level domains of which no handle is, not even in development."""
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
        "atproto",
        "auth",
        "blog",
        "billing",
        "bot",
        "bots",
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
        "feed",
        "feeds",
        "fediverse",
        "ftp",
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
        "noreply",
        "ns",
        "nodeinfo",
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
        "tls",
        "users",
        "webfinger",
        "webmaster",
        "webid",
        "well-known",
        "www",
        "xrpc",
    }
)


@dataclass(frozen=True, slots=True)
class Application:
    """What somebody asks for at sign-up. ``did`` is given for a did:web of their own domain."""

    handle: str
    password_hash: str | None
    email: str | None = None
    recovery_key: str | None = None
    did: Did | None = None


class Accounts:
    """The account service."""

    def __init__(
        self,
        store: Store,
        projection: RepoProjection,
        dids: DidMethod,
        clock: Clock,
        settings: Settings,
        prepare: Callable[[MemberId, SigningKey], None],
        *,
        controls_domain: Callable[[Handle], Awaitable[bool]],
    ) -> None:
        self._store = store
        self._projection = projection
        self._dids = dids
        self._clock = clock
        self._settings = settings
        self._prepare = prepare
        self._controls_domain = controls_domain

    def origin_of(self, handle: Handle) -> Origin:
        """The origin that a handle gives its member.

        Raises Invalid (``InvalidHandle``) for labels that a service domain does not give out.
        """
        for domain in self._settings.service_domains:
            if not handle.endswith(domain.handle_suffix):
                continue
            label = handle.removesuffix(domain.handle_suffix)
            if "." in label or not LABEL.fullmatch(label):
                raise Invalid("Invalid characters in handle", name="InvalidHandle")
            if len(label) < MIN_LABEL:
                raise Invalid("Handle too short", name="InvalidHandle")
            if len(label) > MAX_LABEL:
                raise Invalid("Handle too long", name="InvalidHandle")
            if label in RESERVED:
                raise Invalid("Reserved handle", name="HandleNotAvailable")
            return Origin(domain.origin.format(name=label))
        return Origin(f"https://{handle}")

    async def create(self, application: Application) -> Member:
        """Make an account with its DID, keys, empty repository and first events.

        Raises Invalid (``InvalidHandle``), Conflict (``HandleNotAvailable``, ``EmailTaken``,
        ``AlreadyExists``), Forbidden (``UnsupportedDomain``) and PeerUnavailable.
        """
        handle = parse_handle(application.handle)
        origin = self.origin_of(handle)
        if self._store.member_by_handle(handle) or self._store.member_by_origin(origin):
            raise Conflict(f"Handle already taken: {handle}", name="HandleNotAvailable")
        if application.email and self._store.member_by_email(application.email):
            raise Conflict(f"Email already taken: {application.email}", name="EmailTaken")
        await self._check_domain(handle)
        key = SigningKey.generate_k256()
        did = application.did
        if did is None:
            did = await self._dids.create(
                handle=handle,
                origin=origin,
                signing_key=key.did_key,
                recovery_key=application.recovery_key,
            )
        elif did != f"did:web:{handle}":
            raise Invalid("A did:web account has the domain of its handle.", name="InvalidDid")
        now = self._clock.now()
        new_did = did

        def work(tx: Tx) -> Member:
            member = tx.add_member(new_did, handle, origin, email=application.email, at=now)
            tx.put_secret(member.id, REPO, key.secret_bytes)
            if application.password_hash is not None:
                tx.put_secret(member.id, PASSWORD, application.password_hash.encode())
            self._prepare(member.id, key)
            self._log(tx, member, "identity", now)
            self._log(tx, member, "account", now)
            self._genesis(tx, member, now)
            self._log(tx, member, "sync", now)
            return member

        return await self._store.write(work)

    async def set_handle(self, member: Member, wanted: str) -> Member:
        """Change a handle within the member's origin; says so in the DID document first.

        Raises Invalid, Conflict (``HandleNotAvailable``), Forbidden, PeerUnavailable.
        """
        handle = parse_handle(wanted)
        holder = self._store.member_by_handle(handle)
        if holder is not None and holder.id != member.id:
            raise Conflict(f"Handle already taken: {handle}", name="HandleNotAvailable")
        if self._is_service_handle(handle):
            self.origin_of(handle)
        await self._check_domain(handle)
        await self._dids.set_handle(member, handle)
        now = self._clock.now()

        def work(tx: Tx) -> Member:
            tx.set_handle(member.id, handle)
            changed = _present(tx, member.id)
            self._log(tx, changed, "identity", now)
            return changed

        return await self._store.write(work)

    async def set_standing(self, agent: Agent, member: MemberId, standing: Standing) -> Member:
        """Let an account rest, return, or be taken down; the same standing again changes nothing.

        Raises Forbidden unless the member themselves or an admin asks; only an admin lifts what an
        admin imposed.
        """
        imposed = {Standing.TAKENDOWN, Standing.SUSPENDED}
        now = self._clock.now()

        def work(tx: Tx) -> Member:
            current = _present(tx, member)
            is_admin = agent.credential in (Credential.ADMIN, Credential.SYSTEM)
            if not is_admin and (agent.member != member or imposed & {standing, current.standing}):
                raise Forbidden
            if current.standing is standing:
                return current
            tx.set_standing(member, standing)
            changed = _present(tx, member)
            self._log(tx, changed, "account", now)
            if changed.is_active:
                self._log(tx, changed, "identity", now)
                self._log(tx, changed, "sync", now)
            return changed

        return await self._store.write(work)

    async def _check_domain(self, handle: Handle) -> None:
        """Invalid or Forbidden for a handle on a domain that cannot be, or is not, the member's."""
        if self._is_service_handle(handle):
            return
        if handle.rpartition(".")[2] in NOWHERE:
            raise Invalid("Handle TLD is invalid or disallowed", name="InvalidHandle")
        if not await self._controls_domain(handle):
            raise Forbidden("The domain does not lead to this server.", name="UnsupportedDomain")

    def _is_service_handle(self, handle: Handle) -> bool:
        return any(handle.endswith(d.handle_suffix) for d in self._settings.service_domains)

    def _genesis(self, tx: Tx, member: Member, now: datetime) -> None:
        projected = self._projection.commit(member, None, (), index=lambda: ())
        tx.put_repo(projected.head)
        seq = tx.next_seq()
        tx.append(
            Change(
                seq=seq,
                member=member.id,
                at=now,
                kind="commit",
                rev=projected.head.rev,
                ops=(),
                frame=projected.frame(seq, now),
            )
        )

    def _log(self, tx: Tx, member: Member, kind: ChangeKind, now: datetime) -> None:
        seq = tx.next_seq()
        rev = None
        if kind == "identity":
            frame = self._projection.identity_frame(member, seq, now)
        elif kind == "account":
            frame = self._projection.account_frame(member, seq, now)
        else:
            head = tx.repo(member.id)
            if head is None:
                raise NotFound("Could not find the repository.", name="RepoNotFound")
            frame, rev = self._projection.sync_frame(member, head, seq, now), head.rev
        tx.append(
            Change(seq=seq, member=member.id, at=now, kind=kind, rev=rev, ops=(), frame=frame)
        )


def _present(tx: Tx, member: MemberId) -> Member:
    found = tx.member(member)
    if found is None:
        raise NotFound("Could not find the account.", name="RepoNotFound")
    return found
