"""com.atproto.repo.importRepo: a CAR file becomes the caller's repository.

Spec: https://atproto.com/guides/account-migration, lexicon com.atproto.repo.importRepo
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from adapters.atproto.did.document import read_document
from adapters.atproto.repo.block_file import BlockFile
from adapters.atproto.repo.car import CarReader
from adapters.atproto.repo.commit import Commit, read_commit
from adapters.atproto.repo.foreign import MissingNode, index_of
from adapters.atproto.repo.stream import nodes_of, root_of
from adapters.atproto.xrpc.call import CAR, Auth, Call, procedure
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid
from pod.model.ids import Cid
from pod.model.member import Member
from pod.ports import Reader
from pod.transfer import Arrival


@procedure("com.atproto.repo.importRepo", Auth.FULL, takes=CAR)
async def import_repo(call: Call, services: Services) -> None:
    """Replace the caller's public records by those of a CAR file.

    The file goes to disk; hashes, the tree and the signature are checked before anything changes.
    A CAR made with ``since`` is completed from what is here.
    """
    assert call.stream is not None  # the router hands it to methods that take bytes
    member, reader = call.member, CarReader()
    with ExitStack() as stack:
        blocks = stack.enter_context(BlockFile(services.settings.data_dir))
        async for chunk in call.stream(services.settings.limits.repo_import_bytes):
            blocks.add(reader.feed(chunk))
        commit = await asyncio.to_thread(_read_commit, reader.finish(), blocks, member)
        await _check_signature(services, member, commit)
        present = stack.enter_context(services.store.snapshot())
        arrival = await asyncio.to_thread(_arrival, member, commit, blocks, present)
        await services.transfer.import_repo(call.agent, member.id, arrival)


def _read_commit(root: Cid, blocks: BlockFile, member: Member) -> Commit:
    block = blocks.get(root)
    if block is None:
        raise Invalid("The CAR file does not hold its root")
    commit = read_commit(block)
    if commit.did != member.did:
        raise Invalid(f"The CAR file is a repository of {commit.did}")
    return commit


async def _check_signature(services: Services, member: Member, commit: Commit) -> None:
    """Refuse a commit that was not signed by the account's key.

    That is the key of the DID document: during a migration the document still names the old
    host's, which signed what comes from there. A backup of this server's own is signed by the key
    that it keeps for the account, whatever the document says by now.
    """
    if commit.is_signed_by(services.keyring.repo_key(member.id).did_key):
        return
    document = await services.identities.did_document(member.did, fresh=True)
    key = read_document(member.did, document).signing_key
    if key is None or not commit.is_signed_by(key):
        raise Invalid("The commit of the CAR file is not signed by the account's key")


def _arrival(member: Member, commit: Commit, blocks: BlockFile, present: Reader) -> Arrival:
    """What arrives, once its tree proved to be the one of its records; Invalid otherwise."""
    try:
        data = root_of(index_of(commit.data, blocks.get))
    except MissingNode:
        # A partial file: the nodes that it leaves out are those of the present tree.
        blocks.add(nodes_of(present.record_index(member.id)))
        data = root_of(index_of(commit.data, blocks.get))
    if data != commit.data:
        raise Invalid("The tree of the CAR file is not canonical")

    def block_of(cid: Cid) -> bytes | None:
        return blocks.get(cid) or present.record_blocks(member.id, [cid]).get(cid)

    return Arrival(commit.data, commit.rev, lambda: index_of(commit.data, blocks.get), block_of)
