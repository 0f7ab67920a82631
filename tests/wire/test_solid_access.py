"""Access lists over HTTP: who may do what, by which rule, and what the headers say of it."""

from __future__ import annotations

import pytest

from tests.kit.solid_host import Host, told

TTL = "text/turtle"
DOC = "<#a> a <#B> ."
HEAD = """@prefix acl: <http://www.w3.org/ns/auth/acl#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
<#owner> a acl:Authorization ; acl:agent </me> ; acl:accessTo <./> ; acl:default <./> ;
  acl:mode acl:Read, acl:Write, acl:Control ."""
INSERT = """@prefix solid: <http://www.w3.org/ns/solid/terms#> .
<> a solid:InsertDeletePatch; solid:inserts { <#new> a <#C> } ."""
DELETE = INSERT.replace("inserts { <#new> a <#C> }", "deletes { <#a> a <#B> }")
WHERE = INSERT.replace("inserts {", "where { <#a> a <#B> } ; solid:inserts {")

ANYBODY = "acl:agentClass foaf:Agent"
BOB = "acl:agent <https://bob.example/me>"


async def share(host: Host, rules: str) -> None:
    """A folder with one document and rules for others on the folder."""
    await host.ask("PUT", "/data/f/doc", DOC, Content_Type=TTL)
    answer = await host.ask("PUT", "/data/f/.acl", HEAD + rules, Content_Type=TTL)
    assert answer.status_code == 201


def rule(who: str, modes: str, about: str = "acl:accessTo <./> ; acl:default <./>") -> str:
    return f"<#r> a acl:Authorization ; {who} ; {about} ; acl:mode {modes} ."


async def does(host: Host, action: str, who: str | None) -> int:
    match action:
        case "read":
            answer = await host.ask("GET", "/data/f/doc", as_=who)
        case "list":
            answer = await host.ask("GET", "/data/f/", as_=who)
        case "replace":
            answer = await host.ask("PUT", "/data/f/doc", DOC, as_=who, Content_Type=TTL)
        case "create":
            answer = await host.ask("PUT", "/data/f/new", DOC, as_=who, Content_Type=TTL)
        case "post":
            answer = await host.ask("POST", "/data/f/", DOC, as_=who, Content_Type=TTL)
        case "insert":
            answer = await host.ask("PATCH", "/data/f/doc", INSERT, as_=who, Content_Type="text/n3")
        case "find":
            answer = await host.ask("PATCH", "/data/f/doc", WHERE, as_=who, Content_Type="text/n3")
        case "erase":
            answer = await host.ask("PATCH", "/data/f/doc", DELETE, as_=who, Content_Type="text/n3")
        case "delete":
            answer = await host.ask("DELETE", "/data/f/doc", as_=who)
        case "acl":
            answer = await host.ask("GET", "/data/f/.acl", as_=who)
        case "set acl":
            own = HEAD.replace("<./>", "<doc>")
            answer = await host.ask("PUT", "/data/f/doc.acl", own, as_=who, Content_Type=TTL)
        case "post acl":
            answer = await host.ask(
                "POST", "/data/f/", HEAD, as_=who, Content_Type=TTL, Slug="doc.acl"
            )
            if answer.status_code == 201:
                assert not answer.headers["Location"].endswith(".acl")
        case _:
            raise AssertionError(action)
    return answer.status_code


ACTIONS = ("read", "list", "replace", "create", "post", "insert", "find", "erase", "delete", "acl",
           "set acl", "post acl")  # fmt: skip
GRANTED = {
    "": set(),
    "acl:Read": {"read", "list"},
    "acl:Append": {"post", "insert", "post acl"},
    "acl:Read, acl:Append": {"read", "list", "post", "insert", "find", "post acl"},
    "acl:Write": {"replace", "create", "post", "insert", "delete", "post acl"},
    "acl:Read, acl:Write": set(ACTIONS) - {"acl", "set acl"},
    "acl:Control": {"acl", "set acl"},
}


