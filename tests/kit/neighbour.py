"""A person of another server as a whole house hears of them: known already, and rightly signed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from adapters.activitypub.signature import cavage
from adapters.activitypub.signature.request import Request
from storage.remote_cache import SqlRemoteCache
from tests.kit.fediverse import AS2, EVERYBODY, TYPE, Peer
from tests.kit.phone import Phone
from tests.kit.whole import SERVER, Whole


@dataclass
class Neighbour:
    """``peer`` is somebody whose server nobody can reach: it only speaks."""

    whole: Whole
    peer: Peer
    sent: int = 0

    async def tell(self, kind: str, about: Any, **more: Any) -> None:
        """Post an activity to the shared inbox."""
        self.sent += 1
        activity = self.peer.activity(kind, about, self.sent, **more)
        body = json.dumps(activity).encode()
        request = Request("POST", f"http://{SERVER}/inbox", [("Content-Type", TYPE)], body)
        headers = cavage.sign(
            request, key_id=self.peer.key_id, sign=self.peer.sign, now=datetime.now(UTC)
        )
        named = {name.lower(): value for name, value in headers.items() if name != "Host"}
        sent = {"content-type": TYPE, **named}
        reply = await self.whole.send("POST", "/inbox", body, headers=sent)
        assert reply.status == 202, reply.body

    async def say(self, number: int, content: str = "<p>Hello</p>", **more: Any) -> dict[str, Any]:
        """A new post for everybody and the followers."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        cc = [f"{self.peer.id}/followers"]
        note = self.peer.note(number, content, **{"published": now, "cc": cc, **more})
        await self.tell("Create", note, to=[EVERYBODY], cc=cc)
        return note

    async def befriend(self, phone: Phone, **wishes: Any) -> Any:
        """Have a member follow the neighbour, who says yes; the account as the app has it."""
        found = await phone.get("/api/v2/search", q=self.peer.id, resolve="true")
        account = found["accounts"][0]
        await phone.post(f"/api/v1/accounts/{account['id']}/follow", wishes)
        me = await phone.get("/api/v1/accounts/verify_credentials")
        follow = {"type": "Follow", "actor": me["uri"], "object": self.peer.id}
        await self.tell("Accept", follow)
        at = "/api/v1/accounts/relationships"
        assert (await phone.get(at, id=account["id"]))[0]["following"]
        return account


async def neighbour(whole: Whole, who: str = "bob", **more: Any) -> Neighbour:
    """Somebody of another server whom this one has met."""
    peer = Peer(who, f"http://{who}.peer.test")
    cache = SqlRemoteCache(whole.store.database)
    actor = {**peer.actor(), **more, "@context": [AS2, "https://w3id.org/security/v1"]}
    await cache.put(peer.id, orjson.dumps(actor), datetime.now(UTC))
    return Neighbour(whole, peer)
