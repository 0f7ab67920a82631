"""The life of an account: sign-up, moving in, handle and email, rest and return.

Event order follows the reference: creation is identity, account, commit, sync; activation is
account, identity, sync (https://atproto.com/specs/account, reference page section 2.5).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pod.access.agent import Agent, Credential
from pod.errors import Conflict, Forbidden, Invalid, NotFound
from pod.handles import HandleRules
from pod.keys.curves import SigningKey
from pod.keys.keyring import REPO
from pod.model.change import Change, ChangeKind
from pod.model.ids import Did, Handle, MemberId, Origin
from pod.model.member import AccountFacts, Member, Standing
from pod.ports import AccountBook, Clock, DidMethod, RepoProjection, Store, Tx
from pod.settings import Settings

PASSWORD: Final = "password-hash"  # noqa: S105  the name of a secret, not one
IMPOSED: Final = frozenset({Standing.TAKENDOWN, Standing.SUSPENDED})
"""What only an administrator begins and ends."""

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_MOST_GUESTS: Final = 100

Admit = Callable[[Tx, Member], None]
"""Joins the transaction of a sign-up; what it raises refuses the sign-up."""


@dataclass(frozen=True, slots=True)
class Application:
    """What somebody asks for at sign-up.

    ``did`` is given for a did:web of their own domain, or (``moves_in``) for an account that comes
    from elsewhere, whose owner was proved. ``signing_key`` is one that was reserved for them.
    """

    handle: str
    password_hash: str | None
    email: str | None = None
    recovery_key: str | None = None
    did: Did | None = None
    moves_in: bool = False
    signing_key: SigningKey | None = None


class Accounts:
    """The account service.

    ``controls_domain`` tells whether a domain leads to this server, ``resolves_to`` whether a
    handle of somebody else's domain says that it is a DID's.
    """

    def __init__(
        self,
        store: Store,
        book: AccountBook,
        projection: RepoProjection,
        dids: DidMethod,
        clock: Clock,
        settings: Settings,
        prepare: Callable[[MemberId, SigningKey], None],
        *,
        controls_domain: Callable[[Handle], Awaitable[bool]],
        resolves_to: Callable[[Handle, Did], Awaitable[bool]],
        refuses_mail_of: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._book = book
        self._projection = projection
        self._dids = dids
        self._clock = clock
        self._settings = settings
        self._prepare = prepare
        self._controls_domain = controls_domain
        self._resolves_to = resolves_to
        self._refuses_mail_of = refuses_mail_of
        self._rules = HandleRules(settings)

    async def create(self, application: Application, admit: Admit | None = None) -> Member:
        """Make an account with its keys, empty repository and, unless it exists, its DID.

        Who moves in stays deactivated, and nobody is told, until the DID document leads here.
        Raises Invalid (``InvalidHandle``, ``UnsupportedDomain``), Conflict (``HandleNotAvailable``,
        ``EmailTaken``, ``AlreadyExists``) and PeerUnavailable.
        """
        handle = self._rules.parse(application.handle)
        self._check_names(application, handle)
        origin = await self._origin(application, handle)
        key = application.signing_key or SigningKey.generate_k256()
        did = application.did
        if did is None:
            did = await self._dids.create(
                handle=handle,
                origin=origin,
                signing_key=key.did_key,
                recovery_key=application.recovery_key,
            )
        now, new_did = self._clock.now(), did
        standing = Standing.DEACTIVATED if application.moves_in else Standing.ACTIVE

        def work(tx: Tx) -> Member:
            member = tx.add_member(
                new_did, handle, origin, email=application.email, at=now, standing=standing
            )
            tx.put_secret(member.id, REPO, key.secret_bytes)
            if application.password_hash is not None:
                tx.put_secret(member.id, PASSWORD, application.password_hash.encode())
            self._prepare(member.id, key)
            if admit is not None:
                admit(tx, member)
            if member.is_active:
                self._log(tx, member, "identity", now)
                self._log(tx, member, "account", now)
            self._genesis(tx, member, now)
            if member.is_active:
                self._log(tx, member, "sync", now)
            return member

        member = await self._store.write(work)
        if application.moves_in:
            await self._book.change(member.id, lambda _: AccountFacts(deactivated_at=now))
        return member

    async def set_handle(self, member: Member, wanted: str, *, by_admin: bool = False) -> Member:
        """Change a handle within the member's origin; says so in the DID document first.

        Raises Invalid (``InvalidHandle``), Conflict (``HandleNotAvailable``), PeerUnavailable. The
        same handle again tells the network once more.
        """
        handle = self._rules.parse(wanted, may_be_reserved=by_admin)
        holder = self._store.member_by_handle(handle)
        if holder is not None and holder.id != member.id:
            raise Conflict(f"Handle already taken: {handle}", name="HandleNotAvailable")
        if not self._rules.is_ours(handle) and not await self._is_theirs(handle, member.did):
            raise Invalid("External handle did not resolve to DID")
        await self._dids.set_handle(member, handle)
        now = self._clock.now()

        def work(tx: Tx) -> Member:
            tx.set_handle(member.id, handle)
            changed = _present(tx, member.id)
            self._log(tx, changed, "identity", now)
            return changed

        return await self._store.write(work)

    async def tell_identity(self, member: MemberId) -> None:
        """Tell the network that the DID document of a member was changed."""
        now = self._clock.now()
        await self._store.write(lambda tx: self._log(tx, _present(tx, member), "identity", now))

    async def set_address(self, member: Member, address: str | None) -> Member:
        """Give a member a fediverse address that leads to them, and tell; Conflict, NotFound."""
        now = self._clock.now()

        def work(tx: Tx) -> Member:
            tx.set_address(member.id, address)
            self._log(tx, member, "identity", now)
            return replace(member, address=address)

        return await self._store.write(work)

    async def set_email(self, member: MemberId, email: str) -> None:
        """Give a member another address, not confirmed yet.

        Raises Invalid for an address that is none or is not wanted here, and for a taken one.
        """
        address = self.parse_email(email)
        holder = self._store.member_by_email(address)
        if holder is not None and holder.id != member:
            raise Conflict("This email address is already in use, please use a different email.")
        await self._store.write(lambda tx: tx.set_email(member, address, is_confirmed=False))
        await self._book.change(member, lambda facts: replace(facts, email_confirmed_at=None))

    async def confirm_email(self, member: Member) -> None:
        """Note that a member reads the mail of their address."""
        email, now = member.email, self._clock.now()
        assert email is not None  # nobody confirms what is not there
        await self._store.write(lambda tx: tx.set_email(member.id, email, is_confirmed=True))
        await self._book.change(member.id, lambda facts: replace(facts, email_confirmed_at=now))

    def parse_email(self, text: str) -> str:
        """An address in lower case; Invalid for what is none or is not wanted here."""
        email = text.lower()
        if not _EMAIL.fullmatch(email) or self._refuses_mail_of(email.rpartition("@")[2]):
            raise Invalid("This email address is not supported, please use a different email.")
        return email

    async def set_standing(
        self,
        agent: Agent,
        member: MemberId,
        standing: Standing,
        *,
        delete_after: datetime | None = None,
    ) -> Member:
        """Let an account rest, return, or be taken down; the same standing again tells nobody.

        ``delete_after`` is when an account that rests is to be deleted. Raises Forbidden unless the
        member themselves or an admin asks. Only an admin lifts what an admin imposed; a member
        who asks for rest meanwhile gets it then.
        """
        is_admin = agent.credential in (Credential.ADMIN, Credential.SYSTEM)
        now = self._clock.now()

        def work(tx: Tx) -> Member:
            current = _present(tx, member)
            if not is_admin and agent.member != member:
                raise Forbidden
            if not is_admin and IMPOSED & {standing, current.standing}:
                if standing is Standing.DEACTIVATED:
                    return current
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

        changed = await self._store.write(work)
        rest = {
            Standing.DEACTIVATED: (now, delete_after),
            Standing.ACTIVE: (None, None),
        }.get(standing)
        if rest is not None:
            await self._book.change(
                member,
                lambda facts: replace(facts, deactivated_at=rest[0], delete_after=rest[1]),
            )
        return changed

    def _check_names(self, application: Application, handle: Handle) -> None:
        did = application.did
        if did is not None and not application.moves_in and did != f"did:web:{handle}":
            raise Invalid("A did:web account has the domain of its handle.", name="InvalidDid")
        holder = self._store.member_by_handle(handle)
        if holder is not None and not _returns(holder, did):
            raise Conflict(f"Handle already taken: {handle}", name="HandleNotAvailable")
        if application.email and self._store.member_by_email(application.email):
            raise Conflict(f"Email already taken: {application.email}", name="EmailTaken")
        same = None if did is None else self._store.member_by_did(did)
        if same is not None and not _returns(same, did):
            raise Conflict("Account already exists", name="AlreadyExists")

    async def _origin(self, application: Application, handle: Handle) -> Origin:
        """The origin of a new account: its own domain where that leads here."""
        did = application.did if application.moves_in else None
        if self._rules.is_ours(handle) or await self._controls_domain(handle):
            origin = self._rules.origin_of(handle)
            if not self._is_taken(origin, did):
                return origin
            raise Conflict(f"Handle already taken: {handle}", name="HandleNotAvailable")
        if did is None:
            raise Invalid("Not a supported handle domain", name="UnsupportedDomain")
        if not await self._resolves_to(handle, did):
            raise Invalid("External handle did not resolve to DID")
        for number in range(_MOST_GUESTS):
            origin = self._rules.guest_origin(handle, number)
            if not self._is_taken(origin, did):
                return origin
        raise Conflict("There is no name left.", name="HandleNotAvailable")

    def _is_taken(self, origin: Origin, did: Did | None) -> bool:
        holder = self._store.member_by_origin(origin)
        return holder is not None and not _returns(holder, did)

    async def _is_theirs(self, handle: Handle, did: Did) -> bool:
        return await self._controls_domain(handle) or await self._resolves_to(handle, did)

    def _genesis(self, tx: Tx, member: Member, now: datetime) -> None:
        projected = self._projection.commit(member, None, (), index=lambda: ())
        tx.put_repo(projected.head)
        seq = tx.next_seq()
        # Of a repository that moves in the network is told when it is active, by one sync.
        is_told = member.is_active
        tx.append(
            Change(
                seq=seq,
                member=member.id,
                at=now,
                kind="commit" if is_told else "sync",
                rev=projected.head.rev,
                ops=(),
                frame=projected.frame(seq, now) if is_told else None,
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


def _returns(holder: Member, did: Did | None) -> bool:
    """Whether a name is held by the deleted account of the one who asks for it."""
    return holder.standing is Standing.DELETED and holder.did == did


def _present(tx: Tx, member: MemberId) -> Member:
    found = tx.member(member)
    if found is None:
        raise NotFound("Could not find the account.", name="RepoNotFound")
    return found
