"""One signed POST: in the scheme that the host took last, and once in the other if it is refused.

Spec: https://swicg.github.io/activitypub-http-signature/#double-knocking
"""

from __future__ import annotations

from typing import Final

from adapters.activitypub.deliver.followers_digest import header
from adapters.activitypub.deliver.rotation import old_key_for
from adapters.activitypub.jsonld.context import MEDIA_TYPE
from adapters.activitypub.lens.profile import key_id
from adapters.activitypub.remote.schedule import Reply
from adapters.activitypub.signature import cavage, rfc9421
from adapters.activitypub.signature.request import Request
from adapters.activitypub.wing import Wing
from pod.keys.rsa import RsaKey
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Delivery

REFUSED: Final = frozenset({400, 401, 403})
"""Answers after which the other signature scheme is tried once."""

_MAX_ANSWER: Final = 64 * 1024


async def post_signed(wing: Wing, delivery: Delivery, member: Member | None) -> Reply:
    """What the inbox answers to a member, or (None) to the server itself.

    Raises PodError when it cannot be asked, or not found.
    """
    inbox = delivery.target
    if delivery.is_actor:
        inbox = (await wing.actors.actor(inbox)).mailbox
    key = await wing.keys.actor_key(member.id if member is not None else None)
    modern = wing.hosts.state(delivery.host).modern
    old = await old_key_for(wing, delivery, member) if member is not None else None
    if old is not None:
        reply = await _post(wing, delivery, inbox, member, old, modern=modern)
        if reply.status not in REFUSED:
            return reply
    reply = await _post(wing, delivery, inbox, member, key, modern=modern)
    if reply.status in REFUSED:
        again = await _post(wing, delivery, inbox, member, key, modern=not modern)
        if again.status is not None and 200 <= again.status < 300:
            await wing.hosts.prefer(delivery.host, modern=not modern)
            return again
    return reply


async def _post(
    wing: Wing, delivery: Delivery, inbox: Iri, member: Member | None, key: RsaKey, *, modern: bool
) -> Reply:
    plain = {"Content-Type": MEDIA_TYPE}
    named = f"{wing.server}/actor#main-key"
    if member is not None:
        named = key_id(member)
        plain |= header(wing, member, inbox, delivery.body)
    request = Request("POST", inbox, list(plain.items()), delivery.body)
    scheme = rfc9421 if modern else cavage
    base, finish = scheme.prepare(request, key_id=named, now=wing.clock.now())
    headers = {**plain, **finish(await wing.signer.sign(key, base))}
    fetched = await wing.egress.post(inbox, delivery.body, headers, max_bytes=_MAX_ANSWER)
    return Reply(fetched.status, fetched.headers.get("Retry-After"))
