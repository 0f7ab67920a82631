"""How channels are found and asked for; each test names the requirement that it is about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import rdflib

from tests.kit.listening import CONTEXT, NOTIFY, SOCKET, STREAM, WEBHOOK, subscribe
from tests.kit.whole import JSON_LD, TURTLE, Person, Reply, Town

TYPES = (SOCKET, WEBHOOK, STREAM)
DOC = "/data/today.ttl"
N = rdflib.Namespace(NOTIFY)


class Stage:
    """A town where alice and bob live."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.alice: Person = town.run(town.whole.join("alice"))
        self.bob: Person = town.run(town.whole.join("bob"))
        self.ask("PUT", DOC, "<> a <urn:x>.", as_=self.alice, content_type=TURTLE)

    def ask(self, method: str, path: str, body: str | bytes = b"", **more: Any) -> Reply:
        url = path if "://" in path else self.alice.member.url(path)
        return self.town.run(self.town.whole.ask(method, url, body, **more))

    def wish(self, topic: str = DOC, *, as_: Person | None = None, **more: Any) -> Reply:
        who = as_ or self.alice
        return self.town.run(subscribe(self.town.whole, self.alice.member, topic, as_=who, **more))

    def service(self, kind: str = SOCKET) -> str:
        return f"/.notifications/{kind}/"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    town = Town(tmp_path_factory.mktemp("town"))
    yield Stage(town)
    town.close()


def links_of(reply: Reply) -> dict[str, str]:
    found = (part.split(">; rel=") for part in reply.headers["link"].split(", "))
    return {rel.strip('"'): url[1:] for url, rel in found}


@pytest.mark.parametrize("path", [DOC, "/data/", "/inbox/", "/me"])
def test_each_resource_leads_to_the_description_of_its_storage(stage: Stage, path: str) -> None:
    """resource-server-link-storage-description-resource"""
    found = links_of(stage.ask("HEAD", path, as_=stage.alice, accept=TURTLE))
    description = found["http://www.w3.org/ns/solid/terms#storageDescription"]
    assert description == stage.alice.member.url("/.well-known/solid")


def test_the_description_lists_every_service_with_its_type_and_features(stage: Stage) -> None:
    """resource-server-description-resource-accept, resource-server-description-resource-response"""
    reply = stage.ask("GET", "/.well-known/solid", accept=JSON_LD)
    assert reply.headers["content-type"] == JSON_LD
    turtle = stage.ask("GET", "/.well-known/solid", accept=TURTLE)
    graph = rdflib.Graph().parse(data=turtle.body, format="turtle")
    storage = rdflib.URIRef(stage.alice.member.url("/data/"))
    services = set(graph.objects(storage, N.subscription))
    assert {graph.value(each, N.channelType) for each in services} == {N[kind] for kind in TYPES}
    for each in services:
        features = {str(feature).removeprefix(NOTIFY) for feature in graph.objects(each, N.feature)}
        assert features == {"state", "startAt", "endAt", "rate", "accept"}
        assert stage.ask("GET", str(each)).status == 200


@pytest.mark.parametrize("kind", TYPES)
def test_a_service_answers_get_head_options_and_post(stage: Stage, kind: str) -> None:
    """subscription-server-subscription-request-methods"""
    path = stage.service(kind)
    shown = stage.ask("GET", path)
    assert shown.json["channelType"] == NOTIFY + kind
    assert shown.json["id"] == stage.alice.member.url(path)
    assert stage.ask("HEAD", path).status == 200
    options = stage.ask("OPTIONS", path, origin="https://app.example")
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    more = {"sendTo": "https://app.example/hook"} if kind == WEBHOOK else {}
    assert stage.wish(kind=kind, **more).status == 200


@pytest.mark.parametrize("accept", [JSON_LD, "*/*", TURTLE, "application/n-triples"])
def test_a_channel_is_described_in_the_syntax_that_is_asked_for(stage: Stage, accept: str) -> None:
    """subscription-server-subscription-request-accept"""
    made = stage.wish().json["id"]
    reply = stage.ask("GET", made, as_=stage.alice, accept=accept)
    kind = JSON_LD if accept == "*/*" else accept
    assert reply.headers["content-type"] == kind
    if kind != JSON_LD:
        graph = rdflib.Graph().parse(data=reply.body, format=kind)
        assert (rdflib.URIRef(made), rdflib.RDF.type, N[SOCKET]) in graph
    assert stage.ask("GET", made, as_=stage.alice, accept="image/png").status == 406


