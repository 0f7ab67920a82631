"""app.bsky methods with a rule of their own: feeds, push notifications, age."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

from pod.model.ids import Did
from pod.settings import AppView
from tests.kit.xrpc import Pod, in_pod

APPVIEW = AppView("https://api.example", Did("did:web:api.example"))
FEED = "at://did:plc:" + "f" * 24 + "/app.bsky.feed.generator/best"


def claims(headers: dict[str, str]) -> dict[str, Any]:
    payload = headers["authorization"].split(".")[1]
    return json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_a_feed_is_filled_with_a_token_for_its_generator():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        pod.upstream.body = b'{"view":{"did":"did:web:feeds.example"},"feed":[]}'
        reply = await pod.get("app.bsky.feed.getFeed", alice.access, feed=FEED, limit=3)
        assert reply.status == 200
        (asked, own, _), (url, headers, _) = pod.upstream.asked
        assert asked.startswith("https://api.example/xrpc/app.bsky.feed.getFeedGenerator?feed=at")
        assert claims(own)["aud"] == APPVIEW.did
        assert url.startswith("https://api.example/xrpc/app.bsky.feed.getFeed?")
        token = claims(headers)
        assert token["aud"] == "did:web:feeds.example"
        assert token["lxm"] == "app.bsky.feed.getFeedSkeleton"

    in_pod(story, appview=APPVIEW)


def test_a_feed_whose_generator_nobody_knows_is_the_upstreams_failure():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        reply = await pod.get("app.bsky.feed.getFeed", alice.access, feed=FEED)
        assert (reply.status, reply.error) == (502, "UpstreamFailure")

    in_pod(story, appview=APPVIEW)


def test_push_goes_to_the_service_that_the_app_names():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        did = "did:web:push.example"
        entry = {"id": "#bsky_notif", "type": "N", "serviceEndpoint": "https://push.example"}
        pod.directory.documents[did] = {"id": did, "service": [entry]}
        body = {"serviceDid": did, "token": "t", "platform": "web", "appId": "app"}
        for name in ("registerPush", "unregisterPush"):
            nsid = f"app.bsky.notification.{name}"
            assert (await pod.post(nsid, body, alice.access)).status == 200
            url, headers, sent = pod.upstream.asked[-1]
            assert url == f"https://push.example/xrpc/{nsid}"
            assert (claims(headers)["aud"], claims(headers)["lxm"]) == (did, nsid)
            assert json.loads(sent or b"") == body
            own = body | {"serviceDid": APPVIEW.did}
            assert (await pod.post(nsid, own, alice.access)).status == 200
            assert pod.upstream.asked[-1][0] == f"https://api.example/xrpc/{nsid}"
        lost = body | {"serviceDid": "did:web:lost.example"}
        reply = await pod.post("app.bsky.notification.registerPush", lost, alice.access)
        assert reply.status == 400

    in_pod(story, appview=APPVIEW)


def test_without_an_appview_nobody_asked_for_an_age_and_nothing_is_shut():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        state = await pod.get("app.bsky.ageassurance.getState", alice.access, countryCode="GB")
        assert state.json["state"] == {"status": "unknown", "access": "full"}
        first = await pod.get("app.bsky.unspecced.getAgeAssuranceState", alice.access)
        assert first.json == {"status": "unknown"}

    in_pod(story)


def test_who_told_their_birthday_shows_their_age_to_every_app():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        personal = {
            "$type": "app.bsky.actor.defs#personalDetailsPref",
            "birthDate": "2009-11-25T00:00:00.000Z",
        }
        put = {"preferences": [personal]}
        assert (await pod.post("app.bsky.actor.putPreferences", put, alice.access)).status == 200
        made = await pod.post("com.atproto.server.createAppPassword", {"name": "x"}, alice.access)
        given = {"identifier": "alice.test", "password": made.json["password"]}
        session = await pod.post("com.atproto.server.createSession", given)
        shown = await pod.get("app.bsky.actor.getPreferences", session.json["accessJwt"])
        assert shown.json["preferences"] == [
            {
                "$type": "app.bsky.actor.defs#declaredAgePref",
                "isOverAge13": True,
                "isOverAge16": True,
                "isOverAge18": False,
            }
        ]

    in_pod(story)
