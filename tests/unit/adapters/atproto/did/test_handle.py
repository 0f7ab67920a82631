"""Handles: where they are looked up, in which order, and which are not."""

from __future__ import annotations

import asyncio

import pytest

from adapters.atproto.did.handle import HandleResolver
from pod.errors import PeerUnavailable
from pod.model.ids import Did, Handle
from tests.kit.fetching import fetch_from

ALICE, BOB = Did("did:plc:" + "a" * 24), Did("did:plc:" + "b" * 24)
HANDLE = Handle("alice.site.com")
PAGE = f"https://{HANDLE}/.well-known/atproto-did"


def resolve(
    handle: Handle,
    *,
    texts: list[str] | None = None,
    pages: dict[str, bytes] | None = None,
    own: dict[Handle, Did] | None = None,
) -> tuple[Did | None, list[str]]:
    """The answer, and the URLs that were asked on the way; ``texts`` None means DNS is down."""

    async def txt(name: str) -> list[str]:
        assert name == f"_atproto.{handle}"
        if texts is None:
            raise PeerUnavailable
        return texts

    fetch, table = fetch_from(pages or {})
    resolver = HandleResolver((own or {}).get, txt, fetch)
    return asyncio.run(resolver.resolve(handle)), table.asked


def test_members_of_this_server_resolve_without_asking_anybody() -> None:
    for handle in (HANDLE, Handle("alice.test")):
        assert resolve(handle, texts=["did=" + BOB], own={handle: ALICE}) == (ALICE, [])


def test_dns_goes_before_the_web_server() -> None:
    answer = resolve(HANDLE, texts=["other=1", "did=" + ALICE], pages={PAGE: BOB.encode()})
    assert answer == (ALICE, [])


@pytest.mark.parametrize("texts", [[], ["v=spf1 -all"], None])
def test_the_web_server_answers_where_dns_does_not(texts: list[str] | None) -> None:
    assert resolve(HANDLE, texts=texts, pages={PAGE: b" " + BOB.encode() + b"\n"})[0] == BOB


def test_two_dids_in_dns_are_none() -> None:
    texts = ["did=" + ALICE, "did=" + BOB]
    assert resolve(HANDLE, texts=texts, pages={PAGE: BOB.encode()}) == (None, [])
    assert resolve(HANDLE, texts=["did=" + ALICE] * 2)[0] == ALICE


@pytest.mark.parametrize("page", [b"", b"<html>", b"\xff", b"did:", b"did:plc:a did:plc:b"])
def test_a_page_that_is_no_did_is_nothing(page: bytes) -> None:
    assert resolve(HANDLE, texts=[], pages={PAGE: page})[0] is None
    assert resolve(HANDLE, texts=["did=" + page.decode("latin-1")])[0] is None


def test_a_server_that_does_not_answer_is_nothing() -> None:
    assert resolve(HANDLE, texts=[])[0] is None
    assert resolve(HANDLE, texts=[], pages={f"https://{HANDLE}/": b""})[0] is None


@pytest.mark.parametrize("suffix", ["test", "local", "localhost", "onion", "example", "invalid"])
def test_reserved_names_are_never_asked_for(suffix: str) -> None:
    handle = Handle(f"alice.{suffix}")
    page = {f"https://{handle}/.well-known/atproto-did": ALICE.encode()}
    assert resolve(handle, texts=["did=" + ALICE], pages=page) == (None, [])
