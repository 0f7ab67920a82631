"""An app hears of changes for as long as the member lets it in, and no longer."""

from __future__ import annotations

import json
from pathlib import Path

from tests.kit.listening import CONTEXT, NOTIFY, SOCKET, socket
from tests.kit.solid_app import SolidApp
from tests.kit.whole import JSON_LD, TURTLE, Town, Whole

NOTE = "http://alice.localhost:2583/data/note.ttl"


def test_an_app_that_is_out_hears_nothing_more(tmp_path: Path) -> None:
    town = Town(tmp_path)
    try:
        town.run(_story(town.whole))
    finally:
        town.close()


async def _story(whole: Whole) -> None:
    alice = await whole.join("alice")
    app = SolidApp(whole)
    await app.be_let_in(**{"reach /": "w"})
    wanted = {"@context": [CONTEXT], "type": NOTIFY + SOCKET, "topic": NOTE}
    await whole.ask("PUT", NOTE, "<> a <urn:one>.", as_=alice, content_type=TURTLE)
    made = await app.call(
        "POST", f"/.notifications/{SOCKET}/", json.dumps(wanted), content_type=JSON_LD
    )
    assert made.status == 200, made.body
    async with socket(whole, made.json["receiveFrom"]) as listener:
        await whole.ask("PUT", NOTE, "<> a <urn:two>.", as_=alice, content_type=TURTLE)
        assert (await listener.message())["type"] == "Update"
        await app.surfer.get("/account")
        await app.surfer.fill_in("/account/sessions")
        await whole.ask("PUT", NOTE, "<> a <urn:three>.", as_=alice, content_type=TURTLE)
        assert (await listener.next())["type"] == "websocket.close"
