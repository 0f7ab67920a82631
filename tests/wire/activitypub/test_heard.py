"""Who may read what was heard of others: a letter is for whom it names, whoever else follows."""

from __future__ import annotations

import json

from adapters.activitypub.mastodon.library import Library
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.timeline import Heard
from storage.timelines import SqlTimelines
from tests.kit.fediverse import AS2, EVERYBODY, FediPod, Peer
from tests.wire.activitypub.conftest import Tell


def test_a_letter_is_for_nobody_but_whom_it_names(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        library = Library(pod.wing.social._wing, SqlTimelines(pod.store.database))
        carol = await pod.member("carol")
        followers = f"{bob.id}/followers"
        document = {**bob.actor(), "followers": followers}
        now = pod.clock.now()
        await pod.cache.put(bob.id, json.dumps(document).encode(), now)
        await pod.say(carol, {"@context": AS2, "type": "Follow", "object": bob.id})
        (path,) = pod.store.about(carol.id, "/data/social/follow/", bob.id)
        follow = {"type": "Follow", "id": carol.url(path), "actor": carol.webid, "object": bob.id}
        assert await pod.post(bob, bob.activity("Accept", follow)) == 202
        for name, told, readers in (
            ("letter", [alice.webid, "https://elsewhere.test/unknown"], {alice.webid}),
            ("circle", [followers], {carol.webid}),
            ("world", [EVERYBODY], {alice.webid, carol.webid}),
        ):
            iri = Iri(f"{bob.origin}/notes/{name}")
            note = {"id": iri, "type": "Note", "attributedTo": bob.id, "to": told}
            await library.timelines.hear(Heard(iri, bob.id, now, json.dumps(note).encode()))
            found = {m.webid for m in (alice, carol) if library.post(iri, m) is not None}
            assert found == readers, name
            assert (library.post(iri, None) is not None) is (name == "world")

    tell(story)
