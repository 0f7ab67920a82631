"""A member and a Fedify server: posts for some with pictures and polls, unlisted posts, emoji."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.blackbox.test_fedify import Alice, about, eventually, heard
from tests.blackbox.test_fedify_objects import alice as alice  # the fixture
from tests.blackbox.test_mastodon_client import picture, status_of
from tests.kit.node import peer
from tests.kit.process import ROOT

pytestmark = pytest.mark.peer

PNG = base64.b64decode(picture())
FOLLOWERS_ONLY = "followers of alice alone"


def uploaded(alice: Alice) -> tuple[str, str]:
    """A picture as an attachment names it, and its CID."""
    blob = alice.xrpc("com.atproto.repo.uploadBlob", PNG, "image/png")["blob"]
    cid = blob["ref"]["$link"]
    return f"{alice.server.origin('alice')}/blobs/{cid}", cid


@pytest.mark.parametrize("scheme", ["rfc9421", "cavage"])
def test_a_followers_picture_and_poll_reach_followers_and_go(alice: Alice, scheme: str) -> None:
    with peer("fedify.mjs", "ann", scheme) as ann, peer("fedify.mjs", "eve", scheme) as eve:
        ann.ask("follow", actor=alice.actor)
        heard(ann, lambda entry: entry["type"] == "Accept")
        url, cid = uploaded(alice)
        options = [{"type": "Note", "name": name} for name in ("Here", "There")]
        secret = alice.say(
            {
                "type": "Question",
                "content": f"<p>{FOLLOWERS_ONLY}</p>",
                "to": [f"{alice.server.origin('alice')}/followers"],
                "oneOf": options,
                "attachment": [{"type": "Image", "url": url, "name": "red"}],
            }
        )
        shows = heard(ann, about(secret, "Create"))["shows"]
        (file,) = shows["attachments"]
        assert (file["type"], file["mediaType"], file["alt"]) == ("Image", "image/png", "red")
        assert status_of(alice.server, file["url"]) == 200
        assert status_of(alice.server, url) == 404
        get_blob = f"{alice.server.address}/xrpc/com.atproto.sync.getBlob?did={alice.did}&cid={cid}"
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(get_blob, timeout=10)
        assert ann.ask("show", url=secret)["attachments"] == shows["attachments"]
        with pytest.raises(Exception, match="nothing found"):
            eve.ask("show", url=secret)

        ann.ask("vote", object=secret, choice="There")
        told = heard(ann, about(secret, "Update"))["shows"]["poll"]
        assert [option["votes"] for option in told["options"]] == [0, 1]

        alice.say({"type": "Update", "object": {"id": secret, "attachment": []}})
        eventually(lambda: status_of(alice.server, file["url"]) == 404)
        alice.say({"type": "Delete", "object": secret})
        heard(ann, about(secret, "Delete"))
        assert all(FOLLOWERS_ONLY not in str(entry) for entry in eve.ask("log"))


def test_an_unlisted_post_is_for_everybody_in_cc(alice: Alice) -> None:
    with peer("fedify.mjs", "una") as una:
        una.ask("follow", actor=alice.actor)
        heard(una, lambda entry: entry["type"] == "Accept")
        followers = f"{alice.server.origin('alice')}/followers"
        note: dict[str, Any] = {
            "type": "Note", "content": "<p>quiet</p>", "to": [followers],
            "cc": ["https://www.w3.org/ns/activitystreams#Public"],
        }  # fmt: skip
        post = alice.say(note)
        document = heard(una, about(post, "Create"))["document"]
        assert document["to"] == [followers]
        assert document["cc"] == note["cc"]
        assert una.ask("show", url=post)["content"] == "<p>quiet</p>"


def test_custom_emoji_come_with_their_pictures(alice: Alice, tmp_path: Path) -> None:
    (tmp_path / "party.png").write_bytes(PNG)
    subprocess.run(
        [sys.executable, "-m", "server", "emoji", "add", "party", tmp_path / "party.png", "--dev"],
        cwd=ROOT,
        env={**os.environ, "COMMONPOD_DATA_DIR": str(alice.server.data_dir)},
        check=True,
        timeout=60,
    )
    with peer("fedify.mjs", "pim") as pim:
        shows = pim.ask("show", url=alice.post("Time for a :party: then"))
        (tag,) = shows["tags"]
        assert (tag["type"], tag["name"]) == ("Emoji", ":party:")
        with urllib.request.urlopen(tag["icon"], timeout=10) as response:
            assert response.read() == PNG
        theirs = pim.ask("post", text="<p>Mine</p>")
        alice.say({"type": "EmojiReact", "object": theirs, "content": ":party:"})
        got = heard(pim, lambda entry: entry["type"] == "EmojiReact")
        assert [tag["name"] for tag in got["document"]["tag"]] == [":party:"]
