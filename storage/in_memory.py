"""The store in memory: the double that tests of the core use, held to the suite of the real one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from pod.errors import Conflict, NotFound
from pod.model.change import Change, RepoHead
from pod.model.ids import Cid, Did, Handle, MemberId, Origin, Tid
from pod.model.member import Member, Standing
from pod.model.resource import Complement, Resource, ResourcePath, Tombstone
from pod.ports import BlobRow, Tx
from storage.members import TAKEN
from storage.resources import PUBLIC

T = TypeVar("T")
Listener = Callable[[Sequence[Change]], None]
_Key = tuple[MemberId, str]


@dataclass(slots=True)
class _State:
    """All that is stored."""

    members: dict[MemberId, Member] = field(default_factory=dict)
    secrets: dict[tuple[MemberId | None, str], bytes] = field(default_factory=dict)
    repos: dict[MemberId, RepoHead] = field(default_factory=dict)
    resources: dict[_Key, Resource] = field(default_factory=dict)
    tombstones: dict[_Key, Tombstone] = field(default_factory=dict)
    log: list[Change] = field(default_factory=list)
    blobs: dict[tuple[MemberId, Cid], BlobRow] = field(default_factory=dict)
    refs: dict[_Key, frozenset[Cid]] = field(default_factory=dict)

    def copy(self) -> _State:
        """A state that can be changed without changing this one."""
        return _State(
            dict(self.members),
            dict(self.secrets),
            dict(self.repos),
            dict(self.resources),
            dict(self.tombstones),
            list(self.log),
            dict(self.blobs),
            dict(self.refs),
        )


class MemoryReader:
    """Every read of `pod.ports.Reader` over one state."""

    def __init__(self, state: _State) -> None:
        self._state = state

    def member(self, member: MemberId) -> Member | None:
        return self._state.members.get(member)

    def member_by_did(self, did: Did) -> Member | None:
        return self._member_by("did", did)

    def member_by_handle(self, handle: Handle) -> Member | None:
        return self._member_by("handle", handle)

    def member_by_origin(self, origin: Origin) -> Member | None:
        return self._member_by("origin", origin)

    def member_by_email(self, email: str) -> Member | None:
        return self._member_by("email", email)

    def members(self, *, after: MemberId, limit: int) -> list[Member]:
        return [m for key, m in sorted(self._state.members.items()) if key > after][:limit]

    def secret(self, member: MemberId | None, purpose: str) -> bytes | None:
        return self._state.secrets.get((member, purpose))

    def repo(self, member: MemberId) -> RepoHead | None:
        return self._state.repos.get(member)

    def resource(self, member: MemberId, path: ResourcePath) -> Resource | None:
        return self._state.resources.get((member, path))

    def resources(
        self, member: MemberId, prefix: str, *, after: str | None, limit: int, reverse: bool = False
    ) -> list[Resource]:
        found = self._below(member, prefix)
        if after is not None:
            found = [r for r in found if (r.path < after if reverse else r.path > after)]
        return (found[::-1] if reverse else found)[:limit]

    def containers(self, member: MemberId, prefix: str) -> list[str]:
        rests = (r.path[len(prefix) :] for r in self._below(member, prefix))
        return sorted({rest.split("/", 1)[0] + "/" for rest in rests if "/" in rest})

    def record_index(self, member: MemberId) -> Iterator[tuple[str, Cid]]:
        return iter([(r.path[len(PUBLIC) :], r.cid) for r in self._records(member)])

    def records(
        self, member: MemberId, prefix: str, *, after: str | None, limit: int, reverse: bool = False
    ) -> list[tuple[str, Cid, bytes]]:
        found = [(r.path[len(PUBLIC) :], r.cid, r.body) for r in self._records(member)]
        found = [item for item in found if item[0].startswith(prefix)]
        if after is not None:
            found = [item for item in found if (item[0] < after if reverse else item[0] > after)]
        return (found[::-1] if reverse else found)[:limit]

    def record_blocks(self, member: MemberId, cids: Sequence[Cid]) -> dict[Cid, bytes]:
        return {r.cid: r.body for r in self._records(member) if r.cid in cids}

    def about(self, member: MemberId, prefix: str, subject: str) -> list[ResourcePath]:
        return [r.path for r in self._below(member, prefix) if r.subject == subject]

    def all_about(
        self, prefix: str, subject: str, *, limit: int
    ) -> list[tuple[MemberId, ResourcePath]]:
        found = (
            (member, path) for member in sorted(self._state.members)
            for path in self.about(member, prefix, subject)
        )  # fmt: skip
        return list(islice(found, limit))

    def count_records(self, member: MemberId) -> int:
        return len(self._records(member))

    def tombstone(self, member: MemberId, path: ResourcePath) -> Tombstone | None:
        return self._state.tombstones.get((member, path))

    def buried(
        self, member: MemberId, first: ResourcePath, last: ResourcePath
    ) -> dict[ResourcePath, int]:
        tombstones = self._state.tombstones.items()
        return {
            stone.path: stone.generation
            for key, stone in tombstones
            if key[0] == member and first <= key[1] <= last
        }

    def changes(self, *, after: int, limit: int, member: MemberId | None = None) -> list[Change]:
        found = (c for c in self._state.log if c.seq > after and member in (None, c.member))
        return list(found)[:limit]

    def seq_at(self, member: MemberId, rev: Tid) -> int | None:
        log = (c for c in self._state.log if c.member == member)
        return max((c.seq for c in log if c.rev is not None and c.rev <= rev), default=None)

    def recent_changes(self, member: MemberId, *, limit: int) -> list[Change]:
        found = [replace(c, frame=None) for c in self._state.log if c.member == member]
        return found[::-1][:limit]

    def frames(self, *, after: int, limit: int) -> list[tuple[int, bytes]]:
        log = self._state.log
        return [(c.seq, c.frame) for c in log if c.seq > after and c.frame is not None][:limit]

    def head_seq(self) -> int:
        return self._state.log[-1].seq if self._state.log else 0

    def oldest_frame(self) -> tuple[int, datetime] | None:
        return next(((c.seq, c.at) for c in self._state.log if c.frame is not None), None)

    def blob(self, member: MemberId, cid: Cid) -> BlobRow | None:
        return self._state.blobs.get((member, cid))

    def blob_paths(self, member: MemberId, cid: Cid) -> list[ResourcePath]:
        refs = sorted(self._state.refs.items())
        return [ResourcePath(key[1]) for key, blobs in refs if key[0] == member and cid in blobs]

    def repo_blobs(
        self, member: MemberId, *, since: Tid | None, after: Cid | None, limit: int
    ) -> list[Cid]:
        found: set[Cid] = set()
        for (owner, path), blobs in self._state.refs.items():
            if owner == member and path.startswith(PUBLIC):
                resource = self.resource(member, ResourcePath(path))
                if since is None or (resource is not None and resource.rev > since):
                    found |= blobs
        return sorted(cid for cid in found if after is None or cid > after)[:limit]

    def blob_is_held(self, cid: Cid) -> bool:
        return any(held == cid for _, held in self._state.blobs)

    def idle_blobs(self, *, before: datetime, limit: int) -> list[BlobRow]:
        return [
            blob
            for key, blob in sorted(self._state.blobs.items())
            if blob.uploaded_at < before and not self.blob_paths(*key)
        ][:limit]

    def bytes_used(self, member: MemberId) -> int:
        resources = (r.size for (owner, _), r in self._state.resources.items() if owner == member)
        blobs = (b.size for (owner, _), b in self._state.blobs.items() if owner == member)
        return sum(resources) + sum(blobs)

    def _member_by(self, column: str, value: str) -> Member | None:
        members = self._state.members.values()
        return next((m for m in members if getattr(m, column) == value), None)

    def _below(self, member: MemberId, prefix: str) -> list[Resource]:
        resources = sorted(self._state.resources.items())
        return [r for key, r in resources if key[0] == member and key[1].startswith(prefix)]

    def _records(self, member: MemberId) -> list[Resource]:
        return [r for r in self._below(member, PUBLIC) if r.is_record]


class MemoryTx(MemoryReader):
    """Every read and write of `pod.ports.Tx`, on a state that may be thrown away."""

    def __init__(self, state: _State) -> None:
        super().__init__(state)
        self.appended: list[Change] = []

    def add_member(
        self,
        did: Did,
        handle: Handle,
        origin: Origin,
        *,
        email: str | None,
        at: datetime,
        standing: Standing = Standing.ACTIVE,
    ) -> Member:
        old = self.member_by_did(did)
        names = {"did": did, "handle": handle, "origin": origin, "email": email}
        for column, value in names.items():
            holder = None if value is None else self._member_by(column, value)
            if holder is not None and (holder != old or old.standing is not Standing.DELETED):
                raise Conflict(f"This {column} is taken: {value}", name=TAKEN[column])
        last = max(self._state.members, default=0)
        ident = old.id if old is not None else MemberId(last + 1)
        member = Member(ident, did, handle, origin, standing, at.astimezone(UTC), email)
        self._state.members[ident] = member
        return member

    def set_email(self, member: MemberId, email: str, *, is_confirmed: bool) -> None:
        holder = self.member_by_email(email)
        if holder is not None and holder.id != member:
            raise Conflict(f"This email is taken: {email}", name=TAKEN["email"])
        known = self._known(member)
        self._state.members[member] = replace(known, email=email, email_confirmed=is_confirmed)

    def set_address(self, member: MemberId, address: str | None) -> None:
        holder = self._member_by("address", address) if address is not None else None
        if holder is not None and holder.id != member:
            raise Conflict(f"This address is taken: {address}", name=TAKEN["address"])
        self._state.members[member] = replace(self._known(member), address=address)

    def erase_member(self, member: MemberId, *, before: int) -> list[Cid]:
        known, state = self._known(member), self._state
        blobs = [cid for owner, cid in sorted(state.blobs) if owner == member]
        state.members[member] = replace(
            known, email=None, email_confirmed=False, address=None, standing=Standing.DELETED
        )
        state.secrets = {k: v for k, v in state.secrets.items() if k[0] != member}
        state.resources = {k: v for k, v in state.resources.items() if k[0] != member}
        state.tombstones = {k: v for k, v in state.tombstones.items() if k[0] != member}
        state.blobs = {k: v for k, v in state.blobs.items() if k[0] != member}
        state.refs = {k: v for k, v in state.refs.items() if k[0] != member}
        state.repos.pop(member, None)
        state.log = [c for c in state.log if c.member != member or c.seq >= before]
        return blobs

    def set_handle(self, member: MemberId, handle: Handle) -> None:
        holder = self.member_by_handle(handle)
        if holder is not None and holder.id != member:
            raise Conflict(f"This handle is taken: {handle}", name=TAKEN["handle"])
        self._state.members[member] = replace(self._known(member), handle=handle)

    def set_standing(self, member: MemberId, standing: Standing) -> None:
        self._state.members[member] = replace(self._known(member), standing=standing)

    def put_secret(self, member: MemberId | None, purpose: str, secret: bytes) -> None:
        self._state.secrets[member, purpose] = secret

    def put_resource(self, resource: Resource) -> None:
        self._state.resources[resource.member, resource.path] = resource

    def put_resources(self, resources: Sequence[Resource], *, replaced_bytes: int) -> None:  # noqa: ARG002  sizes are summed when asked for
        for resource in resources:
            self.put_resource(resource)

    def delete_resource(self, member: MemberId, path: ResourcePath, *, at: datetime) -> None:
        old = self._state.resources.pop((member, path), None)
        if old is None:
            raise NotFound
        self._state.tombstones[member, path] = Tombstone(
            member, path, old.media_type, old.cid, old.body, old.generation, at
        )
        self._state.refs.pop((member, path), None)

    def put_complement(self, member: MemberId, path: ResourcePath, complement: Complement) -> None:
        old = self.resource(member, path)
        if old is None:
            raise NotFound
        self._state.resources[member, path] = replace(old, complement=complement)

    def put_repo(self, head: RepoHead) -> None:
        self._state.repos[head.member] = head

    def next_seq(self) -> int:
        return self.head_seq() + 1

    def append(self, change: Change) -> None:
        self.append_part(change)
        self.appended.append(change)

    def append_part(self, change: Change) -> None:
        if change.seq != self.next_seq():
            raise ValueError(f"seq {change.seq} is not the next one")
        self._state.log.append(change)

    def put_blob(self, blob: BlobRow) -> None:
        self._state.blobs[blob.member, blob.cid] = blob

    def delete_blob(self, member: MemberId, cid: Cid) -> None:
        self._state.blobs.pop((member, cid), None)

    def set_blob_refs(self, member: MemberId, path: ResourcePath, blobs: Iterable[Cid]) -> None:
        self._state.refs[member, path] = frozenset(blobs)

    def _known(self, member: MemberId) -> Member:
        found = self.member(member)
        if found is None:
            raise NotFound("There is no such member")
        return found


class MemoryStore(MemoryReader):
    """`pod.ports.Store` without a file: each write works on a copy that replaces the state."""

    def __init__(self) -> None:
        super().__init__(_State())
        self._listeners: list[Listener] = []

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` on a copy of the state, keep the copy if it did not raise."""
        tx = MemoryTx(self._state.copy())
        result = work(tx)
        self._state = tx._state
        if tx.appended:
            for listener in tuple(self._listeners):
                listener(tx.appended)
        await asyncio.sleep(0)
        return result

    async def write_long(self, work: Callable[[Tx], T]) -> T:
        """The same: nothing takes long here."""
        return await self.write(work)

    @contextmanager
    def snapshot(self) -> Iterator[MemoryReader]:
        """Reads of one unchanging state: writes make a new one."""
        yield MemoryReader(self._state)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after each write with the changes it made, in order."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
