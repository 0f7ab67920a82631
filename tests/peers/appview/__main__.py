"""Runs the pod beside the real Bluesky AppView and prints what held, a line for each thing.

    python -m tests.peers.appview

Needs PostgreSQL and Redis (`apt-get install -y postgresql redis-server`) and, the first time, a
C++ compiler. Everything listens on 127.0.0.1, lives in a temporary folder and ends with the run.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.kit.node import Peer, PeerRefused, peer
from tests.kit.process import ROOT, Server, free_port, running
from tests.kit.story import picture, sign_up
from tests.peers.appview.databases import postgres, redis

HERE = Path(__file__).parent
POST = "app.bsky.feed.post"
POSTS = 5
WITHIN_S = 10.0


@dataclass
class Run:
    """The stage, and what was found out on it."""

    pod: Server
    directory: str
    network: Peer
    alice: Peer
    bob: Peer
    consumer: Peer
    library: Peer
    dids: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)

    def holds(self, sentence: str, look: Callable[[], str]) -> None:
        """Say whether `look` stops to raise in time; its text tells the figures."""
        begin = time.monotonic()
        while True:
            try:
                told = look()
            except (AssertionError, LookupError, PeerRefused) as err:
                if time.monotonic() - begin < WITHIN_S:
                    time.sleep(0.1)
                    continue
                self.failures.append(sentence)
                print(f"FAILED  {sentence}: {str(err).splitlines()[:1]}")
            else:
                print(f"ok {time.monotonic() - begin:5.2f} s  {sentence}" + (told and f": {told}"))
            return

    def seen_by(self, who: Peer, nsid: str, **params: Any) -> Any:
        """What the AppView says to somebody through the pod."""
        return who.ask("call", nsid=nsid, params=params)

    def feed(self, who: Peer) -> list[str]:
        """The texts in alice's feed, as somebody sees it."""
        answer = self.seen_by(who, "app.bsky.feed.getAuthorFeed", actor=self.dids["alice"])
        return [item["post"]["record"]["text"] for item in answer["feed"]]

    def timeline(self, who: Peer) -> list[str]:
        """The texts of somebody's timeline."""
        answer = self.seen_by(who, "app.bsky.feed.getTimeline")
        return [item["post"]["record"]["text"] for item in answer["feed"]]

    def replies(self, who: Peer, post: dict[str, Any]) -> list[str]:
        """The texts under a post."""
        thread = self.seen_by(who, "app.bsky.feed.getPostThread", uri=post["uri"])["thread"]
        return [reply["post"]["record"]["text"] for reply in thread["replies"]]

    def profile(self, who: Peer, name: str = "alice") -> Any:
        """Alice's or bob's profile, as somebody sees it."""
        return self.seen_by(who, "app.bsky.actor.getProfile", actor=self.dids[name])


def people_write(run: Run) -> None:
    """Two accounts by the official client, with one of each kind of record."""
    for name, who in (("alice", run.alice), ("bob", run.bob)):
        run.dids[name] = sign_up(who, name)["did"]
        who.ask("setProfile", profile={"displayName": name.title(), "description": "hi"})
    image = {"body": b64encode(picture("red")).decode(), "mimeType": "image/png", "alt": "red"}
    run.posts = [run.alice.ask("post", text=f"post {n}") for n in range(POSTS - 1)]
    run.posts.append(run.alice.ask("post", text="with a picture for @bob.test", images=[image]))
    first = {"uri": run.posts[0]["uri"], "cid": run.posts[0]["cid"]}
    run.bob.ask("follow", did=run.dids["alice"])
    run.bob.ask("like", **first)
    run.bob.ask("repost", **first)
    run.bob.ask("post", text="a reply", reply={"root": first, "parent": first})


