"""A storage and its access lists, changed and asked at random, beside the oracle's idea of them.

``python -m tests.property.access_machine 100000`` asks that many requests in one run.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from typing import ClassVar
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from adapters.solid.notify.feed import Feeds
from adapters.solid.notify.subscribe import Subscriptions, Wish
from pod.access.agent import PUBLIC, Agent, Credential
from pod.errors import Forbidden, Unauthenticated
from pod.model.ids import Iri
from tests.kit.solid_asker import Answer, asked
from tests.kit.solid_host import Host
from tests.kit.wac_oracle import ROOT, Grant, Who, World, above

GOOD, EVIL = "https://good.example", "https://evil.example"
APP, ISSUER = "https://app.example/id", "https://issuer.example/"
BOB, CAROL, DAVE, EVE = (f"https://{name}.example/me" for name in ("bob", "carol", "dave", "eve"))
LOCAL, REMOTE, INLINE = "/data/groups#us", "https://club.example/groups#us", "#inline"
GROUPS = {LOCAL: {CAROL}, REMOTE: {DAVE}, INLINE: {CAROL, DAVE}}
MEMBER = "http://www.w3.org/2006/vcard/ns#hasMember"

WHO = [
    Who("alice", owner=True, iri="owner"),
    Who("alice", owner=True, iri="owner", origin=EVIL),
    Who(None),
    Who(None, origin=GOOD),
    Who(None, origin=EVIL),
    *(Who(iri.split("//")[1].split(".")[0], iri) for iri in (BOB, CAROL, DAVE, EVE)),
    Who("bob", BOB, origin=GOOD),
    Who("bob", BOB, origin=EVIL),
    Who("bob+app", BOB, client=APP),
    Who("bob+issuer", BOB, issuer=ISSUER),
    Who("bob+both", BOB, client=APP, issuer=ISSUER, origin=GOOD),
    Who("carol+other", CAROL, client=EVIL, issuer=EVIL),
]
DOCUMENTS = [f"{ROOT}{name}" for name in ("x", "a/x", "a/b/x", "c/é", "c/plain")]
CONTAINERS = [ROOT, *(f"{ROOT}{name}" for name in ("a/", "a/b/", "c/", "x/"))]
SUBJECTS = [*DOCUMENTS, *CONTAINERS]
PATHS = [*SUBJECTS, *(f"{s}.acl" for s in SUBJECTS), *(f"{s}.meta" for s in SUBJECTS), f"{ROOT}a"]
SECRETS = {path: f"secret{number:03d}z" for number, path in enumerate(PATHS)}

modes = st.sets(st.sampled_from(["read", "append", "write", "control"]), max_size=3)
grants = st.builds(
    Grant,
    modes.map(frozenset),
    st.sets(
        st.sampled_from([BOB, CAROL, "public", "authenticated", LOCAL, REMOTE, INLINE]),
        max_size=2,
    ).map(frozenset),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, None, None, GOOD]),
    st.sampled_from(
        [
            *((), (), ()),
            (("client", APP),),
            (("issuer", ISSUER),),
            (("client", APP), ("issuer", ISSUER)),
            (("time", "now"),),
        ]
    ),
)
OWNER = Grant(frozenset({"read", "write", "control"}), frozenset({"owner"}))
lists = st.lists(grants, max_size=3)

BODIES = {
    "insert": "solid:inserts {{ <#{0}> a <#B> }}",
    "where insert": "solid:where {{ ?x a <#A> }} ; solid:inserts {{ ?x a <#{0}> }}",
    "delete": "solid:deletes {{ <#{0}> a <#A> }}",
}
ACCEPTS = ["*/*", "text/turtle", "application/ld+json", "application/n-triples", "image/png"]


def turtle(subject_url: str, webid: str, all_grants: list[Grant], secret: str) -> str:
    """An access list as a client writes it."""
    acl, foaf = "http://www.w3.org/ns/auth/acl#", "http://xmlns.com/foaf/0.1/"
    lines = [f"@prefix acl: <{acl}> . @prefix foaf: <{foaf}> . <#{secret}> a <#Secret> ."]
    lines += [f"<#inline> <{MEMBER}> <{who}> ." for who in sorted(GROUPS[INLINE])]
    for number, grant in enumerate(all_grants):
        facts = ["a acl:Authorization"]
        facts += [f"acl:mode acl:{mode.title()}" for mode in sorted(grant.modes)]
        facts += [f"acl:accessTo <{subject_url}>"] if grant.access_to else []
        facts += [f"acl:default <{subject_url}>"] if grant.default else []
        facts += [f"acl:origin <{grant.origin}>"] if grant.origin else []
        for who in sorted(grant.to):
            named = {"public": "acl:agentClass foaf:Agent", "owner": f"acl:agent <{webid}>",
                     "authenticated": "acl:agentClass acl:AuthenticatedAgent"}  # fmt: skip
            group = f"acl:agentGroup <{who}>" if who in GROUPS else f"acl:agent <{who}>"
            facts.append(named.get(who, group))
        for kind, value in grant.conditions:
            facts.append(f"acl:condition [ a acl:{kind.title()}Condition ; acl:{kind} <{value}> ]")
        lines.append(f"<#g{number}> {' ; '.join(facts)} .")
    return "\n".join(lines)


class NoChannels:
    """Channels that are forgotten as soon as they are granted."""

    def held(self, *_: object) -> list[object]:
        return []

    def count(self, _: object) -> int:
        return 0

    async def put(self, channel: object) -> None:
        """Forget it."""


class AccessMachine(RuleBasedStateMachine):
    """Every rule changes the storage or asks it; every answer is held against the oracle."""

    requests: ClassVar[int] = 0

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.host = self.loop.run_until_complete(Host().open())
        self.host.net.documents[REMOTE.split("#")[0]] = f"<#us> <{MEMBER}> <{DAVE}> .".encode()
        webid = str(self.host.alice.webid)
        for who in WHO:
            if who.name not in (None, "alice"):
                made = Agent(Credential.SIGNATURE, iri=Iri(str(who.iri)))
                client, issuer = (Iri(v) if v else None for v in (who.client, who.issuer))
                self.host.tokens.agents[str(who.name)] = replace(made, client=client, issuer=issuer)
        self.webid = webid
        pod = self.host.pod
        feeds = Feeds(pod.store, pod.policy, NoChannels(), pod.clock)  # type: ignore[arg-type]
        self.subscriptions = Subscriptions(pod.store, pod.policy, feeds, pod.clock, dev=True)
        self.world = World({**GROUPS})
        self._owner_puts("/data/groups", f"<#us> <{MEMBER}> <{CAROL}> .")
        for path in DOCUMENTS[:3]:
            self._owner_puts(path, f"<#{SECRETS[path]}> a <#A> .")

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.close()

    def ask(
        self, who: Who, method: str, target: str | bytes, body: str = "", **headers: str
    ) -> Answer:
        """One request, at a path or (bytes) at a request target as it stands."""
        type(self).requests += 1
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Host"] = self.host.alice.host
        if who.name is not None:
            sent["Authorization"] = f"Bearer {who.name}"
        if who.origin is not None:
            sent["Origin"] = who.origin
        raw = target if isinstance(target, bytes) else quote(target).encode()
        work = asked(self.host.app, method, raw, sent, body.encode())
        answer = self.loop.run_until_complete(work)
        self.check_secrets(who, answer)
        assert answer.status < 500, (who, method, target, answer)
        return answer

    def check_secrets(self, who: Who, answer: Answer) -> None:
        """No answer holds a word of anything that its asker may not read."""
        shown = answer.body.decode(errors="replace") + str(answer.headers)
        if "secret" not in shown:
            return
        for path, secret in SECRETS.items():
            if secret in shown:
                # What a container's description says, its listing shows.
                assert "read" in self.world.modes(who, path), (who, path, answer)

    def _owner_puts(self, path: str, body: str) -> None:
        answer = self.ask(WHO[0], "PUT", path, body, Content_Type="text/turtle")
        if answer.status == 201:
            self.appears(path)

    def appears(self, path: str) -> None:
        while path not in self.world.things:
            self.world.things.add(path)
            path = above(path)

    def vanishes(self, path: str) -> None:
        if path.endswith(".acl"):
            self.world.lists.pop(path.removesuffix(".acl"), None)
            return
        gone = {path, f"{path}.meta"}
        if path.endswith("/"):
            gone |= {thing for thing in self.world.things if thing.startswith(path)}
            self.world.lists = {
                s: grants for s, grants in self.world.lists.items() if not s.startswith(path)
            }
        self.world.things -= gone
        self.world.lists.pop(path, None)

    @rule(subject=st.sampled_from(SUBJECTS), given=lists, with_owner=st.sampled_from([1, 1, 1, 0]))
    def share(self, subject: str, given: list[Grant], with_owner: int) -> None:
        """The owner writes a list; one that locks everybody out is refused and changes nothing."""
        wanted = [*given, OWNER] if with_owner else given
        keeps = any(g.is_sound() and g.access_to and "control" in g.modes for g in wanted)
        body = turtle(self.host.url(subject), self.webid, wanted, SECRETS[f"{subject}.acl"])
        answer = self.ask(WHO[0], "PUT", f"{subject}.acl", body, Content_Type="text/turtle")
        # A document may have the name, so that there cannot be a container to have a list.
        assert answer.status in ({201, 204, 409} if keeps else {422}), (answer, body)
        if answer.status in (201, 204):
            self.world.lists[subject] = wanted
            self.appears(above(f"{subject}.acl"))

    @rule(path=st.sampled_from(PATHS), accept=st.sampled_from(ACCEPTS))
    def everybody_reads(self, path: str, accept: str) -> None:
        """Each asker gets the state of a path and their modes there, or learns nothing."""
        for who in WHO:
            expected = self.world.statuses(who, "GET", path, frozenset())
            got = self.ask(who, "GET", path, Accept=accept)
            head = self.ask(who, "HEAD", path, Accept=accept)
            assert got.status in expected, (who, path, got, expected)
            assert head.status == got.status, (who, path, got, head)
            if got.status == 200:
                mine, all_ = (
                    " ".join(m for m in ("read", "append", "write", "control") if m in has)
                    for has in (self.world.modes(w, path) for w in (who, Who(None)))
                )
                assert got.headers["wac-allow"] == f'user="{mine}",public="{all_}"', (who, path)

    @rule(path=st.sampled_from(PATHS))
    def everybody_subscribes(self, path: str) -> None:
        """Who may read a thing may hear of it, whether or not it is there, and nobody else."""
        alice = self.host.alice
        for who in WHO:
            type(self).requests += 1
            agent = self.host.tokens.agents.get(str(who.name), PUBLIC)
            agent = replace(agent, app_origin=who.origin)
            wish = Wish(self.host.url(path))
            work = self.subscriptions.subscribe(agent, alice, "StreamingHTTPChannel2023", wish)
            try:
                self.loop.run_until_complete(work)
                granted = True
            except (Forbidden, Unauthenticated):
                granted = False
            assert granted == ("read" in self.world.modes(who, path)), (who, path)

    @rule(path=st.sampled_from(PATHS), who=st.sampled_from(WHO))
    def aliases(self, path: str, who: Who) -> None:
        """Another spelling is the same thing, or nothing at all."""
        raw = quote(path)
        same = raw[:-1] + f"%{ord(raw[-1]):02x}" if raw[-1] != "/" and raw[-3:-2] != "%" else raw
        assert self.ask(who, "GET", same.encode()).status == self.ask(who, "GET", path).status
        first, _, last = raw.rpartition("/")
        for alias in (
            f"{first}//{last}", f"{first}%2f{last}", f"{first}%2F{last}", f"{first}/./{last}",
            f"{first}/y/../{last}", f"{first}/%2e/{last}", f"/data/..{raw}", f"{raw}%00",
            f"{first}%5c{last}", f"/%2e%2e{raw}", raw.replace("/data", "//data"),
        ):  # fmt: skip
            for method in ("GET", "PUT", "DELETE"):
                answer = self.ask(who, method, alias.encode(), "<#a> a <#b> .",
                                  Content_Type="text/turtle")  # fmt: skip
                assert answer.status in (400, 404, 308), (alias, answer)
        self.ask(who, "GET", raw.upper().encode())
        self.ask(who, "GET", quote(path.replace("é", "e\u0301")).encode())

    @rule(
        path=st.sampled_from(PATHS),
        who=st.sampled_from(WHO),
        method=st.sampled_from(["PUT", "POST", "PATCH", "DELETE", "OPTIONS"]),
        patch=st.sampled_from(sorted(BODIES)),
    )
    def somebody_writes(self, path: str, who: Who, method: str, patch: str) -> None:
        """A write does what the asker may do and nothing else."""
        kinds = frozenset(patch.split()) if method == "PATCH" else frozenset()
        secret = SECRETS[path]
        media, body = "text/turtle", f"<#{secret}> a <#A> ."
        if path.endswith(".acl"):
            url = self.host.url(path.removesuffix(".acl"))
            body = turtle(url, self.webid, [OWNER], secret)
        if method == "PATCH":
            media = "text/n3"
            head = (
                "@prefix solid: <http://www.w3.org/ns/solid/terms#> . <> a solid:InsertDeletePatch"
            )
            body = f"{head} ; {BODIES[patch].format(secret)} ."
        if path.endswith("plain") and method == "PUT":
            media, body = "text/plain", secret
        expected = self.world.statuses(who, method, path, kinds)
        answer = self.ask(who, method, path, body, Content_Type=media, Slug="new")
        assert answer.status in expected, (who, method, path, kinds, answer, expected)
        self.follow(path, method, answer)

    def follow(self, path: str, method: str, answer: Answer) -> None:
        """Let the oracle's world be what the answer says that the storage has become."""
        if answer.status == 201 and method == "POST":
            made = answer.headers["location"].removeprefix(str(self.host.alice.origin))
            self.appears(made)
        elif method == "DELETE" and answer.status == 205:
            self.vanishes(path)
        elif answer.status in (201, 204) and method in ("PUT", "PATCH"):
            self.appears(above(path))
            if not path.endswith(".acl"):
                self.appears(path)
            elif method == "PUT" or answer.status == 201:
                self.world.lists[path.removesuffix(".acl")] = [OWNER]

    @rule(who=st.sampled_from(WHO), lex=st.booleans(), accept=st.sampled_from(ACCEPTS))
    def other_zones(self, who: Who, lex: bool, accept: str) -> None:
        """Records are everybody's to read and the owner's to change; the inbox is the owner's."""
        refused = {401} if who.iri is None else {403}
        query = "?view=lex" if lex else ""
        me = self.ask(who, "GET", f"/me{query}".encode(), Accept=accept)
        assert me.status in (200, 406)
        for path in ("/inbox/", "/repo/.acl"):
            status = self.ask(who, "GET", path, Accept="text/turtle").status
            assert status in ({200} if who.owner else refused)
        if not who.owner:
            for method in ("PUT", "PATCH", "DELETE"):
                for path in ("/repo/app.bsky.feed.post/3mtcccccccc2c", "/repo/.acl"):
                    status = self.ask(who, method, path, "<> a <#A> .", Content_Type="text/turtle")
                    assert status.status in refused, (who, method, path, status)


def run(requests: int) -> int:
    """Ask at least so many requests, in storages of thirty steps each; how many it were."""
    AccessMachine.requests = 0
    while AccessMachine.requests < requests:
        left = requests - AccessMachine.requests
        few = settings(
            max_examples=max(1, min(50, left // 500)),
            stateful_step_count=30,
            database=None,
            phases=[Phase.generate],  # making a failure smaller takes minutes
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(AccessMachine, settings=few)
    return AccessMachine.requests


if __name__ == "__main__":
    begin = time.monotonic()
    count = run(int(sys.argv[1]))
    print(f"{count} requests in {time.monotonic() - begin:.0f} s: no disagreement")
