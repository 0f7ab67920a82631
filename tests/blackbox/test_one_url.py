"""One URL, every form: a running server says the same in each, and one identity holds."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import rdflib

from pod.records.cid import cid_text, record_cid
from tests.kit.process import ROOT, Server, running

TEXT = "One copy, three networks."
TURTLE, JSONLD = "text/turtle", "application/ld+json"
AS2, PROFILED = (
    "application/activity+json",
    'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
)
CBOR = "application/vnd.ipld.dag-cbor"


@dataclass
class Reply:
    status: int
    headers: Any
    body: bytes


@dataclass
class Home:
    """A member with a post on a running server."""

    server: Server
    account: dict[str, Any]
    post: dict[str, Any]

    @property
    def url(self) -> str:
        return self.server.origin("alice") + self.path

    @property
    def path(self) -> str:
        return "/repo/" + str(self.post["uri"]).removeprefix(f"at://{self.account['did']}/")

    def get(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """Ask for a path of the member's origin."""
        host = self.server.origin("alice").removeprefix("http://")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            self.server.address + path, headers={"Host": host, **named}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return Reply(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.headers, error.read())

    def call(self, method: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
        """Call an XRPC procedure."""
        request = urllib.request.Request(
            f"{self.server.address}/xrpc/{method}",
            json.dumps(body).encode(),
            {
                "Content-Type": "application/json",
                **({"Authorization": f"Bearer {token}"} if token else {}),
            },
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            answer: dict[str, Any] = json.load(response)
            return answer

    def write(self, text: str) -> dict[str, Any]:
        """Write a post."""
        record = {
            "$type": "app.bsky.feed.post",
            "text": text,
            "createdAt": "2026-11-24T12:00:00Z",
            "langs": ["en"],
        }
        body = {"repo": self.account["did"], "collection": record["$type"], "record": record}
        return self.call("com.atproto.repo.createRecord", body, self.account["accessJwt"])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with running(tmp_path_factory.mktemp("one-url") / "pod") as server:
        made = Home(server, {}, {})
        made.account = made.call(
            "com.atproto.server.createAccount",
            {"handle": "alice.test", "email": "alice@example.org", "password": "correct horse"},
        )
        made.post = made.write(TEXT)
        yield made


@pytest.mark.parametrize("path", ["/me", "post"])
@pytest.mark.parametrize("accept", ["text/html", AS2, PROFILED, TURTLE, JSONLD])
def test_every_form_is_served_as_asked(home: Home, path: str, accept: str) -> None:
    reply = home.get(home.path if path == "post" else path, Accept=accept)
    assert reply.status == 200
    assert reply.headers["Content-Type"].replace("; charset=utf-8", "") == accept
    vary = {name.strip().lower() for name in reply.headers["Vary"].split(",")}
    assert {"accept", "authorization", "signature"} <= vary


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")
def test_all_forms_say_the_same_words(home: Home) -> None:
    assert TEXT in home.get(home.path, Accept="text/html").body.decode()
    assert TEXT in json.loads(home.get(home.path, Accept=AS2).body)["content"]
    assert json.loads(home.get(home.path, Accept="application/json").body)["text"] == TEXT
    for accept, syntax in ((TURTLE, "turtle"), (JSONLD, "json-ld")):
        graph = rdflib.Graph().parse(
            data=home.get(home.path, Accept=accept).body, format=syntax, publicID=home.url
        )
        assert any(TEXT in str(value) for value in graph.objects(rdflib.URIRef(home.url)))


def test_the_block_hashes_to_the_cid_of_the_write(home: Home) -> None:
    block = home.get(home.path, Accept=CBOR).body
    assert cid_text(record_cid(block)) == home.post["cid"]


@pytest.mark.parametrize("accept", ["text/html", AS2, TURTLE, JSONLD, "application/json", CBOR])
def test_who_has_a_form_already_gets_304_and_head_sends_no_bytes(home: Home, accept: str) -> None:
    first = home.get(home.path, Accept=accept)
    again = home.get(home.path, Accept=accept, If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    head = home.get(home.path, "HEAD", Accept=accept)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(first.body))


def test_links_name_the_record_and_its_access(home: Home) -> None:
    links = ", ".join(home.get(home.path).headers.get_all("Link"))
    assert f'<{home.url}?view=lex>; rel="describedby"' in links
    assert 'rel="acl"' in links


def test_a_deleted_post_is_gone_in_every_form(home: Home) -> None:
    made = home.write("soon gone")
    path = "/repo/" + made["uri"].removeprefix(f"at://{home.account['did']}/")
    collection, rkey = path.split("/")[2:]
    home.call(
        "com.atproto.repo.deleteRecord",
        {"repo": home.account["did"], "collection": collection, "rkey": rkey},
        home.account["accessJwt"],
    )
    for accept in ("text/html", AS2, TURTLE, JSONLD, "application/json", CBOR):
        reply = home.get(path, Accept=accept)
        assert reply.status == 410
        assert b"soon gone" not in reply.body
    tombstone = json.loads(home.get(path, Accept=AS2).body)
    assert (tombstone["type"], tombstone["formerType"]) == ("Tombstone", "Note")


def test_the_identity_holds_together_from_every_name(home: Home) -> None:
    host = home.server.origin("alice").removeprefix("http://")
    names = ["alice.test", home.account["did"], f"@alice@{host}", f"http://{host}/me"]
    for name in names:
        told = subprocess.run(
            [
                sys.executable,
                "-m",
                "server",
                "identity",
                "verify",
                name,
                "--pod",
                home.server.url,
            ],
            cwd=ROOT,
            capture_output=True,
            timeout=60,
            check=False,
        )
        report = told.stdout.decode()
        assert told.returncode == 0, report + told.stderr.decode()
        assert "one person: every name confirms every other" in report
