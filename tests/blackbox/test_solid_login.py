"""Inrupt's own sessions sign in to running pods: a program at home, and at a pod elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.node import PeerRefused, peer
from tests.kit.process import Server, running
from tests.kit.programs import join, make_program

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    folder: Path = tmp_path_factory.mktemp("login")
    with running(folder / "a") as ours, running(folder / "b") as theirs:
        join(ours, "alice")
        join(theirs, "bob")
        yield ours, theirs


def test_a_program_signs_in_and_does_a_round(servers: tuple[Server, Server]) -> None:
    ours, _ = servers
    ident, secret = make_program(ours, "alice")
    with peer("solid_session.mjs") as app:
        told = app.ask("login", issuer=ours.url, id=ident, secret=secret)
        assert told == {"webId": f"{ours.origin('alice')}/me", "isLoggedIn": True}
        done = app.ask("round", container=f"{ours.origin('alice')}/data/")
        assert done == {"first": "one", "then": "two", "listed": True}
        with pytest.raises(PeerRefused):
            app.ask("login", issuer=ours.url, id=ident, secret="wrong")


def test_a_member_of_one_pod_is_known_at_another(servers: tuple[Server, Server]) -> None:
    ours, theirs = servers
    alice = f"{ours.origin('alice')}/me"
    shared = f"{theirs.origin('bob')}/data/shared/"
    with peer("solid_session.mjs") as bob, peer("solid_session.mjs") as guest:
        ident, secret = make_program(theirs, "bob")
        bob.ask("login", issuer=theirs.url, id=ident, secret=secret)
        turtle = {"content-type": "text/turtle"}
        rules = f"""
            @prefix acl: <http://www.w3.org/ns/auth/acl#>.
            <#bob> a acl:Authorization; acl:agent <{theirs.origin("bob")}/me>;
                acl:accessTo <{shared}>; acl:default <{shared}>;
                acl:mode acl:Read, acl:Write, acl:Control.
            <#alice> a acl:Authorization; acl:agent <{alice}>;
                acl:accessTo <{shared}>; acl:default <{shared}>; acl:mode acl:Read, acl:Write.
        """
        for path, body in (("a.ttl", "<#a> <#b> <#c>."), (".acl", rules)):
            made = bob.ask("fetch", url=shared + path, method="PUT", headers=turtle, body=body)
            assert made["status"] in (201, 205), made
        ident, secret = make_program(ours, "alice")
        guest.ask("login", issuer=ours.url, id=ident, secret=secret)
        assert guest.ask("fetch", url=shared + "a.ttl")["status"] == 200
        assert guest.ask("round", container=shared)["then"] == "two"
        private = f"{theirs.origin('bob')}/data/"
        assert guest.ask("fetch", url=private)["status"] == 403