def test_subscriptions_are_json_ld_or_turtle(stage: Stage) -> None:
    """subscription-server-subscription-request-content-type"""
    topic = stage.alice.member.url(DOC)
    wish = f"[] a <{NOTIFY}{SOCKET}>; <{NOTIFY}topic> <{topic}>."
    path = stage.service()
    made = stage.ask("POST", path, wish, as_=stage.alice, content_type=TURTLE)
    assert made.json["topic"] == topic
    refused = stage.ask("POST", path, wish, as_=stage.alice, content_type="text/html")
    assert refused.status == 415
    assert stage.ask("POST", path, "{", as_=stage.alice, content_type=JSON_LD).status == 400


@pytest.mark.parametrize(("profile", "status"), [(CONTEXT, 200), ("https://x.example/", 415)])
def test_an_unsupported_profile_is_415(stage: Stage, profile: str, status: int) -> None:
    """subscription-server-subscription-request-profile-unrecognised"""
    wish = {"@context": CONTEXT, "type": SOCKET, "topic": stage.alice.member.url(DOC)}
    kind = f'{JSON_LD}; profile="{profile}"'
    reply = stage.ask("POST", stage.service(), json.dumps(wish), as_=stage.alice, content_type=kind)
    assert reply.status == status


PAST = (datetime.now(UTC) - timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    "change",
    [
        {"@context": ["https://unknown.example/context"]},
        {"type": NOTIFY + WEBHOOK},
        {"type": None},
        {"topic": None},
        {"topic": ["http://alice.localhost:2583/data/a", "http://alice.localhost:2583/data/b"]},
        {"topic": "http://bob.localhost:2583/data/x.ttl"},
        {"topic": "http://alice.localhost:2583/outbox"},
        {"topic": "http://alice.localhost:2583/.notifications/gateway"},
        {"sendTo": "https://app.example/hook"},
        {"rate": "often"},
        {"rate": "-PT1S"},
        {"endAt": "tomorrow"},
        {"endAt": PAST},
        {"startAt": "2999-01-01T00:00:00Z"},
        {"accept": "image/png"},
        {"state": {"id": "https://app.example/"}},
        {"notify:channel": {"id": "https://app.example/"}},
    ],
)
def test_what_cannot_be_processed_is_422(stage: Stage, change: dict[str, Any]) -> None:
    """subscription-server-subscription-request-unprocessable-entity"""
    wish = {"@context": [CONTEXT], "type": NOTIFY + SOCKET, "topic": stage.alice.member.url(DOC)}
    sent = {name: value for name, value in {**wish, **change}.items() if value is not None}
    reply = stage.ask(
        "POST", stage.service(), json.dumps(sent), as_=stage.alice, content_type=JSON_LD
    )
    assert reply.status == 422, reply.body


@pytest.mark.parametrize("topic", ["/data//x", "/data/%2e%2e/x", "/data/a%2Fb", "/data/a/../b"])
def test_a_topic_is_read_as_strictly_as_a_request(stage: Stage, topic: str) -> None:
    assert stage.wish(stage.alice.member.origin + topic).status == 400


def test_the_answer_describes_the_channel_that_was_granted(stage: Stage) -> None:
    """subscription-server-subscription-response"""
    told = stage.wish(rate="PT10s", endAt="2999-01-01T00:00:00Z", accept=TURTLE).json
    assert told["@context"] == [CONTEXT]
    assert told["type"] == NOTIFY + SOCKET
    assert told["topic"] == stage.alice.member.url(DOC)
    assert told["receiveFrom"].startswith("ws://alice.localhost:2583/")
    assert (told["rate"], told["accept"]) == ("PT10S", TURTLE)
    left = datetime.fromisoformat(told["endAt"]) - datetime.now(UTC)
    assert timedelta(days=13) < left <= timedelta(days=14)
    assert stage.wish(kind=STREAM).json["receiveFrom"].startswith("http://alice.localhost:2583/")


def test_a_webhook_needs_somebody_who_asks_and_a_url_to_send_to(stage: Stage) -> None:
    """webhook-channel-2023#auth: the subscription request is authenticated"""
    told = stage.wish(kind=WEBHOOK, sendTo="https://app.example/hook").json
    assert told["sender"] == stage.alice.member.url("/.notifications/WebhookChannel2023/webId")
    assert told["sendTo"] == "https://app.example/hook"
    assert "receiveFrom" not in told
    assert stage.wish(kind=WEBHOOK).status == 422
    assert stage.wish(kind=WEBHOOK, sendTo="ftp://app.example/").status == 422
    # Everybody may read it, but nobody may have it sent somewhere without a name.
    wish = {
        "type": NOTIFY + WEBHOOK,
        "topic": stage.alice.member.webid,
        "sendTo": "https://a.example",
    }
    body = json.dumps({"@context": CONTEXT, **wish})
    anonymous = stage.ask("POST", stage.service(WEBHOOK), body, content_type=JSON_LD)
    assert anonymous.status == 401