@pytest.mark.parametrize("modes", GRANTED)
@pytest.mark.parametrize("who", [None, "bob"])
def test_each_mode_grants_just_what_the_standard_says(modes: str, who: str | None) -> None:
    async def story(host: Host) -> None:
        for action in ACTIONS:
            fresh = await Host().open()
            await share(fresh, rule(ANYBODY if who is None else BOB, modes) if modes else "")
            status = await does(fresh, action, who)
            refused = 401 if who is None else 403
            assert (action, status in (401, 403)) == (action, action not in GRANTED[modes])
            assert status in (200, 201, 204, 205, refused)

    told(story)


@pytest.mark.parametrize(
    ("who", "bob", "nobody"),
    [
        (ANYBODY, 200, 200),
        (BOB, 200, 401),
        ("acl:agentClass acl:AuthenticatedAgent", 200, 401),
        ("acl:agentGroup </data/groups#friends>", 200, 401),
        ("acl:agentGroup </data/groups#others>", 403, 401),
        ("acl:agent <https://carol.example/me>", 403, 401),
    ],
)
def test_a_rule_is_for_whom_it_names(who: str, bob: int, nobody: int) -> None:
    async def story(host: Host) -> None:
        group = "<#friends> <http://www.w3.org/2006/vcard/ns#hasMember> <https://bob.example/me> ."
        await host.ask("PUT", "/data/groups", group, Content_Type=TTL)
        await share(host, rule(who, "acl:Read"))
        assert await does(host, "read", "bob") == bob
        assert await does(host, "read", None) == nobody

    told(story)


def test_nobody_else_keeps_activities_on_the_owners_origin() -> None:
    async def story(host: Host) -> None:
        await share(host, rule(ANYBODY, "acl:Read, acl:Write"))
        told = {"Content_Type": "application/activity+json; charset=utf-8"}
        for who, status in (("bob", 415), (None, 415), ("alice", 201)):
            body = b'{"id":"http://alice.localhost:2583/me"}'
            for method, path in (("PUT", f"/data/f/{who}"), ("POST", "/data/f/")):
                answer = await host.ask(method, path, body, as_=who, **told)
                assert answer.status_code == status

    told(story)


def test_deleting_does_not_tell_what_one_may_not_read() -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/f/sub/", Content_Type=TTL)
        await share(host, rule(BOB, "acl:Write"))
        for path in ("/data/f/none", "/data/f/sub/", "/data/f/none/"):
            assert (await host.ask("DELETE", path, as_="bob")).status_code == 403
        assert host.stored("/data/f/sub/") is not None

    told(story)


def test_a_rule_for_an_app_binds_only_browsers() -> None:
    async def story(host: Host) -> None:
        await share(host, rule(f"{BOB} ; acl:origin <https://good.example>", "acl:Read"))
        for origin, status in (("https://good.example", 200), ("https://evil.example", 403)):
            got = await host.ask("GET", "/data/f/doc", as_="bob", Origin=origin)
            assert got.status_code == status

    told(story)


def test_the_nearest_list_decides_and_access_to_does_not_spread() -> None:
    async def story(host: Host) -> None:
        await share(host, rule(ANYBODY, "acl:Read", "acl:accessTo <./>"))
        assert await does(host, "list", None) == 200
        assert await does(host, "read", None) == 401
        put = await host.ask(
            "PUT",
            "/data/f/.acl",
            HEAD + rule(ANYBODY, "acl:Read", "acl:default <./>"),
            Content_Type=TTL,
        )
        assert put.status_code == 204
        assert await does(host, "list", None) == 401
        assert await does(host, "read", None) == 200
        own = HEAD.replace("<./>", "<doc>")
        await host.ask("PUT", "/data/f/doc.acl", own, Content_Type=TTL)
        assert await does(host, "read", None) == 401
        assert await does(host, "read", "alice") == 200
        await host.ask("DELETE", "/data/f/doc.acl")
        assert await does(host, "read", None) == 200

    told(story)


def test_wac_allow_tells_the_caller_and_the_public_apart() -> None:
    async def story(host: Host) -> None:
        rules = rule(ANYBODY, "acl:Read") + rule(BOB, "acl:Append").replace("<#r>", "<#s>")
        await share(host, rules)
        bob = await host.ask("GET", "/data/f/doc", as_="bob")
        assert bob.headers["WAC-Allow"] == 'user="read append",public="read"'
        nobody = await host.ask("HEAD", "/data/f/doc", as_=None)
        assert nobody.headers["WAC-Allow"] == 'user="read",public="read"'

    told(story)


