"""Read after write: the AppView's answers, with what the caller wrote since the AppView looked.

Whatever goes wrong on the way, the AppView's own answer is what the caller gets.
Spec: https://atproto.com/guides/read-after-write
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

import orjson
import structlog

from adapters.atproto.errors import XrpcError
from adapters.atproto.proxy import Request
from adapters.atproto.xrpc.call import Auth, Body, Call, Result, query
from adapters.atproto.xrpc.elsewhere import forward
from adapters.atproto.xrpc.own_writes import Lately, View, Viewer, Written, since
from adapters.atproto.xrpc.repos import find_member
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid, PodError
from pod.model.ids import at_uri_parts

Munge = Callable[[Viewer, View, Lately, str], Awaitable[View]]

REV: Final = "atproto-repo-rev"
LAG: Final = b"atproto-upstream-lag"
_THREAD: Final = "app.bsky.feed.defs#threadViewPost"
_REPOST: Final = "app.bsky.feed.defs#reasonRepost"

log = structlog.get_logger()


@query("app.bsky.feed.getTimeline", Auth.ACCESS)
async def get_timeline(call: Call, services: Services) -> Result:
    """The caller's timeline, their newest posts in it."""
    return await munged(call, services, _timeline)


@query("app.bsky.feed.getActorLikes", Auth.ACCESS)
async def get_actor_likes(call: Call, services: Services) -> Result:
    """What somebody likes, with the caller's own picture of today."""
    return await munged(call, services, _likes)


@query("app.bsky.feed.getPostThread", Auth.ACCESS)
async def get_post_thread(call: Call, services: Services) -> Result:
    """A thread with the caller's newest replies; their newest post itself is shown from here."""
    try:
        return await munged(call, services, _thread)
    except XrpcError as err:
        thread = None
        if err.name == "NotFound" and REV in err.headers:
            thread = await _own_thread(call, services, err.headers[REV])
        if thread is None:
            raise
        return thread


async def munged(call: Call, services: Services, munge: Munge) -> Result:
    """The AppView's answer with the caller's newest writes put in by ``munge``."""
    answer = await forward(call, services)
    rev = dict(answer.headers).get(REV.encode())
    is_json = answer.media_type.startswith("application/json")
    if rev is None or not is_json or not isinstance(answer.content, bytes):
        return answer
    lately = since(services, call.member, rev.decode("latin-1"))
    if not lately.count:
        return answer
    try:
        viewer = Viewer(call, services)
        view = await munge(viewer, orjson.loads(answer.content), lately, call.member.did)
    except (PodError, KeyError, TypeError, AttributeError, ValueError) as err:
        log.warning("answer not brought up to date", nsid=call.nsid, reason=type(err).__name__)
        return answer
    return _answer(services, view, lately)


def _answer(services: Services, view: View, lately: Lately) -> Body:
    written = [each.indexed_at for each in lately.posts]
    written += [lately.profile.indexed_at] if lately.profile is not None else []
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if written:
        age = services.clock.now() - datetime.fromisoformat(min(written))
        headers = ((LAG, str(max(0, int(age.total_seconds() * 1000))).encode()),)
    return Body(orjson.dumps(view), headers=headers)


async def profile(viewer: Viewer, view: View, lately: Lately, caller: str) -> View:
    """The caller's own profile."""
    if lately.profile is None or view["did"] != caller:
        return view
    return viewer.detailed(view, lately.profile.record)


async def profiles(viewer: Viewer, view: View, lately: Lately, caller: str) -> View:
    """Several profiles, the caller's own among them."""
    shown = [await profile(viewer, each, lately, caller) for each in view["profiles"]]
    return view | {"profiles": shown}


async def author_feed(viewer: Viewer, view: View, lately: Lately, caller: str) -> View:
    """A feed of the caller's own posts; those of others stay as they are."""
    if not _is_own(view["feed"], caller):
        return view
    return await _timeline(viewer, await _likes(viewer, view, lately, caller), lately, caller)


