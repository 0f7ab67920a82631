"""From an NSID to its schema: DNS, DID document, repository, and every way to find nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from adapters.atproto.lexicon_source import COLLECTION, LexiconSource
from pod.errors import PodError
from pod.model.ids import Did, Handle, Nsid
from tests.kit.apps import MemoryOAuth, Page

NSID = Nsid("com.example.auth.basic")
DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
URL = (
    "https://repo.example/xrpc/com.atproto.repo.getRecord"
    f"?repo=did%3Aplc%3A{DID[8:]}&collection={COLLECTION}&rkey={NSID}"
)
SCHEMA = {"$type": COLLECTION, "lexicon": 1, "id": NSID, "defs": {}}


class Network:
    """DNS, DID documents and web servers."""

    def __init__(self) -> None:
        self.texts = {"_lexicon.auth.example.com": [f"did={DID}", "unrelated"]}
        service = {"id": "#atproto_pds", "serviceEndpoint": "https://repo.example/"}
        self.document: dict[str, Any] | None = {"id": DID, "service": [service]}
        self.web = MemoryOAuth()
        self.web.documents[URL] = {"value": SCHEMA}

    async def txt(self, name: str) -> list[str]:
        return self.texts.get(name, [])

    async def did_document(self, did: Did, *, fresh: bool = False) -> dict[str, Any] | None:
        return self.document if did == DID else None

    async def resolve_handle(self, handle: Handle) -> Did | None:
        return None

    def schema(self) -> dict[str, Any]:
        return asyncio.run(LexiconSource(self.txt, self, self.web).schema(NSID))


def test_a_schema_is_found_where_its_authority_publishes_it() -> None:
    assert Network().schema() == SCHEMA


@pytest.mark.parametrize(
    "texts", [[], ["did=nonsense"], [f"did={DID}", "did=did:web:other.example"], ["v=spf1"]]
)
def test_without_one_authority_there_is_no_schema(texts: list[str]) -> None:
    network = Network()
    network.texts = {"_lexicon.auth.example.com": texts}
    with pytest.raises(PodError):
        network.schema()


@pytest.mark.parametrize("document", [None, {}, {"service": [{"id": "#other"}]}])
def test_an_authority_without_repository_publishes_nothing(document: Any) -> None:
    network = Network()
    network.document = document
    with pytest.raises(PodError):
        network.schema()


@pytest.mark.parametrize(
    "answer",
    [
        Page(URL, 400, {}, b"{}"),
        Page(URL, 200, {}, b"{"),
        Page(URL, 200, {}, b"[]"),
        Page(URL, 200, {}, b'{"value": 7}'),
        Page(URL, 200, {}, json.dumps({"value": SCHEMA | {"id": "com.evil.other"}}).encode()),
        Page(URL, 200, {}, json.dumps({"value": SCHEMA | {"$type": "a.b.c"}}).encode()),
    ],
)
def test_an_answer_that_is_not_the_schema_is_none(answer: Page) -> None:
    network = Network()
    network.web.documents[URL] = answer
    with pytest.raises(PodError):
        network.schema()
