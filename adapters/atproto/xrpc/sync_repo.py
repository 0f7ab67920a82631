"""com.atproto.sync: getRepo, getRecord, getBlocks, getLatestCommit, getRepoStatus, listRepos.

Spec: https://atproto.com/specs/sync, https://atproto.com/specs/repository#car-file-serialization
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl

from adapters.atproto.project import MemoryProjection, is_large
from adapters.atproto.repo.car import car_bytes, export_repo
from adapters.atproto.repo.mst import EVERY_KEY, Span, Tree
from adapters.atproto.repo.stream import export_large
from adapters.atproto.repo_changes import changed_since, export_changes
from adapters.atproto.xrpc.call import CAR, Auth, Body, Call, query
from adapters.atproto.xrpc.repos import existing_repo, standing_fields, visible_repo
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid, NotFound
from pod.model.change import RepoHead
from pod.model.ids import Cid, MemberId, Nsid, Tid, parse_nsid
from pod.model.member import Member
from pod.ports import Reader, Store
from pod.records.cid import cid_from_text, cid_text

PAGE: Final = 500


def head_of(store: Reader, member: Member, *, error: str = "RepoNotFound") -> RepoHead:
    """The signed head of a member's repository; NotFound under the given name."""
    head = store.repo(member.id)
    if head is None:
        raise NotFound(f"Could not find root for DID: {member.did}", name=error)
    return head


async def tree_of(repos: MemoryProjection, store: Store, member: Member) -> tuple[RepoHead, Tree]:
    """The head of a member's repository and the tree that it signs."""
    await repos.prepare(member, store)
    head = head_of(store, member)
    return head, repos.tree(member, head, lambda: store.record_index(member.id))


@query("com.atproto.sync.getRepo", Auth.OPTIONAL, takendown_may=True)
async def get_repo(call: Call, services: Services) -> Body:
    """A whole repository as a CAR in streamable order, or what changed after ``since``.

    An experiment: ``collection`` gives only the records of one, and the nodes that prove that
    there are no others.
    """
    member = visible_repo(call, services.store, call.params["did"])
    head_of(services.store, member)
    asked = dict(parse_qsl(call.query_string.decode())).get("collection")
    span = EVERY_KEY if asked is None else _span_of(parse_nsid(asked))
    return Body(_export(services, member, call.params.get("since"), span), CAR)


@query("com.atproto.sync.getCheckout", Auth.OPTIONAL)
async def get_checkout(call: Call, services: Services) -> Body:
    """The deprecated name of `get_repo` without ``since``."""
    return await get_repo.handler(call, services)  # type: ignore[return-value] # it is a Body


@query("com.atproto.sync.getRecord", Auth.OPTIONAL)
async def get_record(call: Call, services: Services) -> Body:
    """Proof that a record is in the repository, or that it is not."""
    params = call.params
    member = visible_repo(call, services.store, params["did"])
    head, tree = await tree_of(services.repos, services.store, member)
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
    head, tree = await tree_of(services.repos, services.store, member)
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


def _span_of(collection: Nsid) -> Span:
    """The keys of a collection."""
    return f"{collection}/".encode(), f"{collection}0".encode()


def _records(store: Reader, member: Member, span: Span) -> Iterator[tuple[Cid, bytes]]:
    """CID and block of every record, in key order."""
    prefix, after = span[0].decode(), None
    while page := store.records(member.id, prefix, after=after, limit=PAGE):
        for _, cid, block in page:
            yield cid, block
        after = page[-1][0]


def _records_falling(store: Reader, member: Member) -> Iterator[tuple[str, Cid, bytes]]:
    """Every record from the last key to the first."""
    before: str | None = None
    while page := store.records(member.id, "", after=before, limit=PAGE, reverse=True):
        yield from page
        before = page[-1][0]


async def _export(
    services: Services, member: Member, since: str | None, span: Span
) -> AsyncIterator[bytes]:
    """Chunks that take milliseconds each, with a turn for everybody else in between.

    All of them are of one state, however long the reader takes and whatever is written meanwhile.
    A large repository whose tree is not in memory does not come there: it goes by way of a file.
    """
    if since is not None:
        await services.repos.prepare(
            member, services.store
        )  # it takes the tree to tell what is new
    with services.store.snapshot() as store:
        head = head_of(store, member)
        if services.repos.hot(head) is None and is_large(store, member):
            async for chunk in _export_large(services, store, member, head, span):
                yield chunk
            return
        tree = services.repos.tree(member, head, lambda: store.record_index(member.id))
        fresh = None if since is None else changed_since(store, head, tree, Tid(since))
        if fresh is not None:
            chunks = export_changes(store, head, fresh)
        else:
            records = _records(store, member, span)
            chunks = export_repo(head.commit, head.block, tree, records, span=span)
        for chunk in chunks:
            if chunk:
                yield chunk
            await asyncio.sleep(0)


async def _export_large(
    services: Services, store: Reader, member: Member, head: RepoHead, span: Span
) -> AsyncIterator[bytes]:
    """The whole of a large repository; a thread makes each chunk."""
    records = _records_falling(store, member)
    folder = services.settings.data_dir
    chunks = export_large(head.commit, head.block, head.data, records, folder, span=span)
    try:
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            yield chunk
    finally:
        chunks.close()
