"""The shared hall over a pod in memory: one Quart application with every room of the hall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quart import Quart

from adapters.console.face import Console, Welcome
from adapters.http import blobs, problem, views
from adapters.http.credentials import Presented
from adapters.http.fetch import Fetched
from adapters.http.hosts import Hosts
from adapters.http.record_views import RECORD_VIEWS
from adapters.identity.documents import did_web
from adapters.identity.face import Addresses, Corner, Usage
from adapters.identity.face import rooms as identity_rooms
from pod.access.acl import Mode
from pod.access.agent import PUBLIC, Agent
from pod.errors import PeerUnavailable
from pod.model.blob import BlobRef
from pod.model.ids import MemberId, Nsid, Rkey
from pod.model.member import Member
from pod.model.peer import Edge, EdgeKind
from pod.model.presence import Presence
from pod.model.resource import ResourcePath
from pod.records.data import Data, Link
from pod.write import Delete, PutRecord
from tests.kit.house import Pod, owner

POST = Nsid("app.bsky.feed.post")


class Anybody:
    """Takes everybody for the public."""

    async def agent(self, presented: Presented) -> Agent:
        return PUBLIC


class TableEdges:
    """What people elsewhere did, as a list."""

    def __init__(self) -> None:
        self.edges: list[Edge] = []

    def count(self, member: MemberId, path: ResourcePath, kind: EdgeKind) -> int:
        return len(self.page(member, path, kind, limit=1000))

    def page(
        self, member: MemberId, path: ResourcePath, kind: EdgeKind, *, limit: int
    ) -> list[Edge]:
        found = [edge for edge in self.edges if (edge.path, edge.kind) == (path, kind)]
        return found[::-1][:limit]


def account_document(member: Member) -> dict[str, Any]:
    """A member's DID document, as small as one can be."""
    return {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": member.did,
        "alsoKnownAs": [f"at://{member.handle}", member.webid, did_web(member.origin)],
        "verificationMethod": [
            {
                "id": f"{member.did}#atproto",
                "type": "Multikey",
                "controller": member.did,
                "publicKeyMultibase": "zQ3sh",
            }
        ],
    }


async def _nobody_answers(_: str) -> Fetched:
    raise PeerUnavailable


def hall_of(
    pod: Pod,
    edges: TableEdges | None = None,
    addresses: Addresses | None = None,
    presence: Callable[[Member], Presence] = lambda _: Presence(),
) -> Quart:
    """Every room of the hall over a pod; ``addresses`` are the members' in the fediverse."""
    app = Quart("hall")
    app.url_map.merge_slashes = False
    hosts = Hosts(pod.store, pod.settings.origin)
    console = Console(
        hosts=hosts,
        reader=pod.store,
        read=pod.read,
        edges=edges or TableEdges(),
        welcome=Welcome(".test", open_sign_up=True, lists_members=True),
        presence=presence,
    )

    def allow(agent: Agent, member: Member, path: ResourcePath) -> None:
        pod.policy.require(agent, Mode.READ, member, path)

    problem.install(app)
    app.register_blueprint(
        views.rooms(
            hosts=hosts,
            reader=pod.store,
            authenticator=Anybody(),
            allow=allow,
            views=views.Views([console.view, *RECORD_VIEWS]),
            front_door=console.front_door,
        )
    )
    app.register_blueprint(console.rooms())
    app.register_blueprint(blobs.rooms(hosts, pod.media))
    leads_to = (addresses or Addresses(pod.accounts, _nobody_answers)).leads_to
    usage = Usage(
        pod.store, lambda of, at: len(pod.store.resources(of, at, after=None, limit=999)), pod.clock
    )
    app.register_blueprint(
        identity_rooms(Corner(hosts, pod.store, account_document, "1.2.3", leads_to, usage, True))
    )
    return app


@dataclass
class Author:
    """A member who writes records."""

    pod: Pod
    member: Member

    async def write(
        self, collection: str, record: dict[str, Data], rkey: str | None = None
    ) -> ResourcePath:
        """Write a record; ``$type`` is added."""
        put = PutRecord(
            Nsid(collection), Rkey(rkey) if rkey else None, {"$type": collection, **record}
        )
        receipt = await self.pod.write.apply(owner(self.member), self.member.id, [put])
        return receipt.results[0].path

    async def post(self, text: str, rkey: str | None = None, **more: Data) -> ResourcePath:
        """Write a post, a second after the one before."""
        self.pod.clock.pass_by(1)
        at = self.pod.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return await self.write(POST, {"text": text, "createdAt": at, **more}, rkey)

    async def delete(self, path: ResourcePath) -> None:
        """Delete what is at a path."""
        await self.pod.write.apply(owner(self.member), self.member.id, [Delete(path)])

    async def blob(self, body: bytes, media_type: str) -> BlobRef:
        """Upload bytes."""
        row = await self.pod.media.keep(self.member.id, body, media_type)
        return BlobRef(row.cid, row.media_type, row.size)


def blob_data(ref: BlobRef) -> dict[str, Data]:
    """A blob as records hold it."""
    return {"$type": "blob", "ref": Link(ref.cid), "mimeType": ref.media_type, "size": ref.size}


async def author(pod: Pod, name: str = "alice") -> Author:
    """A fresh member who writes."""
    return Author(pod, await pod.member(name))
