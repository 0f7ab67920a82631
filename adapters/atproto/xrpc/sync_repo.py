"""com.atproto.sync: getRepo, getRecord, getBlocks, getLatestCommit, getRepoStatus, listRepos.

Spec: https://atproto.com/specs/sync, https://atproto.com/specs/repository#car-file-serialization
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from adapters.atproto.project import MemoryProjection
from adapters.atproto.repo.car import car_block, car_bytes, car_header, export_repo
from adapters.atproto.repo.mst import Tree
from adapters.atproto.xrpc.call import CAR, Auth, Body, Call, query
from adapters.atproto.xrpc.repos import existing_repo, standing_fields, visible_repo
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid, NotFound
from pod.model.change import RepoHead
from pod.model.ids import Cid, MemberId, Tid
from pod.model.member import Member
from pod.ports import Reader
from pod.records.cid import cid_from_text, cid_text

PAGE: Final = 500
_NODES_AT_ONCE: Final = 500


def head_of(store: Reader, member: Member, *, error: str = "RepoNotFound") -> RepoHead:
    """The signed head of a member's repository; NotFound under the given name."""
    head = store.repo(member.id)
    if head is None:
        raise NotFound(f"Could not find root for DID: {member.did}", name=error)
    return head


def tree_of(repos: MemoryProjection, store: Reader, member: Member) -> tuple[RepoHead, Tree]:
    """The head of a member's repository and the tree that it signs."""
    head = head_of(store, member)
    return head, repos.tree(member, head, lambda: store.record_index(member.id))


@query("com.atproto.sync.getRepo", Auth.OPTIONAL, takendown_may=True)
async def get_repo(call: Call, services: Services) -> Body:
    """A whole repository as a CAR in streamable order, or what changed after ``since``."""
    member = visible_repo(call, services.store, call.params["did"])
    head_of(services.store, member)
    return Body(_export(services, member, call.params.get("since")), CAR)


@query("com.atproto.sync.getCheckout", Auth.OPTIONAL)
async def get_checkout(call: Call, services: Services) -> Body:
    """The deprecated name of `get_repo` without ``since``."""
    return await get_repo.handler(call, services)  # type: ignore[return-value] # it is a Body


@query("com.atproto.sync.getRecord", Auth.OPTIONAL)
async def get_record(call: Call, services: Services) -> Body:
    """Proof that a record is in the repository, or that it is not."""
    params = call.params
    member = visible_repo(call, services.store, params["did"])
    head, tree = tree_of(services.repos, services.store, member)
    key = f"{params['collection']}/{params['rkey']}"
    blocks = [(head.commit, head.block)]
    blocks += [(node.cid, node.block) for node in tree.proof(key)]
    cid = tree.get(key)
    if cid is not None:
        blocks += services.store.record_blocks(member.id, [cid]).items()
    return Body(car_bytes(head.commit, blocks), CAR)


@query("com.atproto.sync.getBlocks", Auth.OPTIONAL)
async def get_blocks(call: Call, services: Services) -> Body:
    """Blocks of a repository by CID: all that were asked for, or an error."""
    member = visible_repo(call, services.store, call.params["did"])
    cids = [cid_from_text(text) for text in call.params["cids"]]
    head, tree = tree_of(services.repos, services.store, member)
    found = {head.commit: head.block} | services.store.record_blocks(member.id, cids)
    missing = {cid for cid in cids if cid not in found}
    if missing:
        found |= {node.cid: node.block for node in tree.nodes() if node.cid in missing}
    lost = [cid_text(cid) for cid in cids if cid not in found]
    if lost:
        raise NotFound(f"Could not find cids: {','.join(lost)}", name="BlockNotFound")
    blocks = [(cid, found[cid]) for cid in dict.fromkeys(cids)]
    return Body(car_bytes(head.commit, blocks), CAR)


@query("com.atproto.sync.getLatestCommit", Auth.OPTIONAL)
async def get_latest_commit(call: Call, services: Services) -> dict[str, Any]:
    """CID and rev of the head."""
    head = head_of(services.store, visible_repo(call, services.store, call.params["did"]))
    return {"cid": cid_text(head.commit), "rev": head.rev}


@query("com.atproto.sync.getHead", Auth.OPTIONAL)
async def get_head(call: Call, services: Services) -> dict[str, Any]:
    """The deprecated form of `get_latest_commit`."""
    member = visible_repo(call, services.store, call.params["did"])
    return {"root": cid_text(head_of(services.store, member, error="HeadNotFound").commit)}


@query("com.atproto.sync.getRepoStatus")
async def get_repo_status(call: Call, services: Services) -> dict[str, Any]:
    """Whether a repository is served, and its rev if it is."""
    member = existing_repo(services.store, call.params["did"])
    rev = {"rev": head_of(services.store, member).rev} if member.is_active else {}
    return {"did": member.did} | standing_fields(member) | rev


@query("com.atproto.sync.listRepos")
async def list_repos(call: Call, services: Services) -> dict[str, Any]:
    """All repositories of this server, oldest account first."""
    after = _member_cursor(call.params.get("cursor"))
    members = services.store.members(after=after, limit=call.params.get("limit", PAGE))
    repos = []
    for member in members:
        head = services.store.repo(member.id)
        if head is not None:
            names = {"did": member.did, "head": cid_text(head.commit), "rev": head.rev}
            repos.append(names | standing_fields(member))
    return {"repos": repos} | ({"cursor": str(members[-1].id)} if members else {})


def _member_cursor(cursor: str | None) -> MemberId:
    if cursor is None:
        return MemberId(0)
    if not (cursor.isascii() and cursor.isdigit()) or len(cursor) > 18:
        raise Invalid("Malformed cursor")
    return MemberId(int(cursor))


def _records(store: Reader, member: Member) -> Iterator[tuple[Cid, bytes]]:
    """CID and block of every record, in key order."""
    after: str | None = None
    while page := store.records(member.id, "", after=after, limit=PAGE):
        for _, cid, block in page:
            yield cid, block
        after = page[-1][0]


def _export_since(store: Reader, head: RepoHead, tree: Tree, since: Tid) -> Iterator[bytes]:
    """The commit, and if it is later than ``since`` the tree and the records written since.

    All nodes are sent: which of them are old is not kept, and a reader may ignore known ones.
    """
    yield car_header(head.commit) + car_block(head.commit, head.block)
    if since >= head.rev:
        return
    parts: list[bytes] = []
    for node in tree.nodes():
        parts.append(car_block(node.cid, node.block))
        if len(parts) == _NODES_AT_ONCE:
            yield b"".join(parts)
            parts = []
    yield b"".join(parts)
    sent: set[Cid] = set()
    after: str | None = None
    while page := store.resources(head.member, "/repo/", after=after, limit=PAGE):
        fresh = {found.cid: found.body for found in page if found.rev > since}
        yield b"".join(car_block(cid, fresh[cid]) for cid in fresh if cid not in sent)
        sent |= fresh.keys()
        after = page[-1].path


async def _export(services: Services, member: Member, since: str | None) -> AsyncIterator[bytes]:
    """Chunks that take milliseconds each, with a turn for everybody else in between.

    All of them are of one state, however long the reader takes and whatever is written meanwhile.
    """
    with services.store.snapshot() as store:
        head, tree = tree_of(services.repos, store, member)
        if since is None:
            chunks = export_repo(head.commit, head.block, tree, _records(store, member))
        else:
            chunks = _export_since(store, head, tree, Tid(since))
        for chunk in chunks:
            if chunk:
                yield chunk
            await asyncio.sleep(0)