def the_appview_serves(run: Run) -> None:
    """Everything comes back through the pod's proxy as the AppView has understood it."""

    def author_feed() -> str:
        given = {"nsid": "app.bsky.feed.getAuthorFeed", "params": {"actor": run.dids["alice"]}}
        answer = run.bob.ask("answer", **given)
        assert len(answer["data"]["feed"]) == POSTS
        return f"{POSTS} posts, atproto-repo-rev {answer['headers']['atproto-repo-rev']}"

    def profile() -> str:
        seen = run.profile(run.bob)
        told = {name: seen[name] for name in ("handle", "displayName", "postsCount")}
        assert told == {"handle": "alice.test", "displayName": "Alice", "postsCount": POSTS}
        assert (seen["followersCount"], "following" in seen["viewer"]) == (1, True)
        return json.dumps(told)

    def timeline() -> str:
        seen = run.timeline(run.bob)
        assert {"post 3", "with a picture for @bob.test", "a reply"} <= set(seen), seen
        return f"{len(seen)} items"

    def thread() -> str:
        assert run.replies(run.alice, run.posts[0]) == ["a reply"]
        return ""

    def counts() -> str:
        seen = run.seen_by(run.alice, "app.bsky.feed.getPosts", uris=[run.posts[0]["uri"]])
        post = seen["posts"][0]
        told = {name: post[name] for name in ("likeCount", "repostCount", "replyCount")}
        assert set(told.values()) == {1}, told
        return json.dumps(told)

    def notifications() -> str:
        told = {
            name: sorted(
                item["reason"]
                for item in run.seen_by(who, "app.bsky.notification.listNotifications")[
                    "notifications"
                ]
            )
            for name, who in (("alice", run.alice), ("bob", run.bob))
        }
        assert told == {"alice": ["follow", "like", "reply", "repost"], "bob": ["mention"]}, told
        return json.dumps(told)

    def image() -> str:
        uris = [run.posts[-1]["uri"]]
        post = run.seen_by(run.bob, "app.bsky.feed.getPosts", uris=uris)["posts"][0]
        assert post["embed"]["images"][0]["alt"] == "red"
        return ""

    def rows() -> str:
        tables = ["actor", "profile", "post", "like", "repost", "follow", "post_embed_image"]
        told = run.network.ask("rows", tables=tables)
        assert list(told.values()) == [2, 2, POSTS + 1, 1, 1, 1, 1], told
        return json.dumps(told)

    run.holds("getAuthorFeed has every post", author_feed)
    run.holds("getProfile has the profile, its counts and the follow", profile)
    run.holds("getTimeline has what is followed", timeline)
    run.holds("getPostThread has the reply", thread)
    run.holds("getPosts counts likes, reposts and replies", counts)
    run.holds("getPosts shows the picture", image)
    run.holds("listNotifications tells both", notifications)
    run.holds("rows in the AppView's database", rows)


def it_follows_changes(run: Run) -> None:
    """Deletions, new handles and rest reach the AppView as events of the firehose."""
    gone = run.posts.pop()
    run.alice.ask("deletePost", uri=gone["uri"])
    run.alice.ask("call", nsid="com.atproto.identity.updateHandle", data={"handle": "alicia.test"})

    def deleted() -> str:
        assert len(run.feed(run.bob)) == POSTS - 1
        return ""

    def renamed() -> str:
        handle = run.profile(run.bob)["handle"]
        assert handle == "alicia.test", handle
        return ""

    def deactivated() -> str:
        try:
            handle = run.profile(run.alice, "bob")["handle"]
        except PeerRefused as err:
            return str(err).splitlines()[0]
        raise AssertionError(f"still there: {handle}")

    def back() -> str:
        return str(run.profile(run.alice, "bob")["handle"])

    run.holds("a deleted post leaves the feed", deleted)
    run.holds("a new handle is shown", renamed)
    run.bob.ask("call", nsid="com.atproto.server.deactivateAccount", data={})
    run.holds("a deactivated account is gone", deactivated)
    run.bob.ask("call", nsid="com.atproto.server.activateAccount")
    run.holds("and back when it is activated", back)


def people_read_what_they_wrote(run: Run) -> None:
    """While the AppView is behind, the author sees the new post already, and nobody else does."""
    run.network.ask("rest")
    run.alice.ask("setProfile", profile={"displayName": "Alicia"})
    reply_to = {"uri": run.posts[1]["uri"], "cid": run.posts[1]["cid"]}
    run.alice.ask("post", text="not indexed yet")
    run.alice.ask("post", text="nor this", reply={"root": reply_to, "parent": reply_to})

    def feed() -> str:
        given = {"nsid": "app.bsky.feed.getAuthorFeed", "params": {"actor": run.dids["alice"]}}
        answer = run.alice.ask("answer", **given)
        texts = [item["post"]["record"]["text"] for item in answer["data"]["feed"]]
        assert "not indexed yet" in texts, texts
        return f"atproto-upstream-lag {answer['headers']['atproto-upstream-lag']}"

    def timeline() -> str:
        assert "not indexed yet" in run.timeline(run.alice)
        return ""

    def thread() -> str:
        assert "nor this" in run.replies(run.alice, run.posts[1])
        return ""

    def profile() -> str:
        seen = run.profile(run.alice)["displayName"]
        assert seen == "Alicia", seen
        return ""

    def others() -> str:
        assert "not indexed yet" not in run.feed(run.bob)
        return ""

    def caught_up() -> str:
        assert "not indexed yet" in run.feed(run.bob)
        return ""

    run.holds("behind: the author's own feed has the new post", feed)
    run.holds("behind: so has the timeline", timeline)
    run.holds("behind: the thread has the new reply", thread)
    run.holds("behind: the profile has the new name", profile)
    run.holds("behind: others do not see it yet", others)
    run.network.ask("follow")
    run.holds("the AppView catches up from its cursor", caught_up)