async def _timeline(viewer: Viewer, view: View, lately: Lately, _: str) -> View:
    feed: list[View] = list(view["feed"])
    last = feed[-1]["post"]["indexedAt"] if feed else ""
    for written in reversed([post for post in lately.posts if post.indexed_at > last]):
        item = {"post": await viewer.post(written)}
        older = (i for i, e in enumerate(feed) if e["post"]["indexedAt"] < written.indexed_at)
        feed.insert(next(older, len(feed)), item)
    return view | {"feed": feed}


async def _likes(viewer: Viewer, view: View, lately: Lately, caller: str) -> View:
    own = lately.profile
    if own is None:
        return view

    def shown(item: View) -> View:
        post = item["post"]
        if post["author"]["did"] != caller:
            return item
        return item | {"post": post | {"author": viewer.basic(post["author"], own.record)}}

    return view | {"feed": [shown(item) for item in view["feed"]]}


async def _thread(viewer: Viewer, view: View, lately: Lately, _: str) -> View:
    if view["thread"].get("$type") != _THREAD:
        return view
    return view | {"thread": await _with_replies(viewer, view["thread"], lately.posts)}


async def _with_replies(viewer: Viewer, thread: View, posts: tuple[Written, ...]) -> View:
    roots = {thread["post"]["uri"], _reply(thread["post"]["record"], "root")}
    for written in posts:
        root = _reply(written.record, "root")
        if root is not None and root in roots:
            thread = await _inserted(viewer, thread, written)
    return thread


async def _inserted(viewer: Viewer, view: View, written: Written) -> View:
    replies: list[View] | None = view.get("replies")
    if _reply(written.record, "parent") == view["post"]["uri"]:
        own = {"$type": _THREAD, "post": await viewer.post(written)}
        return view | {"replies": [own, *(replies or ())]}
    if not replies:
        return view
    shown = [
        await _inserted(viewer, reply, written) if reply.get("$type") == _THREAD else reply
        for reply in replies
    ]
    return view | {"replies": shown}


async def _own_thread(call: Call, services: Services, rev: str) -> Body | None:
    """The thread of a post of the caller's that the AppView does not know yet."""
    member = call.member
    try:
        parts = at_uri_parts(call.params["uri"])
    except Invalid:
        return None
    owner = find_member(services.store, parts.authority)
    if owner is None or owner.id != member.id:
        return None
    uri = f"at://{member.did}/{parts.collection}/{parts.rkey}"
    lately = since(services, member, rev)
    written = next((post for post in lately.posts if post.uri == uri), None)
    if written is None:
        return None
    viewer = Viewer(call, services)
    thread: View = {"$type": _THREAD, "post": await viewer.post(written)}
    rest = tuple(post for post in lately.posts if post.uri != uri)
    thread = await _with_replies(viewer, thread, rest)
    parent = _reply(written.record, "parent")
    above = None if parent is None else await _parents(call, services, parent)
    if above is not None:
        thread["parent"] = above
    return _answer(services, {"thread": thread}, lately)


async def _parents(call: Call, services: Services, parent: str) -> View | None:
    """What the AppView knows above a post; None if it knows nothing."""
    height = call.params.get("parentHeight", 80)
    text = f"uri={parent}&parentHeight={height}&depth=0".encode()
    request = Request(call.nsid, text, call.headers)
    try:
        _, _, body = await services.proxy.forward(request, call.member, call.agent.credential)
        thread: View = orjson.loads(body)["thread"]
    except (PodError, XrpcError, orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return thread


def _is_own(feed: list[View], caller: str) -> bool:
    if not feed:
        return False
    first: dict[str, Any] = feed[0]
    reason = first.get("reason")
    if not reason:
        return bool(first["post"]["author"]["did"] == caller)
    return bool(reason.get("$type") == _REPOST and reason["by"]["did"] == caller)


def _reply(record: View, which: str) -> str | None:
    reply = record.get("reply")
    uri = reply[which]["uri"] if isinstance(reply, dict) else None
    return uri if isinstance(uri, str) else None
