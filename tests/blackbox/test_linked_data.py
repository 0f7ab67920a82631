"""A member's social life as linked data, by the clients that Solid apps are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import rdflib
from rdflib.plugins.stores.sparqlstore import SPARQLStore

from tests.kit.node import Peer, peer
from tests.kit.process import Server, running
from tests.kit.xrpc_client import XrpcClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own

AS, SCHEMA = "https://www.w3.org/ns/activitystreams#", "https://schema.org/"
FOAF, SOLID = "http://xmlns.com/foaf/0.1/", "http://www.w3.org/ns/solid/terms#"
NOTE = '<#it> a <http://www.w3.org/2002/01/bookmark#Bookmark> ; <http://e.example/says> "%s" .'


@dataclass
class Town:
    """A pod with alice, her app, and one of a stranger."""

    pod: Server
    client: XrpcClient
    app: Peer
    stranger: Peer

    @property
    def origin(self) -> str:
        return self.pod.origin("alice")

    def record(self, collection: str, rkey: str = "self") -> Any:
        told = {"repo": self.client.session["did"], "collection": collection, "rkey": rkey}
        return self.client.get("com.atproto.repo.getRecord", **told)["value"]

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> httpx.Response:
        own = {"Host": self.origin.removeprefix("http://"), **headers}
        url = self.pod.address + path
        return httpx.request(method, url, content=body, headers=own, timeout=60)

    def sparql(self, token: str | None = None) -> rdflib.Graph:
        headers = {"Host": self.origin.removeprefix("http://")}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        store = SPARQLStore(f"{self.pod.address}/sparql", headers=headers, returnFormat="json")
        return rdflib.Graph(store)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with running(tmp_path_factory.mktemp("linked") / "pod") as pod:
        client = XrpcClient(pod.url)
        token = client.join("alice")["accessJwt"]
        with peer("solid_client.mjs", token) as app, peer("solid_client.mjs") as stranger:
            yield Town(pod, client, app, stranger)
        assert "Traceback" not in pod.log.read_text()


def test_the_client_finds_storage_and_profile_from_either_webid(town: Town) -> None:
    for webid in (f"{town.origin}/me", f"{town.origin}/profile/card#me"):
        assert town.stranger.ask("podUrls", webid=webid) == [f"{town.origin}/data/"]
        assert town.stranger.ask("profiles", webid=webid)[0] == webid.split("#")[0]


def test_a_name_that_an_app_saves_is_the_name_on_all_networks(town: Town) -> None:
    card = f"{town.origin}/profile/card"
    for url, thing, name in (
        (f"{town.origin}/me", f"{town.origin}/me", "Alice"),
        (card, f"{card}#me", "Alice Gardener"),
    ):
        told = {"url": url, "thing": thing, "property": f"{FOAF}name", "value": name}
        assert town.app.ask("setString", **told) == name
        assert town.record("app.bsky.actor.profile")["displayName"] == name
        actor = town.ask("GET", "/me", Accept="application/activity+json").json()
        assert actor["name"] == name
        shown = town.stranger.ask("read", url=f"{town.origin}/me")
        assert shown["http://www.w3.org/2006/vcard/ns#fn"]["plain"] == name


def test_an_event_that_an_app_saves_is_a_record(town: Town) -> None:
    container = f"{town.origin}/repo/community.lexicon.calendar.event/"
    made = town.app.ask(
        "send",
        url=container,
        method="POST",
        headers={"content-type": "text/turtle"},
        body=f'<> a <{AS}Event> ; <{AS}name> "Harvest" .',
    )
    assert made["status"] == 201, made["body"]
    url = made["headers"]["location"]
    told = {"url": url, "property": f"{SCHEMA}description", "value": "Bring gloves"}
    assert town.app.ask("setString", **told) == "Bring gloves"
    record = town.record("community.lexicon.calendar.event", url.rpartition("/")[2])
    assert (record["name"], record["description"]) == ("Harvest", "Bring gloves")
    assert url in town.stranger.ask("contained", url=container)


def test_an_app_finds_its_kind_of_data_by_the_type_index(town: Town) -> None:
    own = {"Authorization": f"Bearer {town.client.token}", "Content-Type": "text/turtle"}
    assert town.ask("PUT", "/data/links/one", NOTE % "secret", **own).status_code == 201
    me = town.app.ask("read", url=f"{town.origin}/me")
    [index] = me[f"{SOLID}privateTypeIndex"]["urls"]
    registered = [
        town.app.ask("read", url=index, thing=t) for t in town.app.ask("things", url=index)
    ]
    places = [
        one[f"{SOLID}instanceContainer"]["urls"]
        for one in registered
        if one.get(f"{SOLID}forClass", {}).get("urls")
        == ["http://www.w3.org/2002/01/bookmark#Bookmark"]
    ]
    assert places == [[f"{town.origin}/data/links/"]]


def test_a_sparql_client_sees_what_its_user_may_read(town: Town) -> None:
    own = {"Authorization": f"Bearer {town.client.token}", "Content-Type": "text/turtle"}
    assert town.ask("PUT", "/data/links/two", NOTE % "hidden", **own).status_code == 201
    post = {"$type": "app.bsky.feed.post", "text": "Hello", "createdAt": "2026-01-01T00:00:00.000Z"}
    told = {"repo": town.client.session["did"], "collection": "app.bsky.feed.post"}
    town.client.post("com.atproto.repo.createRecord", told | {"record": post})
    texts = f"SELECT ?t {{ ?p a <{AS}Note> ; <{SCHEMA}articleBody> ?t }}"
    says = "SELECT ?w { ?s <http://e.example/says> ?w }"
    assert {str(row.t) for row in town.sparql().query(texts)} == {"Hello"}
    assert list(town.sparql().query(says)) == []
    found = {str(row.w) for row in town.sparql(town.client.token).query(says)}
    assert "hidden" in found
    assert list(town.sparql().query(says)) == []


def test_an_endless_query_ends_and_the_pod_answers_meanwhile(town: Town) -> None:
    cross = " ".join(f"?a{i} ?b{i} ?c{i} ." for i in range(12))
    query = f"SELECT (COUNT(*) AS ?n) {{ {cross} }}"
    answer = town.ask("POST", "/sparql", query, **{"Content-Type": "application/sparql-query"})
    assert answer.status_code == 503
    assert json.loads(answer.content)["title"] == "Service Unavailable"
    answer = town.ask("POST", "/sparql", "ASK {}", **{"Content-Type": "application/sparql-query"})
    assert answer.json()["boolean"] is True
