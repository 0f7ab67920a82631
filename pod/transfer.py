"""Moving whole repositories in: an import makes a member's public records what a CAR file says.

Spec: com.atproto.repo.importRepo. Blobs are not needed yet: they are asked for afterwards
(com.atproto.repo.listMissingBlobs).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from pod.access.acl import Mode
from pod.access.agent import Agent
from pod.access.policy import Policy
from pod.errors import Invalid, NotFound
from pod.model.change import Change, ChangeOp, RepoHead
from pod.model.ids import Cid, MemberId, Nsid, parse_nsid, parse_rkey
from pod.model.resource import EMPTY, RECORD_TYPE, Resource, ResourcePath
from pod.oauth.scope import Account
from pod.ports import Clock, RepoProjection, Store, Tx
from pod.records.cbor import decode
from pod.records.cid import record_cid
from pod.records.data import blobs_in
from pod.records.lens import index


@dataclass(frozen=True, slots=True)
class _Incoming:
    cid: Cid
    block: bytes
    blobs: tuple[Cid, ...]
    subject: str | None


class Transfer:
    """The import service."""

    def __init__(
        self, store: Store, policy: Policy, projection: RepoProjection, clock: Clock
    ) -> None:
        self._store = store
        self._policy = policy
        self._projection = projection
        self._clock = clock

    async def import_repo(
        self, agent: Agent, member: MemberId, records: Mapping[str, bytes]
    ) -> RepoHead:
        """Replace the public records by ``records`` (``collection/rkey`` to block).

        Blocks keep their bytes; where all of them are here already nothing happens. An active
        account tells relays by one #sync event, a resting one tells nobody. Raises Invalid for
        blocks that are no records, Forbidden, NotFound.
        """
        owner = self._store.member(member)
        if owner is None:
            raise NotFound("Could not find the repository.", name="RepoNotFound")
        self._policy.require(agent, Mode.WRITE, owner, ResourcePath("/repo/"))
        agent.needs(Account("repo", frozenset({"manage"})))
        incoming = await asyncio.to_thread(_read, records)
        return await self._store.write_long(lambda tx: self._replace(tx, member, incoming))

    def _replace(self, tx: Tx, member: MemberId, incoming: Mapping[str, _Incoming]) -> RepoHead:
        owner = tx.member(member)
        if owner is None:
            raise NotFound("Could not find the repository.", name="RepoNotFound")
        before, present = dict(tx.record_index(member)), tx.repo(member)
        if present is not None and before == {key: new.cid for key, new in incoming.items()}:
            return present
        order = sorted(incoming, key=str.encode)
        head = self._projection.rebuild(owner, present, [(key, incoming[key].cid) for key in order])
        now = self._clock.now()
        log: list[ChangeOp] = []
        put: list[Resource] = []
        replaced_bytes = 0
        referring: list[tuple[ResourcePath, tuple[Cid, ...]]] = []
        buried = tx.buried(member, "/repo/")
        for key in before.keys() - incoming.keys():
            path = ResourcePath(f"/repo/{key}")
            tx.delete_resource(member, path, at=now)
            log.append(ChangeOp("delete", path, None, before[key]))
        for key in order:
            new, old_cid = incoming[key], before.get(key)
            if new.cid == old_cid:
                continue
            path = ResourcePath(f"/repo/{key}")
            current = tx.resource(member, path) if old_cid is not None else None
            if current is not None:
                replaced_bytes += current.size
            put.append(
                Resource(
                    member=member,
                    path=path,
                    media_type=RECORD_TYPE,
                    cid=new.cid,
                    size=len(new.block),
                    body=new.block,
                    rev=head.rev,
                    created_at=current.created_at if current is not None else now,
                    updated_at=now,
                    generation=buried.get(path, 0) + 1 if current is None else current.generation,
                    subject=new.subject,
                    complement=current.complement if current is not None else EMPTY,
                )
            )
            if new.blobs or current is not None:
                referring.append((path, new.blobs))
            log.append(ChangeOp("update" if current else "create", path, new.cid, old_cid))
        tx.put_resources(put, replaced_bytes=replaced_bytes)
        for path, blobs in referring:
            tx.set_blob_refs(member, path, blobs)
        tx.put_repo(head)
        seq = tx.next_seq()
        tx.append(
            Change(
                seq=seq,
                member=member,
                at=now,
                kind="sync",
                rev=head.rev,
                ops=tuple(log),
                frame=self._projection.sync_frame(owner, head, seq, now)
                if owner.is_active
                else None,
            )
        )
        return head


def _read(records: Mapping[str, bytes]) -> dict[str, _Incoming]:
    """Decode and check every block; the ones that are no objects or have bad keys are refused."""
    found: dict[str, _Incoming] = {}
    collections: dict[str, Nsid] = {}
    for key, block in records.items():
        name, _, rkey = key.partition("/")
        parse_rkey(rkey)
        collection = collections.get(name)
        if collection is None:
            collection = collections[name] = parse_nsid(name)
        data = decode(block)
        if not isinstance(data, dict):
            raise Invalid(f"{key} is not a record.")
        found[key] = _Incoming(
            cid=record_cid(block),
            block=block,
            blobs=tuple(dict.fromkeys(ref.cid for ref in blobs_in(data)))
            if b"mimeType" in block
            else (),
            subject=index.subject_of(collection, data),
        )
    return found
