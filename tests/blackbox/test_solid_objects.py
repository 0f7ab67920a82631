"""An app that works with objects (LDO) keeps them at a running pod, and edits the profile there."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.node import Peer, PeerRefused, peer
from tests.kit.process import Server, running
from tests.kit.programs import join, make_program

pytestmark = pytest.mark.peer

UPDATE = ["PATCH", "application/sparql-update", 204]
READ = {"read": True, "append": False, "write": False, "control": False}


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("objects")
    with running(folder) as server:
        yield server


def signed_in(pod: Server, app: Peer, name: str) -> None:
    ident, secret = make_program(pod, name)
    storages = app.ask("login", issuer=pod.url, id=ident, secret=secret)
    assert storages == [f"{pod.origin(name)}/data/"]


@pytest.fixture(scope="module")
def alice(pod: Server) -> Iterator[Peer]:
    """The app with Alice's token; it found her storage by her WebID."""
    join(pod, "alice")
    with peer("solid_objects.mjs") as app:
        signed_in(pod, app, "alice")
        yield app


def person(pod: Server, name: str) -> dict[str, object]:
    emails = ["one@example.org", "two@example.org"]
    return {"name": name, "age": 41, "email": emails, "knows": [f"{pod.origin('alice')}/me"]}


def test_an_object_is_made_read_changed_listed_and_deleted(pod: Server, alice: Peer) -> None:
    root = f"{pod.origin('alice')}/data/"
    people = f"{root}people/"
    made = person(pod, "Bob")
    url = alice.ask("create", container=people, slug="bob.ttl", person=made)
    assert url == f"{people}bob.ttl"
    assert alice.ask("read", url=url) == {"type": ["Person"], **made}

    alice.ask("sent")
    name = 'Bób "the\n\\builder" 🙂'
    add, remove = ["three@example.org"], ["one@example.org"]
    alice.ask("update", url=url, set={"name": name}, add=add, remove=remove, unset=["age"])
    assert UPDATE in alice.ask("sent")
    now = {"name": name, "email": ["three@example.org", "two@example.org"]}
    assert alice.ask("read", url=url) == {"type": ["Person"], "knows": made["knows"], **now}

    assert alice.ask("list", container=people) == {"root": False, "children": [["SolidLeaf", url]]}
    listed = alice.ask("list", container=root)
    assert listed["root"]
    assert ["SolidContainer", people] in listed["children"]
    assert alice.ask("root", url=url) == root

    assert alice.ask("remove", url=url) is True
    assert alice.ask("read", url=url) is None
    assert alice.ask("list", container=people)["children"] == []


def test_what_was_deleted_is_made_anew_and_goes_with_its_container(
    pod: Server, alice: Peer
) -> None:
    folder = f"{pod.origin('alice')}/data/again/"
    for name in ("first", "second", "third"):
        url = alice.ask("create", container=folder, slug="a.ttl", person=person(pod, name))
        assert alice.ask("read", url=url)["name"] == name
        if name == "first":
            assert alice.ask("remove", url=url) is True
            assert alice.ask("remove", url=url) is False
    note = alice.ask("upload", container=folder, slug="a.txt", text="hello", type="text/plain")
    assert note == {"uri": f"{folder}a.txt", "type": "text/plain", "text": "hello"}
    assert alice.ask("remove", url=folder) is True
    assert alice.ask("list", container=folder) is None
    assert alice.ask("read", url=url) is None


def test_an_object_is_shared_with_one_person_to_read(pod: Server, alice: Peer) -> None:
    folder = f"{pod.origin('alice')}/data/shared/"
    url = alice.ask("create", container=folder, slug="a.ttl", person=person(pod, "shared"))
    join(pod, "guest")
    with peer("solid_objects.mjs") as guest:
        signed_in(pod, guest, "guest")
        with pytest.raises(PeerRefused, match="unauthorizedError"):
            guest.ask("read", url=url)
        told = alice.ask("share", url=url, webId=f"{pod.origin('guest')}/me", rights=READ)
        assert told["agent"][f"{pod.origin('guest')}/me"] == READ
        assert told["agent"][f"{pod.origin('alice')}/me"]["control"]
        assert guest.ask("read", url=url)["name"] == "shared"
        with pytest.raises(PeerRefused, match="unauthorizedError"):
            guest.ask("update", url=url, set={"name": "taken"})
    assert alice.ask("read", url=url)["name"] == "shared"


def test_a_name_set_as_an_object_is_the_name_of_the_profile(pod: Server, alice: Peer) -> None:
    me = f"{pod.origin('alice')}/me"
    for name in ("Alice A.", "Alice B."):
        alice.ask("update", url=me, subject=me, set={"name": name})
        assert alice.ask("read", url=me, subject=me)["name"] == name
        query = "com.atproto.repo.getRecord?repo=alice.test&rkey=self"
        address = f"{pod.address}/xrpc/{query}&collection=app.bsky.actor.profile"
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert json.load(answer)["value"]["displayName"] == name
