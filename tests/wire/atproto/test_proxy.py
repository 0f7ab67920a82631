"""Methods of other services: whom they go to, what is passed on, and what is kept back."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode

from pod.access.agent import Credential
from pod.keys.curves import verify
from pod.model.ids import Did
from pod.settings import AppView
from tests.kit.xrpc import Pod, in_pod

APPVIEW = AppView("https://api.bsky.example", Did("did:web:api.bsky.example"))
TIMELINE = "app.bsky.feed.getTimeline"
PROFILE = "app.bsky.actor.getProfile"


def claims_of(headers: dict[str, str]) -> dict:
    token = headers["authorization"].removeprefix("Bearer ")
    return json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))


def test_what_we_do_not_have_is_asked_of_the_appview_in_the_members_name():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        pod.upstream.body = b'{"feed":[]}'
        pod.upstream.headers |= {"atproto-repo-rev": "3abc", "set-cookie": "a=b", "server": "x"}
        headers = {
            "accept-language": "de",
            "atproto-accept-labelers": "did:web:l.example",
            "x-atproto-bsky-topics": "t",
            "cookie": "secret=1",
            "user-agent": "me",
        }
        path = f"/xrpc/{TIMELINE}"
        reply = await pod.ask("GET", path, "limit=3", headers=headers, token=alice.access)
        assert (reply.status, reply.body) == (200, b'{"feed":[]}')
        assert reply.headers["atproto-repo-rev"] == "3abc"
        assert not {"set-cookie", "server"} & reply.headers.keys()
        [(url, sent, body)] = pod.upstream.asked
        assert (url, body) == (f"{APPVIEW.url}/xrpc/{TIMELINE}?limit=3", None)
        assert sent.keys() == {
            "accept-language",
            "atproto-accept-labelers",
            "x-atproto-bsky-topics",
            "authorization",
        }
        claims = claims_of(sent)
        assert (claims["iss"], claims["aud"], claims["lxm"]) == (
            alice.did,
            APPVIEW.did,
            TIMELINE,
        )
        token = sent["authorization"].removeprefix("Bearer ")
        signed, _, signature = token.rpartition(".")
        key = pod.keys.repo_key(alice.member.id).did_key
        assert verify(key, signed.encode(), urlsafe_b64decode(signature + "=="))

    in_pod(story, appview=APPVIEW)


def test_a_procedure_passes_its_body_on_unread():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        given = {"any": [1, 2.5, "x"]}
        reply = await pod.post("app.bsky.graph.muteActor", given, alice.access)
        assert reply.status == 200
        [(_, sent, body)] = pod.upstream.asked
        assert (json.loads(body), sent["content-type"]) == (given, "application/json")

    in_pod(story, appview=APPVIEW)


def test_the_header_names_another_service():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        did = "did:web:labels.example"
        pod.directory.documents[did] = {
            "id": did,
            "service": [{"id": "#atproto_labeler", "serviceEndpoint": "https://labels.example/"}],
        }
        path = "/xrpc/tools.ozone.team.listMembers"
        headers = {"atproto-proxy": f"{did}#atproto_labeler"}
        assert (await pod.ask("GET", path, headers=headers, token=alice.access)).status == 200
        [(url, sent, _)] = pod.upstream.asked
        assert url == "https://labels.example/xrpc/tools.ozone.team.listMembers"
        assert claims_of(sent)["aud"] == did

    in_pod(story)


def test_a_bad_proxy_header_is_refused_and_nobody_is_asked():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        for named in (
            "did:web:a.example",
            "#x",
            "did:web:a.example#",
            "did:web:a.example#b#c",
            "did:web:a.example#b c",
            "nonsense#b",
            "did:web:unknown.example#b",
            f"{alice.did}#nothing",
        ):
            reply = await pod.ask(
                "GET",
                f"/xrpc/{TIMELINE}",
                headers={"atproto-proxy": named},
                token=alice.access,
            )
            assert (reply.status, reply.error) == (400, "InvalidRequest"), named
        assert pod.upstream.asked == []

    in_pod(story, appview=APPVIEW)


def test_strangers_and_methods_about_the_account_are_not_passed_on():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        assert (await pod.get(TIMELINE)).error == "AuthMissing"
        assert (await pod.post("com.atproto.admin.sendEmail", {}, alice.access)).status == 401
        weak = pod.services.tokens.access(alice.did, Credential.APP_PASSWORD)
        chat = "chat.bsky.convo.listConvos"
        assert (await pod.get(chat, weak)).error == "InvalidToken"
        assert pod.upstream.asked == []
        assert (await pod.get(chat, alice.access)).status == 200

    in_pod(story, appview=APPVIEW)


def test_an_error_of_the_service_keeps_its_name_and_its_crash_is_a_bad_gateway():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        pod.upstream.status = 400
        pod.upstream.body = b'{"error":"NotFound","message":"no such thing","stack":"secret"}'
        reply = await pod.get(TIMELINE, alice.access)
        assert (reply.status, reply.json) == (
            400,
            {"error": "NotFound", "message": "no such thing"},
        )
        pod.upstream.status, pod.upstream.body = 500, b"<html>"
        reply = await pod.get(TIMELINE, alice.access)
        assert (reply.status, reply.error) == (502, "UpstreamFailure")

    in_pod(story, appview=APPVIEW)


def test_records_of_repos_elsewhere_are_asked_of_the_appview_without_a_token():
    async def story(pod: Pod):
        at = {"repo": "did:web:far.example", "collection": "a.b.c", "rkey": "x"}
        assert (await pod.get("com.atproto.repo.getRecord", **at)).status == 200
        [(_, sent, _)] = pod.upstream.asked
        assert "authorization" not in sent

    in_pod(story, appview=APPVIEW)


def test_without_an_appview_the_pod_shows_its_own_members():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        record = {"$type": "app.bsky.actor.profile", "displayName": "Alice", "description": "Hi"}
        given = {
            "repo": alice.did,
            "collection": "app.bsky.actor.profile",
            "rkey": "self",
            "record": record,
        }
        await pod.post("com.atproto.repo.putRecord", given, alice.access)
        made = [await pod.write_post(alice, text) for text in ("one", "two", "three")]
        view = (await pod.get(PROFILE, alice.access, actor="alice.test")).json
        assert (view["did"], view["handle"]) == (alice.did, "alice.test")
        assert (view["displayName"], view["description"]) == ("Alice", "Hi")
        assert (view["postsCount"], view["followsCount"]) == (3, 0)
        both = await pod.get(
            "app.bsky.actor.getProfiles", alice.access, actors=[alice.did, "nobody.test"]
        )
        assert [profile["did"] for profile in both.json["profiles"]] == [alice.did]
        feed = "app.bsky.feed.getAuthorFeed"
        first = (await pod.get(feed, alice.access, actor=alice.did, limit=2)).json
        rest = (
            await pod.get(feed, alice.access, actor=alice.did, limit=2, cursor=first["cursor"])
        ).json
        uris = [item["post"]["uri"] for item in first["feed"] + rest["feed"]]
        assert uris == [answer["uri"] for answer in reversed(made)]
        assert (await pod.get(PROFILE, alice.access, actor="nobody.test")).status == 400

    in_pod(story)


def test_with_an_appview_profiles_are_its_business():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        pod.upstream.body = b'{"did":"x"}'
        assert (await pod.get(PROFILE, alice.access, actor=alice.did)).json == {"did": "x"}

    in_pod(story, appview=APPVIEW)
