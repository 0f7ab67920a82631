"""One URL answers in the form that was asked for, with tags, preconditions and tombstones."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from adapters.http.conditional import etag
from adapters.http.views import Answer, Ask, Rendered, View, Views
from pod.access.agent import PUBLIC, Agent, Credential
from pod.errors import Gone, NotFound
from pod.model.ids import Did, Handle, MemberId, Origin, Tid
from pod.model.member import Member, Standing
from pod.model.resource import RECORD_TYPE, Complement, Resource, ResourcePath, Tombstone
from pod.records.cid import record_cid

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ALICE = Member(
    MemberId(1),
    Did("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"),
    Handle("alice.example"),
    Origin("https://alice.example"),
    Standing.ACTIVE,
    NOW,
)
PATH = ResourcePath("/repo/app.bsky.feed.post/3kaaaaaaaaa22")
BODY = b"\xa0"
POST = Resource(
    ALICE.id, PATH, RECORD_TYPE, record_cid(BODY), 1, BODY, Tid("3kaaaaaaaaa22"), NOW, NOW
)
ASK = Ask(ALICE, PATH, POST, PUBLIC)
GONE = replace(
    ASK, resource=None, tombstone=Tombstone(ALICE.id, PATH, RECORD_TYPE, POST.cid, BODY, 1, NOW)
)


LD = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'


async def html(ask: Ask) -> Rendered:
    if ask.tombstone:
        return Rendered(b"deleted", "text/html; charset=utf-8")
    return Rendered(b"<p>" + ask.path.encode(), "text/html; charset=utf-8")


async def as2(ask: Ask) -> Rendered | None:
    if "feed.post" not in ask.path:
        return None
    return Rendered(b"{}", "application/activity+json", {"Link": '<x>; rel="context"'})


async def block(ask: Ask) -> Rendered | None:
    return Rendered(ask.resource.body, RECORD_TYPE) if ask.resource else None


VIEWS = Views(
    [
        View("html", ("text/html",), html, shows_more=True),
        View("as2", ("application/activity+json", LD), as2),
        View("cbor", (RECORD_TYPE,), block),
    ],
    [lambda ask: [f'<{ask.member.at_uri(ask.path)}>; rel="alternate"']],
)


def answer(ask: Ask = ASK, **headers: str) -> Answer:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(VIEWS.answer(ask, fields))


def test_without_accept_the_first_view_answers() -> None:
    assert answer().headers["Content-Type"].startswith("text/html")


def test_the_wanted_view_answers_with_the_states_tag_and_date() -> None:
    reply = answer(Accept="application/activity+json")
    assert (reply.status, reply.body) == (200, b"{}")
    assert reply.headers["ETag"] == etag(POST.version, "as2")
    assert reply.headers["Last-Modified"] == "Fri, 02 Jan 2026 03:04:05 GMT"


def test_each_view_says_what_the_answer_depends_on() -> None:
    for accept in ("text/html", "application/activity+json", RECORD_TYPE, "image/png"):
        vary = {name.strip() for name in answer(Accept=accept).headers["Vary"].split(",")}
        assert {"Accept", "Authorization", "Signature"} <= vary


def test_a_complement_changes_the_tag_though_the_record_stays() -> None:
    annotated = replace(ASK, resource=replace(POST, complement=Complement(revision=1)))
    accept = "application/activity+json"
    tags = {answer(ask, Accept=accept).headers["ETag"] for ask in (ASK, annotated)}
    assert len(tags) == 2


def test_a_page_that_shows_more_is_tagged_by_its_bytes() -> None:
    other = replace(ASK, path=ResourcePath("/repo/app.bsky.feed.post/3kbbbbbbbbb22"))
    assert answer().headers["ETag"] != answer(other).headers["ETag"]
    assert "Last-Modified" not in answer().headers


def test_who_has_it_already_gets_304() -> None:
    tag = answer(Accept=RECORD_TYPE).headers["ETag"]
    reply = answer(Accept=RECORD_TYPE, If_None_Match=tag)
    assert (reply.status, reply.body) == (304, b"")
    assert reply.headers["ETag"] == tag


def test_a_tag_of_one_view_is_no_tag_of_another() -> None:
    tag = answer(Accept=RECORD_TYPE).headers["ETag"]
    assert answer(Accept="application/activity+json", If_None_Match=tag).status == 200


def test_what_nobody_offers_is_406_and_the_offers_are_named() -> None:
    reply = answer(Accept="image/png")
    assert reply.status == 406
    assert b"application/activity+json" in reply.body


def test_a_view_that_cannot_show_a_thing_leaves_it_to_the_next() -> None:
    follow = replace(ASK, path=ResourcePath("/repo/app.bsky.graph.follow/3kaaaaaaaaa22"))
    accept = f"application/activity+json, {RECORD_TYPE};q=0.5"
    assert answer(follow, Accept=accept).headers["Content-Type"] == RECORD_TYPE
    assert answer(follow, Accept="application/activity+json").status == 406


def test_links_of_view_and_wings_are_sent_together() -> None:
    links = answer(Accept="application/activity+json").headers["Link"]
    assert 'rel="context"' in links
    assert "<at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3kaaaaaaaaa22>" in links


def test_a_deleted_thing_is_410_in_every_form_and_never_cached_as_there() -> None:
    for accept in ("text/html", "application/activity+json"):
        reply = answer(GONE, Accept=accept)
        assert reply.status == 410
        assert "ETag" not in reply.headers
    with pytest.raises(Gone):
        answer(GONE, Accept="image/png")


def test_what_no_view_shows_is_not_found() -> None:
    with pytest.raises(NotFound):
        asyncio.run(
            Views([View("cbor", (RECORD_TYPE,), block)]).answer(replace(ASK, resource=None), {})
        )


def test_browser_apps_of_other_origins_may_read_the_headers() -> None:
    reply = answer(Origin="https://app.example")
    assert reply.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "WAC-Allow" in reply.headers["Access-Control-Expose-Headers"]
    assert "Origin" in reply.headers["Vary"]


def test_an_authenticated_answer_is_not_for_shared_caches() -> None:
    mine = replace(ASK, agent=Agent(Credential.SESSION, ALICE.id))
    assert answer(mine).headers["Cache-Control"].startswith("private")


def test_the_same_bytes_go_by_the_media_type_that_was_asked_for() -> None:
    for accept in ("application/activity+json", LD):
        assert answer(Accept=accept).headers["Content-Type"] == accept
