"""The core's services over one data folder; what every wing stands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from adapters.http.fetch import Fetch
from adapters.http.passwords import Passwords
from pod.access.policy import Policy
from pod.draft import Drafts
from pod.keys.curves import SigningKey
from pod.keys.keyring import KeyRing
from pod.media import Media
from pod.model.ids import MemberId
from pod.moderate import Moderation
from pod.ports import RepoProjection
from pod.read import Read
from pod.records.lexicon.registry import Registry
from pod.records.tid import TidClock
from pod.settings import Settings
from pod.write import Write
from server.clock import SystemClock
from server.deferred import AccessDocuments
from storage.blobs import FolderBlobs
from storage.engine import Database
from storage.key_vault import Seal
from storage.migrate import upgrade
from storage.shown import ShownReader
from storage.store import SqlStore
from storage.takedowns import StoredTakedowns

P = TypeVar("P", bound=RepoProjection)


@dataclass(frozen=True, slots=True)
class Ground(Generic[P]):
    """The core's services over one data folder, and the two ways out: egress and letters."""

    settings: Settings
    clock: SystemClock
    tids: TidClock
    database: Database
    store: SqlStore
    keyring: KeyRing
    lexicons: Registry
    projection: P
    policy: Policy
    drafts: Drafts
    write: Write
    moderation: Moderation
    shown: ShownReader
    read: Read
    media: Media
    fetch: Fetch
    passwords: Passwords


async def open_ground(
    settings: Settings, project: Callable[[Callable[[MemberId], SigningKey], TidClock], P]
) -> Ground[P]:
    """Open the data folder of ``settings``; ``project`` makes the projection of repositories."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = settings.data_dir / "pod.sqlite"
    upgrade(path)
    database = Database(path)
    store = SqlStore(database, Seal.open(settings.data_dir / "seal.key"))
    clock = SystemClock()
    tids = TidClock(clock)
    keyring = KeyRing(store)
    await keyring.open()
    lexicons = Registry.load()
    projection = project(keyring.repo_key, tids)
    fetch = Fetch(settings.egress, of=settings.origin)
    documents = AccessDocuments(fetch, clock)
    policy = Policy(store, documents, documents)
    limits = settings.limits
    drafts = Drafts(lexicons, tids, limits)
    moderation = Moderation(StoredTakedowns(database), clock)
    shown = ShownReader(store, moderation)
    files = FolderBlobs(settings.data_dir / "blobs")
    return Ground(
        settings=settings,
        clock=clock,
        tids=tids,
        database=database,
        store=store,
        keyring=keyring,
        lexicons=lexicons,
        projection=projection,
        policy=policy,
        drafts=drafts,
        write=Write(
            store,
            policy,
            projection,
            drafts,
            tids,
            clock,
            quota_bytes=limits.quota_bytes,
            hides=moderation.hides_blob,
        ),
        moderation=moderation,
        shown=shown,
        read=Read(shown, policy),
        media=Media(store, files, clock, limits, hides=moderation.hides_blob),
        fetch=fetch,
        passwords=Passwords(settings.hashing),
    )
