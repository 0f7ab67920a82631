"""Codes and tokens: what they are good for, for how long, and what a second use of them does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod.access.agent import Agent, Credential
from pod.errors import Forbidden, Invalid, PodError, Unauthenticated
from pod.model.member import Standing
from pod.oauth.profile import ACCESS_LIFE, PUBLIC_LIFE
from pod.oauth.token import REFRESH_GRACE
from tests.kit.authorisation import ISSUER, Desk, at_the_desk

GRACE_S = REFRESH_GRACE.total_seconds()


async def refusal(work: Awaitable[Any]) -> str | None:
    with pytest.raises(PodError) as refused:
        await work
    return refused.value.name


def test_an_app_that_was_let_in_has_tokens() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        issued = await desk.let_in(app)
        assert issued.subject == desk.member.did
        assert issued.scope == "atproto transition:generic"
        assert issued.expires_in_s == ACCESS_LIFE.total_seconds()
        assert desk.opens(app, issued.access)
        assert issued.refresh is not None
        assert not desk.opens(app, issued.refresh)

    at_the_desk(story)


def test_a_token_is_good_with_its_key_only_and_not_for_ever() -> None:
    async def story(desk: Desk) -> None:
        app, thief = desk.app(), desk.app()
        issued = await desk.let_in(app)
        assert not desk.opens(thief, issued.access)
        with pytest.raises(Unauthenticated) as refused:
            desk.server.bearer(issued.access, None, "GET", ISSUER)
        assert refused.value.name == "invalid_dpop_proof"
        desk.clock.pass_by(ACCESS_LIFE.total_seconds() - 1)
        assert desk.opens(app, issued.access)
        desk.clock.pass_by(1)
        assert not desk.opens(app, issued.access)

    at_the_desk(story)


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: f"acc-{raw.hex()}"))
def test_no_other_text_is_a_token(text: str) -> None:
    async def story(desk: Desk) -> None:
        with pytest.raises(Unauthenticated):
            desk.server.tokens.check(text, "jkt")

    at_the_desk(story)


def test_a_token_with_one_bit_changed_is_none() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        issued = await desk.let_in(app)
        for at in range(4, len(issued.access)):
            other = "A" if issued.access[at] != "A" else "B"
            forged = issued.access[:at] + other + issued.access[at + 1 :]
            if forged[-1] == issued.access[-1]:
                assert not desk.opens(app, forged)

    at_the_desk(story)


def test_a_code_is_good_once_and_a_second_use_ends_the_session() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        code = await desk.agree(app, await desk.push(app))
        issued = await desk.redeem(app, code)
        assert await refusal(desk.redeem(app, code)) == "invalid_grant"
        assert not desk.opens(app, issued.access)

    at_the_desk(story)


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "cod-made-up"},
        {"code_verifier": "v" * 43},
        {"code_verifier": "short"},
        {"code_verifier": ""},
        {"redirect_uri": "http://127.0.0.1/other"},
        {"client_id": "http://localhost?scope=atproto"},
    ],
)
def test_a_code_needs_all_that_it_was_made_with(wrong: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        code = await desk.agree(app, await desk.push(app))
        assert await refusal(desk.redeem(app, code, **wrong)) == "invalid_grant"

    at_the_desk(story)


def test_a_code_belongs_to_the_key_that_asked_for_it() -> None:
    async def story(desk: Desk) -> None:
        app, thief = desk.app(), desk.app()
        thief.verifier = app.verifier
        code = await desk.agree(app, await desk.push(app))
        assert await refusal(desk.redeem(thief, code)) == "invalid_grant"

    at_the_desk(story)


def test_a_code_is_good_for_five_minutes() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        code = await desk.agree(app, await desk.push(app))
        desk.clock.pass_by(301)
        assert await refusal(desk.redeem(app, code)) == "invalid_grant"

    at_the_desk(story)


def test_a_challenge_is_never_used_twice() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        await desk.let_in(app)
        code = await desk.agree(app, await desk.push(app))
        assert await refusal(desk.redeem(app, code)) == "invalid_grant"

    at_the_desk(story)


def test_a_refresh_gives_new_tokens_and_ends_the_old_ones() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        first = await desk.let_in(app)
        second = await desk.refresh(app, first.refresh)
        assert not desk.opens(app, first.access)
        assert desk.opens(app, second.access)
        assert second.refresh != first.refresh
        third = await desk.refresh(app, second.refresh)
        assert desk.opens(app, third.access)

    at_the_desk(story)


def test_a_client_that_lost_the_answer_gets_the_same_one_again() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        first = await desk.let_in(app)
        lost = await desk.refresh(app, first.refresh)
        desk.clock.pass_by(GRACE_S - 1)
        again = await desk.refresh(app, first.refresh)
        assert (again.access, again.refresh) == (lost.access, lost.refresh)
        assert desk.opens(app, again.access)

    at_the_desk(story)


def test_a_used_refresh_token_ends_the_session_after_its_grace() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        first = await desk.let_in(app)
        second = await desk.refresh(app, first.refresh)
        desk.clock.pass_by(GRACE_S)
        assert await refusal(desk.refresh(app, first.refresh)) == "invalid_grant"
        assert not desk.opens(app, second.access)
        assert await refusal(desk.refresh(app, second.refresh)) == "invalid_grant"

    at_the_desk(story)


def test_a_refresh_token_from_before_the_last_is_a_replay_at_once() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        first = await desk.let_in(app)
        second = await desk.refresh(app, first.refresh)
        third = await desk.refresh(app, second.refresh)
        assert await refusal(desk.refresh(app, first.refresh)) == "invalid_grant"
        assert not desk.opens(app, third.access)

    at_the_desk(story)


def test_the_grace_is_for_the_same_key_and_client_only() -> None:
    async def story(desk: Desk) -> None:
        app, thief = desk.app(), desk.app()
        first = await desk.let_in(app)
        second = await desk.refresh(app, first.refresh)
        assert await refusal(desk.refresh(thief, first.refresh)) == "invalid_grant"
        other = replace(app, client_id="http://localhost?scope=atproto")
        assert await refusal(desk.refresh(other, first.refresh)) == "invalid_grant"
        assert desk.opens(app, second.access)

    at_the_desk(story)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=12))
def test_whatever_is_refreshed_one_generation_at_most_is_good(order: list[int]) -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        issued = [await desk.let_in(app)]
        for choice in order:
            shown = issued[choice % len(issued)]
            try:
                answer = await desk.refresh(app, shown.refresh)
            except Invalid:
                break
            if answer.refresh != issued[-1].refresh:
                issued.append(answer)
            desk.clock.pass_by(1)
        good = [each for each in issued if desk.opens(app, each.access)]
        assert good in ([], [issued[-1]])

    at_the_desk(story)


def test_two_refreshes_at_once_get_one_answer() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        first = await desk.let_in(app)
        one, two = await asyncio.gather(
            desk.refresh(app, first.refresh), desk.refresh(app, first.refresh)
        )
        assert (one.access, one.refresh) == (two.access, two.refresh)
        assert desk.opens(app, one.access)

    at_the_desk(story)


def test_a_public_session_ends_two_weeks_after_it_began() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        issued = await desk.let_in(app)
        day = 86_400
        for _ in range(PUBLIC_LIFE[1].days - 1):
            desk.clock.pass_by(day)
            issued = await desk.refresh(app, issued.refresh)
        desk.clock.pass_by(day)
        assert await refusal(desk.refresh(app, issued.refresh)) == "invalid_grant"
        assert desk.kept.kept == {}

    at_the_desk(story)


def test_the_last_access_token_does_not_outlive_the_session() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        issued = await desk.let_in(app)
        desk.clock.pass_by(PUBLIC_LIFE[1].total_seconds() - 60)
        assert (await desk.refresh(app, issued.refresh)).expires_in_s == 60

    at_the_desk(story)


def test_revoking_either_token_ends_the_session_at_once() -> None:
    async def story(desk: Desk) -> None:
        for name in ("access", "refresh"):
            app = desk.app()
            issued = await desk.let_in(app)
            form = {"client_id": app.client_id, "token": getattr(issued, name)}
            await desk.server.revoke(desk.sent(app, "revoke", form))
            assert not desk.opens(app, issued.access)
            assert await refusal(desk.refresh(app, issued.refresh)) == "invalid_grant"

    at_the_desk(story)


def test_revoking_what_is_no_token_or_anothers_is_no_error_and_no_harm() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        issued = await desk.let_in(app)
        other = desk.app("http://localhost?scope=atproto")
        for token in ("", "acc-", "nonsense", issued.access):
            form = {"client_id": other.client_id, "token": token}
            await desk.server.revoke(desk.sent(other, "revoke", form))
        assert desk.opens(app, issued.access)

    at_the_desk(story)


@pytest.mark.parametrize("standing", [Standing.TAKENDOWN, Standing.SUSPENDED])
def test_who_was_taken_down_gets_no_new_tokens(standing: Standing) -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        issued = await desk.let_in(app)
        await desk.pod.accounts.set_standing(Agent(Credential.ADMIN), desk.member.id, standing)
        assert await refusal(desk.refresh(app, issued.refresh)) == "invalid_grant"

    at_the_desk(story)


def test_a_resting_account_lets_nobody_in() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        uri = await desk.push(app)
        _, request = await desk.server.begin(uri, app.client_id, "device")
        admin = Agent(Credential.ADMIN)
        resting = await desk.pod.accounts.set_standing(admin, desk.member.id, Standing.DEACTIVATED)
        with pytest.raises(Forbidden):
            await desk.server.requests.agree(request, resting)

    at_the_desk(story)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ({}, "invalid_client"),
        ({"client_id": "nonsense"}, "invalid_client"),
        ({"client_id": "http://localhost", "grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": "http://localhost"}, "unsupported_grant_type"),
    ],
)
def test_what_is_no_grant_is_refused(form: dict[str, str], name: str) -> None:
    async def story(desk: Desk) -> None:
        assert await refusal(desk.server.token(desk.sent(desk.app(), "token", form))) == name

    at_the_desk(story)


def test_tokens_are_given_to_a_key_only() -> None:
    async def story(desk: Desk) -> None:
        app = desk.app()
        code = await desk.agree(app, await desk.push(app))
        form = {"client_id": app.client_id, "grant_type": "authorization_code", "code": code}
        bare = desk.sent(app, "token", form, bare=True)
        assert await refusal(desk.server.token(bare)) == "invalid_dpop_proof"
        issued = await desk.redeem(app, code)
        form = {
            "client_id": app.client_id,
            "grant_type": "refresh_token",
            "refresh_token": issued.refresh or "",
        }
        bare = desk.sent(app, "token", form, bare=True)
        assert await refusal(desk.server.token(bare)) == "invalid_dpop_proof"
        assert (await desk.refresh(app, issued.refresh)).access

    at_the_desk(story)
