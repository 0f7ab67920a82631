"""Preferences of apps, kept for the member."""

from __future__ import annotations

from tests.parity.subject import Account, Json, Subject

TAGS = "app.bsky.actor.defs#interestsPref"
ADULT = "app.bsky.actor.defs#adultContentPref"
PERSONAL = "app.bsky.actor.defs#personalDetailsPref"
AGE = "app.bsky.actor.defs#declaredAgePref"
GET, PUT = "app.bsky.actor.getPreferences", "app.bsky.actor.putPreferences"


def _put(alice: Account, *prefs: Json) -> None:
    alice.post(PUT, preferences=list(prefs))


def _kept(alice: Account) -> list[Json]:
    return [pref for pref in alice.get(GET)["preferences"] if pref["$type"] != AGE]


def nobody_reads_preferences_without_signing_in(server: Subject) -> None:
    assert server.anyone.get_refused(GET) == (401, "AuthMissing")


def nobody_sets_preferences_without_signing_in(server: Subject) -> None:
    assert server.anyone.post_refused(PUT, preferences=[]) == (401, "AuthMissing")


def a_new_member_has_no_preferences(server: Subject) -> None:
    assert server.member().get(GET)["preferences"] == []


def preferences_are_kept(server: Subject) -> None:
    alice = server.member()
    _put(alice, {"$type": ADULT, "enabled": False}, {"$type": TAGS, "tags": ["pods"]})
    assert _kept(alice) == [{"$type": ADULT, "enabled": False}, {"$type": TAGS, "tags": ["pods"]}]


def preferences_are_replaced_as_a_whole(server: Subject) -> None:
    alice = server.member()
    _put(alice, {"$type": ADULT, "enabled": False}, {"$type": TAGS, "tags": ["pods"]})
    _put(alice, {"$type": TAGS, "tags": ["turtles"]})
    assert _kept(alice) == [{"$type": TAGS, "tags": ["turtles"]}]


def preferences_are_cleared(server: Subject) -> None:
    alice = server.member()
    _put(alice, {"$type": ADULT, "enabled": False})
    _put(alice)
    assert _kept(alice) == []


def preferences_are_ones_own(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    _put(alice, {"$type": ADULT, "enabled": False})
    assert _kept(bob) == []


def several_preferences_of_a_kind_are_kept_in_order(server: Subject) -> None:
    alice = server.member()
    prefs = [
        {"$type": "app.bsky.actor.defs#contentLabelPref", "label": name, "visibility": "hide"}
        for name in ("dogs", "cats")
    ]
    _put(alice, *prefs)
    assert _kept(alice) == prefs


def a_preference_of_another_namespace_is_refused(server: Subject) -> None:
    alice = server.member()
    refusal = alice.post_refused(PUT, preferences=[{"$type": "com.example.pref", "a": 1}])
    assert refusal == (400, "InvalidRequest")


def a_preference_of_another_namespace_spoils_all(server: Subject) -> None:
    alice = server.member()
    prefs = [{"$type": ADULT, "enabled": False}, {"$type": "com.example.pref"}]
    alice.post_refused(PUT, preferences=prefs)
    assert _kept(alice) == []


def a_preference_without_a_type_is_refused(server: Subject) -> None:
    alice = server.member()
    assert alice.post_refused(PUT, preferences=[{"a": 1}]) == (400, "InvalidRequest")


def a_preference_that_is_no_object_is_refused(server: Subject) -> None:
    alice = server.member()
    assert alice.post_refused(PUT, preferences=["x"]) == (400, "InvalidRequest")


def missing_preferences_are_refused(server: Subject) -> None:
    assert server.member().post_refused(PUT, other=1) == (400, "InvalidRequest")


def fields_the_server_does_not_know_are_kept(server: Subject) -> None:
    alice = server.member()
    pref = {"$type": "app.bsky.actor.defs#somethingNewPref", "deep": {"a": [1, None]}}
    _put(alice, pref)
    assert _kept(alice) == [pref]


def personal_details_are_kept(server: Subject) -> None:
    alice = server.member()
    _put(alice, {"$type": PERSONAL, "birthDate": "1990-05-05T00:00:00.000Z"})
    assert _kept(alice) == [{"$type": PERSONAL, "birthDate": "1990-05-05T00:00:00.000Z"}]


def an_age_is_declared_from_the_birth_date(server: Subject) -> None:
    alice = server.member()
    _put(alice, {"$type": PERSONAL, "birthDate": "1990-05-05T00:00:00.000Z"})
    (age,) = [pref for pref in alice.get(GET)["preferences"] if pref["$type"] == AGE]
    assert age == {
        "$type": AGE,
        "isOverAge13": True,
        "isOverAge16": True,
        "isOverAge18": True,
    }


def a_young_age_is_declared_as_such(server: Subject) -> None:
    alice = server.member()
    _put(alice, {"$type": PERSONAL, "birthDate": "2025-01-01T00:00:00.000Z"})
    (age,) = [pref for pref in alice.get(GET)["preferences"] if pref["$type"] == AGE]
    assert (age["isOverAge13"], age["isOverAge18"]) == (False, False)


def nobody_sets_the_declared_age_themselves(server: Subject) -> None:
    alice = server.member()
    _put(
        alice,
        {"$type": AGE, "isOverAge18": True},
        {"$type": PERSONAL, "birthDate": "2025-01-01T00:00:00.000Z"},
    )
    (age,) = [pref for pref in alice.get(GET)["preferences"] if pref["$type"] == AGE]
    assert age["isOverAge18"] is False


def preferences_survive_a_new_session(server: Subject) -> None:
    alice = server.member()
    _put(alice, {"$type": ADULT, "enabled": True})
    assert _kept(alice.sign_in()) == [{"$type": ADULT, "enabled": True}]