def test_the_root_has_a_list_before_anybody_wrote_one() -> None:
    async def story(host: Host) -> None:
        first = await host.ask("GET", "/data/.acl")
        assert first.status_code == 200
        assert host.alice.webid.encode() in await first.get_data()
        assert (await host.ask("GET", "/data/.acl", as_="bob")).status_code == 403
        patch = """@prefix solid: <http://www.w3.org/ns/solid/terms#> .
        @prefix acl: <http://www.w3.org/ns/auth/acl#> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
        <> a solid:InsertDeletePatch; solid:inserts { <#all> a acl:Authorization ;
        acl:agentClass foaf:Agent ; acl:accessTo <./> ; acl:mode acl:Read } ."""
        made = await host.ask("PATCH", "/data/.acl", patch, Content_Type="text/n3")
        assert made.status_code == 201
        assert (await host.ask("GET", "/data/", as_=None)).status_code == 200
        assert (await host.ask("PUT", "/data/x", DOC, Content_Type=TTL)).status_code == 201

    told(story)


def test_the_public_zone_cannot_be_narrowed() -> None:
    async def story(host: Host) -> None:
        shown = await host.ask("GET", "/repo/.acl")
        assert b"foaf:Agent" in await shown.get_data()
        for method in ("PUT", "PATCH", "DELETE"):
            answer = await host.ask(method, "/repo/.acl", HEAD, Content_Type=TTL)
            assert answer.status_code == 409
            assert b"/data/" in await answer.get_data()
            assert (await host.ask(method, "/repo/.acl", as_=None)).status_code == 401

    told(story)


def test_a_refusal_can_be_read_by_a_browser_app() -> None:
    async def story(host: Host) -> None:
        answer = await host.ask("GET", "/data/x", as_=None, Origin="https://app.example")
        assert answer.status_code == 401
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert answer.headers["WWW-Authenticate"]

    told(story)


@pytest.mark.parametrize("who", ["bob", None])
def test_options_does_not_tell_a_stranger_what_is_there(who: str | None) -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/photo", b"pixels", Content_Type="image/png")
        mine = await host.ask("OPTIONS", "/data/photo")
        there = await host.ask("OPTIONS", "/data/photo", as_=who)
        absent = await host.ask("OPTIONS", "/data/absent", as_=who)
        assert mine.headers["Allow"] != absent.headers["Allow"]
        assert there.headers["Allow"] == absent.headers["Allow"]

    told(story)


def test_a_name_without_its_slash_does_not_tell_of_a_container_that_one_may_not_read() -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/secret/", Content_Type=TTL)
        public = rule(ANYBODY, "acl:Read")
        for path, rules in (("/data/.acl", HEAD + public), ("/data/secret/.acl", HEAD)):
            await host.ask("PUT", path, rules, Content_Type=TTL)
        assert (await host.ask("GET", "/data/secret")).status_code == 301
        assert (await host.ask("GET", "/data/secret", as_=None)).status_code == 404
        assert (await host.ask("GET", "/data/nothing", as_=None)).status_code == 404

    told(story)


def test_who_may_only_append_does_not_learn_that_something_was_deleted() -> None:
    async def story(host: Host) -> None:
        await share(host, rule(BOB, "acl:Append"))
        await host.ask("DELETE", "/data/f/doc")
        assert (await host.ask("POST", "/data/f/doc")).status_code == 404
        for path in ("/data/f/doc", "/data/f/never"):
            assert (await host.ask("POST", path, as_="bob")).status_code == 405

    told(story)


@pytest.mark.parametrize("path", ["/data/.acl", "/data/f/.meta"])
def test_what_the_pod_makes_itself_cannot_be_posted_to(path: str) -> None:
    async def story(host: Host) -> None:
        await share(host, "")
        assert (await host.ask("POST", path, DOC, Content_Type=TTL)).status_code == 405
        assert (
            await host.ask("POST", "/data/none/.meta", DOC, Content_Type=TTL)
        ).status_code == 404

    told(story)