def test_the_sender_of_webhooks_names_the_issuer_of_its_tokens(stage: Stage) -> None:
    webid = stage.alice.member.url("/.notifications/WebhookChannel2023/webId")
    reply = stage.ask("GET", webid, accept=TURTLE)
    graph = rdflib.Graph().parse(data=reply.body, format="turtle", publicID=webid)
    issuer = rdflib.URIRef("http://www.w3.org/ns/solid/terms#oidcIssuer")
    assert str(graph.value(rdflib.URIRef(webid), issuer)) == "http://localhost:2583"


def test_a_channel_is_its_holders_and_the_storages_owners_alone(stage: Stage) -> None:
    made = stage.wish("/me", as_=stage.bob).json["id"]
    assert stage.ask("GET", made).status == 401
    carol = stage.town.run(stage.town.whole.join("carol"))
    assert stage.ask("DELETE", made, as_=carol).status == 403
    assert stage.ask("GET", made, as_=stage.bob).json["topic"] == stage.alice.member.webid
    assert stage.ask("DELETE", made, as_=stage.bob).status == 204
    assert stage.ask("DELETE", made, as_=stage.bob).status == 404
    again = stage.wish("/me", as_=stage.bob).json["id"]
    assert stage.ask("DELETE", again, as_=stage.alice).status == 204


def test_the_oldest_channel_that_nobody_hears_makes_room(stage: Stage) -> None:
    made = [stage.wish("/me", as_=stage.bob).json["id"] for _ in range(101)]
    assert stage.ask("GET", made[0], as_=stage.bob).status == 404
    assert stage.ask("GET", made[-1], as_=stage.bob).status == 200


def test_the_id_of_a_channel_does_not_open_it(stage: Stage) -> None:
    told = stage.wish().json
    assert told["id"].rpartition("/")[2] not in told["receiveFrom"]
    host = stage.alice.member.host
    for ident in ("nonsense", told["id"].rpartition("/")[2]):
        path = f"/.notifications/{SOCKET}/receive/{ident}"
        sent = stage.town.run(stage.town.whole.connect(path, host=host))
        assert sent == [{"type": "websocket.close", "code": 1008}]


def test_requests_from_other_origins_may_subscribe(stage: Stage) -> None:
    reply = stage.ask(
        "OPTIONS",
        stage.service(),
        origin="https://app.example",
        access_control_request_method="POST",
        access_control_request_headers="authorization,content-type",
    )
    assert reply.headers["access-control-allow-origin"] == "https://app.example"
    assert "POST" in reply.headers["access-control-allow-methods"]


def test_clients_that_negotiate_at_a_gateway_get_a_socket(stage: Stage) -> None:
    """@inrupt/solid-client-notifications asks so."""
    gateway = {"protocols": ["ws"], "features": ["rate", "magic"]}
    told = stage.ask("POST", "/.notifications/gateway", json.dumps(gateway)).json
    assert (told["protocol"], told["features"]) == ("ws", ["rate"])
    wish = json.dumps({"topic": stage.alice.member.url(DOC), "rate": "PT1S"})
    kind = "application/json"
    made = stage.ask("POST", told["endpoint"], wish, as_=stage.alice, content_type=kind).json
    assert made["endpoint"].startswith("ws://")
    nothing = json.dumps({"protocols": ["smoke"]})
    assert stage.ask("POST", "/.notifications/gateway", nothing).status == 422
    assert stage.ask("POST", "/.notifications/gateway", "[]").status == 400


def test_channels_end_with_their_time_and_are_collected(tmp_path: Path) -> None:
    stage = Stage(Town(tmp_path))
    try:
        end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        made = stage.wish(endAt=end).json["id"]
        database = stage.town.whole.store.database

        async def collected() -> None:
            from storage.channels import SqlChannels

            await SqlChannels(database).drop_ended(datetime.now(UTC) + timedelta(hours=2))

        stage.town.run(collected())
        assert stage.ask("GET", made, as_=stage.alice).status == 404
    finally:
        stage.town.close()
