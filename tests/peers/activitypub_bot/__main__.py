"""Runs the pod beside a bot of activitypub-bot and prints what held, a line for each thing.

    scripts/peers tests/peers/activitypub_bot sqlite3
    python -m tests.peers.activitypub_bot

The bot follows a member, answers, edits, likes, boosts and takes all of it back (recorded and
played again as `tests.peers.record` does); then the member does so to the bot.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.kit.acquaintance import WITHIN_S, Meeting, meeting, record
from tests.kit.fediverse import AS2, EVERYBODY
from tests.kit.recording import play

FOLDER = Path(__file__).parent


def say(met: Meeting, kind: str, **activity: Any) -> str:
    """The member's own client posts to their outbox; the id of what was made."""
    host = met.member.removeprefix("http://")
    request = urllib.request.Request(
        f"{met.server.address}/outbox",
        data=json.dumps({"@context": AS2, "type": kind, "to": [EVERYBODY], **activity}).encode(),
        headers={
            "Content-Type": "application/activity+json",
            "Authorization": f"Bearer {met.alice.token}",
            "Host": host,
        },
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return str(response.headers["Location"])


def until(found: Callable[[], bool], what: str) -> None:
    """Wait for something; raises AssertionError with its name."""
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        if found():
            return
        time.sleep(0.1)
    raise AssertionError(what)


def heard(met: Meeting, kind: str, about: str = "") -> bool:
    """Whether the bot was told of something."""
    told = met.bob.ask("log")
    return any(each["type"] == kind and about in str(each["object"]) for each in told)


def back(met: Meeting) -> list[tuple[str, Callable[[], None]]]:
    """What the member does to the bot, each with what shows that it arrived."""
    bob, me, post = met.bob, f"{met.member}/me", met.bob.ask("post", text="from the bot")
    mention = {"type": "Mention", "href": bob.ready["actor"], "name": "@bob@127.0.0.1"}
    made: dict[str, str] = {}

    def follow() -> None:
        made["follow"] = say(met, "Follow", object=bob.ready["actor"])
        until(lambda: bool(bob.ask("followed", actor=me)), "the bot has no follower")

    def mentioned() -> None:
        note = say(met, "Note", content="<p>@bob hello</p>", tag=[mention])
        until(lambda: heard(met, "Mention", note), str(bob.ask("log")))

    def answer() -> None:
        note = say(met, "Note", content="<p>Indeed</p>", inReplyTo=post)
        until(lambda: heard(met, "Mention", note), str(bob.ask("log")))

    def like() -> None:
        made["like"] = say(met, "Like", object=post)
        until(lambda: heard(met, "Like", post), str(bob.ask("log")))

    def boost() -> None:
        say(met, "Announce", object=post)
        until(lambda: heard(met, "Announce", post), str(bob.ask("log")))

    def unfollow() -> None:
        say(met, "Undo", object=made["follow"])
        until(lambda: not bob.ask("followed", actor=me), "the bot still has a follower")

    return [
        ("a member follows the bot", follow),
        ("a mention reaches it", mentioned),
        ("an answer to its note reaches it", answer),
        ("a like of its note reaches it", like),
        ("a boost of its note reaches it", boost),
        ("the member follows it no more", unfollow),
    ]


def main() -> int:
    """Run everything; 1 where something did not hold."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        with meeting(Path(folder) / "live", "bot.mjs", "bob", peers=FOLDER) as met:
            recording = record(met, "activitypub-bot 0.51.2")
            steps = [each["step"] for each in recording["requests"]]
            print(f"ok  the bot does to a member: {', '.join(steps)}")
            for name, scene in back(met):
                begin = time.monotonic()
                try:
                    scene()
                except AssertionError as err:
                    failed += 1
                    print(f"FAILED  {name}: {str(err)[:600]}")
                else:
                    print(f"ok {time.monotonic() - begin:5.2f} s  {name}")
        (Path(folder) / "again").mkdir()
        asyncio.run(play(Path(folder) / "again", recording))
        print("ok  what it sent is understood when it is played again")
    return min(failed, 1)


sys.exit(main())
