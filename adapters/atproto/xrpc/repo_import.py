"""com.atproto.repo.importRepo: a CAR file becomes the caller's repository.

Spec: https://atproto.com/guides/account-migration, lexicon com.atproto.repo.importRepo
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from adapters.atproto.repo.car import CarReader
from adapters.atproto.repo.commit import read_commit
from adapters.atproto.repo.foreign import load_tree
from adapters.atproto.xrpc.call import CAR, Auth, Call, procedure
from adapters.atproto.xrpc.services import Services
from adapters.atproto.xrpc.sync_repo import tree_of
from pod.errors import Invalid
from pod.model.ids import Cid
from pod.model.member import Member


@procedure("com.atproto.repo.importRepo", Auth.FULL, takes=CAR)
async def import_repo(call: Call, services: Services) -> None:
    """Replace the caller's public records by those of a CAR file.

    Hashes and the tree are checked in full; the signature is not, for the key that made it may be
    gone, and the caller may write these records anyway. A CAR made with ``since`` is completed
    from what is here.
    """
    assert call.stream is not None  # the router hands it to methods that take bytes
    member = call.member
    reader = CarReader()
    blocks: dict[Cid, bytes] = {}
    async for chunk in call.stream(services.settings.limits.repo_import_bytes):
        blocks.update(reader.feed(chunk))
    root = reader.finish()
    known = _known_nodes(services, member)
    wanted = await asyncio.to_thread(_read_index, member, root, blocks, known)
    missing = [cid for cid in wanted.values() if cid not in blocks]
    if missing:
        blocks.update(services.store.record_blocks(member.id, missing))
    lost = next((key for key, cid in wanted.items() if cid not in blocks), None)
    if lost is not None:
        raise Invalid(f"Could not parse record at '{lost}'")
    records = {key: blocks[cid] for key, cid in wanted.items()}
    await services.transfer.import_repo(call.agent, member.id, records)


def _known_nodes(services: Services, member: Member) -> dict[Cid, bytes]:
    """Nodes of the present tree, which a partial CAR leaves out."""
    _, tree = tree_of(services.repos, services.store, member)
    return {node.cid: node.block for node in tree.nodes()}


def _read_index(
    member: Member, root: Cid, blocks: Mapping[Cid, bytes], known: Mapping[Cid, bytes]
) -> dict[str, Cid]:
    """Every key and record CID under the commit of a CAR file; Invalid if it is not theirs."""
    block = blocks.get(root)
    if block is None:
        raise Invalid("The CAR file does not hold its root")
    commit = read_commit(block)
    if commit.did != member.did:
        raise Invalid(f"The CAR file is a repository of {commit.did}")

    def block_of(cid: Cid) -> bytes | None:
        return blocks.get(cid) or known.get(cid)

    return dict(load_tree(commit.data, block_of).items())
