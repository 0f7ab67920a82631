"""What everyday apps ask for when they start: each call has a true answer of the right shape."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.phone import Phone
from tests.kit.whole import Town

LISTS = (
    "/api/v1/timelines/home",
    "/api/v1/timelines/public",
    "/api/v1/notifications",
    "/api/v1/notifications/requests",
    "/api/v1/lists",
    "/api/v1/filters",
    "/api/v2/filters",
    "/api/v1/followed_tags",
    "/api/v1/featured_tags",
    "/api/v1/featured_tags/suggestions",
    "/api/v1/custom_emojis",
    "/api/v1/announcements",
    "/api/v1/conversations",
    "/api/v1/bookmarks",
    "/api/v1/favourites",
    "/api/v1/follow_requests",
    "/api/v1/blocks",
    "/api/v1/mutes",
    "/api/v1/domain_blocks",
    "/api/v1/scheduled_statuses",
    "/api/v1/endorsements",
    "/api/v1/suggestions",
    "/api/v2/suggestions",
    "/api/v1/trends",
    "/api/v1/trends/tags",
    "/api/v1/trends/statuses",
    "/api/v1/trends/links",
    "/api/v1/directory",
    "/api/v1/instance/rules",
    "/api/v1/instance/peers",
    "/api/v1/instance/activity",
    "/api/v1/instance/domain_blocks",
    "/api/v1/accounts/familiar_followers",
    "/api/v1/accounts/relationships",
    "/api/v1/accounts",
    "/api/v1/statuses",
)
OBJECTS = {
    "/api/v1/instance": {"uri", "title", "version", "urls", "stats", "configuration", "rules"},
    "/api/v2/instance": {"domain", "title", "version", "usage", "configuration", "registrations",
                         "api_versions", "contact", "rules", "icon", "thumbnail"},
    "/api/v1/instance/extended_description": {"updated_at", "content"},
    "/api/v1/instance/translation_languages": set(),
    "/api/v1/accounts/verify_credentials": {"id", "source", "role", "emojis", "fields"},
    "/api/v1/preferences": {"posting:default:visibility", "reading:expand:media"},
    "/api/v1/markers": set(),
    "/api/v2/notifications": {"accounts", "statuses", "notification_groups"},
    "/api/v2/notifications/policy": {"for_not_following", "for_private_mentions", "summary"},
    "/api/v1/notifications/policy": {"filter_not_following", "summary"},
    "/api/v1/notifications/unread_count": {"count"},
    "/api/v2/notifications/unread_count": {"count"},
    "/api/v1/notifications/requests/merged": {"merged"},
    "/api/v2/search": {"accounts", "statuses", "hashtags"},
    "/api/v1/apps/verify_credentials": {"name", "website", "scopes"},
}  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_a_list(pod: Town, ann: Phone, path: str) -> None:
    assert isinstance(pod.run(ann.get(path)), list)


@pytest.mark.parametrize("path", list(OBJECTS))
def test_an_object_has_what_apps_read(pod: Town, ann: Phone, path: str) -> None:
    assert OBJECTS[path] <= pod.run(ann.get(path)).keys()


def test_what_is_known_of_a_post_and_an_account_is_complete(pod: Town, ann: Phone) -> None:
    async def story() -> None:
        made: Any = await ann.post("/api/v1/statuses", {"status": "whole"})
        needed = {
            "id", "uri", "url", "created_at", "edited_at", "account", "content", "visibility",
            "sensitive", "spoiler_text", "media_attachments", "application", "mentions", "tags",
            "emojis", "reblogs_count", "favourites_count", "replies_count", "in_reply_to_id",
            "in_reply_to_account_id", "reblog", "poll", "card", "language", "favourited",
            "reblogged", "muted", "bookmarked", "pinned", "filtered", "quote",
        }  # fmt: skip
        assert needed <= made.keys()
        people = {
            "id", "username", "acct", "url", "uri", "display_name", "note", "avatar",
            "avatar_static", "header", "header_static", "locked", "fields", "emojis", "bot",
            "group", "discoverable", "noindex", "created_at", "last_status_at", "statuses_count",
            "followers_count", "following_count", "roles", "hide_collections",
        }  # fmt: skip
        assert people <= made["account"].keys()
        between = (
            await ann.get("/api/v1/accounts/relationships", **{"id[]": made["account"]["id"]})
        )[0]
        assert between.keys() == {
            "id", "following", "showing_reblogs", "notifying", "languages", "followed_by",
            "blocking", "blocked_by", "muting", "muting_notifications", "requested",
            "requested_by", "domain_blocking", "endorsed", "note",
        }  # fmt: skip

    pod.run(story())


def test_what_an_app_sets_for_posting_is_how_posts_are_written(pod: Town, ben: Phone) -> None:
    async def story() -> None:
        source = {"privacy": "unlisted", "sensitive": "true", "language": "fr"}
        told = await ben.post("/api/v1/accounts/update_credentials", {"source": source}, "PATCH")
        assert (told["source"]["privacy"], told["source"]["sensitive"]) == ("unlisted", True)
        preferences = await ben.get("/api/v1/preferences")
        assert preferences["posting:default:visibility"] == "unlisted"
        assert preferences["posting:default:language"] == "fr"
        made = await ben.post("/api/v1/statuses", {"status": "salut"})
        kept = (made["visibility"], made["sensitive"], made["language"])
        assert kept == ("unlisted", True, "fr")
        reply = await ben.ask(
            "PATCH", "/api/v1/accounts/update_credentials", {"source": {"privacy": "x"}}
        )
        assert reply.status == 422

    pod.run(story())


def test_a_report_reaches_the_administrator(pod: Town, ann: Phone, ben: Phone) -> None:
    async def story() -> None:
        made = await ben.post("/api/v1/statuses", {"status": "buy this"})
        given = {"account_id": made["account"]["id"], "status_ids": [made["id"]]}
        told = await ann.post("/api/v1/reports", {**given, "category": "spam", "comment": "ad"})
        assert (told["category"], told["comment"], told["action_taken"]) == ("spam", "ad", False)
        assert told["target_account"]["id"] == made["account"]["id"]
        rows = (await pod.whole.rows())["report"]
        assert any("ad" in row for row in rows)
        assert (await ann.ask("POST", "/api/v1/reports", {"account_id": "1"})).status == 404

    pod.run(story())


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/v1/accounts/lookup?acct=", None, 404),
        ("GET", "/api/v1/accounts/lookup?acct=@@@", None, 404),
        ("GET", "/api/v2/search?q=http://[::1", None, 200),
        ("GET", "/api/v2/search?q=%00", None, 200),
        ("GET", "/api/v1/timelines/home?max_id=abc&limit=-1", None, 200),
        ("GET", "/api/v1/timelines/home?x[a][b]=1&x[]=2&x=3", None, 200),
        ("GET", "/api/v1/notifications?account_id=zz", None, 404),
        ("PATCH", "/api/v1/accounts/update_credentials", {"fields_attributes": 5}, 422),
        ("POST", "/api/v1/statuses", {"status": 5, "poll": [1]}, 200),
        ("POST", "/api/v1/markers", {"home": {"last_read_id": {}}}, 200),
        ("POST", "/api/v2/filters", {"title": "x", "context": "kitchen"}, 422),
    ],
)
def test_odd_questions_have_plain_answers(
    pod: Town, ann: Phone, method: str, path: str, body: Any, status: int
) -> None:
    assert pod.run(ann.ask(method, path, body)).status == status


def test_what_there_is_not_is_said_as_apps_expect(pod: Town, ann: Phone) -> None:
    for path in ("/api/v1/push/subscription", "/api/v1/instance/terms_of_service"):
        reply = pod.run(ann.ask("GET", path))
        assert (reply.status, reply.json) == (404, {"error": "Record not found"})