def everything_is_proven(run: Run) -> None:
    """The authenticating consumer, the export and a proof by the official libraries."""
    did = run.dids["alice"]

    def head() -> str:
        return str(_bytes(run, "getLatestCommit", did=did)["rev"])

    def consumer() -> str:
        seen = run.consumer.ask("seen")
        assert seen["errors"] == [], seen["errors"]
        assert any(event["rev"] == head() for event in seen["events"] if "rev" in event)
        return json.dumps(Counter(event["event"] for event in seen["events"]))

    def export() -> str:
        told = run.library.ask("repo", car=_car(run, "getRepo", did=did), did=did, key=_key(run))
        assert told["rev"] == head()
        return f"{len(told['creates'])} records at {told['rev']}"

    def proof() -> str:
        rkey = run.posts[0]["uri"].rpartition("/")[2]
        car = _car(run, "getRecord", did=did, collection=POST, rkey=rkey)
        told = run.library.ask("records", car=car, did=did, key=_key(run))
        assert told == [{"collection": POST, "rkey": rkey}]
        return ""

    def log() -> str:
        assert "Traceback" not in run.pod.log.read_text()
        return ""

    run.holds("@atproto/sync proves every commit, without an error", consumer)
    run.holds("@atproto/repo verifies the export", export)
    run.holds("@atproto/repo verifies the proof of a record", proof)
    run.holds("the pod logged no crash", log)


def _bytes(run: Run, method: str, **params: str) -> Any:
    return httpx.get(f"{run.pod.address}/xrpc/com.atproto.sync.{method}", params=params).json()


def _car(run: Run, method: str, **params: str) -> str:
    got = httpx.get(f"{run.pod.address}/xrpc/com.atproto.sync.{method}", params=params)
    return b64encode(got.raise_for_status().content).decode()


def _key(run: Run) -> str:
    told = httpx.get(f"{run.directory}/{run.dids['alice']}/data").json()
    return str(told["verificationMethods"]["atproto"])


def main() -> int:
    """Run it all; 0 if everything held."""
    subprocess.run([ROOT / "scripts/peers"], check=True)
    subprocess.run([ROOT / "scripts/peers", HERE.relative_to(ROOT), "better-sqlite3"], check=True)
    folder = Path(tempfile.mkdtemp(prefix="appview-"))
    folder.chmod(0o711)  # PostgreSQL's user passes through to its own folder
    begin = time.monotonic()
    try:
        with ExitStack() as stack:
            port = free_port()
            databases = [stack.enter_context(postgres(folder)), stack.enter_context(redis(folder))]
            network = stack.enter_context(
                peer("network.mjs", str(port), *databases, timeout_s=60, folder=HERE)
            )
            appview = json.dumps({name: network.ready[name] for name in ("url", "did")})
            pod = stack.enter_context(
                running(
                    folder / "pod",
                    port=port,
                    options=["--plc", network.ready["plc"]],
                    environment={"COMMONPOD_APPVIEW": appview},
                )
            )
            clients = [
                stack.enter_context(peer(*command))
                for command in (
                    ("atproto_client.mjs", pod.url),
                    ("atproto_client.mjs", pod.url),
                    ("sync_client.mjs", pod.url, network.ready["plc"]),
                    ("repo_verify.mjs",),
                )
            ]
            run = Run(pod, network.ready["plc"], network, *clients)
            print(f"everything runs after {time.monotonic() - begin:.1f} s")
            run.consumer.ask("start")
            network.ask("follow")
            people_write(run)
            the_appview_serves(run)
            it_follows_changes(run)
            people_read_what_they_wrote(run)
            everything_is_proven(run)
            run.consumer.ask("stop")
            network.ask("close")
    finally:
        shutil.rmtree(folder)
    took = time.monotonic() - begin
    print(
        f"{len(run.failures)} failed; {took:.1f} s in all"
        if run.failures
        else f"all held; {took:.1f} s"
    )
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
