"""Web Access Control: lists, who, what, where, and conditions.

Spec: https://solid.github.io/web-access-control-spec/
"""

from __future__ import annotations

from rdflib import RDF, URIRef

from tests.conformance.solid.listing import requires
from tests.conformance.solid.subject import ACL, CONTAINER, DONE, PREFIXES, TURTLE, Subject, expect

ORIGIN = "https://app.example"
EVERYBODY = "acl:agentClass foaf:Agent"
SIGNED_IN = "acl:agentClass acl:AuthenticatedAgent"
CONDITION = str(ACL.condition)


def _bob(pod: Subject) -> str:
    return f"acl:agent <{pod.bob.webid}>"


def _read(pod: Subject, url: str, status: int, **more: str) -> None:
    pod.ask("GET", url, by=pod.bob, **more).says(status)


@requires("wac", "server-link-acl")
def every_resource_leads_to_its_list(pod: Subject) -> None:
    url = pod.document()
    for target in (url, url.rpartition("/")[0] + "/", pod.storage):
        for method in ("GET", "HEAD"):
            pod.ask(method, target).says(200).link("acl")


@requires("wac", "server-resource-acl-max")
def a_resource_has_one_list(pod: Subject) -> None:
    url = pod.document()
    expect(pod.acl_of(url) != pod.acl_of(pod.storage), "HEAD: two resources have one list")
    links = [link for link in pod.ask("GET", url).links if link.rel == "acl"]
    expect(len(links) == 1, f"GET: {len(links)} lists")


@requires("wac", "server-get-acl-turtle")
def a_list_is_read_as_turtle(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url)
    for method in ("GET", "HEAD"):
        answer = pod.ask(method, pod.acl_of(url), Accept=TURTLE).says(200)
        kind = answer.headers["content-type"].split(";")[0]
        expect(kind == TURTLE, f"{method}: the list is {kind}")


@requires("wac", "server-acl-without-representation")
def a_resource_without_a_list_is_under_its_containers(pod: Subject) -> None:
    url = pod.document()
    container = url.rpartition("/")[0] + "/"
    rule = f"acl:default <{container}>; {_bob(pod)}; acl:mode acl:Read"
    pod.allow(container, rule)
    _read(pod, url, 200)
    pod.ask("GET", pod.acl_of(url)).says(404)


@requires("wac", "server-get-acl-without-representation")
def a_list_that_nobody_made_is_not_found(pod: Subject) -> None:
    acl = pod.acl_of(pod.document())
    for method in ("GET", "HEAD"):
        pod.ask(method, acl).says(404)


@requires("wac", "server-root-container-acl")
def the_root_has_a_list(pod: Subject) -> None:
    for method in ("GET", "HEAD"):
        pod.ask(method, pod.acl_of(pod.storage), Accept=TURTLE).says(200)


@requires("wac", "server-root-container-acl-authorization-control")
def somebody_controls_the_root(pod: Subject) -> None:
    acl = pod.acl_of(pod.storage)
    graph = pod.ask("GET", acl, Accept=TURTLE).graph()
    rules = set(graph.subjects(ACL.mode, ACL.Control))
    expect(any((rule, RDF.type, ACL.Authorization) in graph for rule in rules), "GET: no Control")
    expect((None, ACL.accessTo, URIRef(pod.storage)) in graph, "GET: not about the root")


@requires("wac", "acl-accessto")
def access_to_means_one_resource(pod: Subject) -> None:
    url = pod.document()
    container = url.rpartition("/")[0] + "/"
    pod.allow(container, pod.to(container, _bob(pod), "Read"))
    _read(pod, container, 200)
    _read(pod, url, 403)


@requires("wac", "acl-default")
def default_means_what_lies_inside(pod: Subject) -> None:
    url = pod.document()
    container = url.rpartition("/")[0] + "/"
    pod.allow(container, f"acl:default <{container}>; {_bob(pod)}; acl:mode acl:Read")
    _read(pod, url, 200)
    _read(pod, container, 403)
    pod.put(f"{container}deep/er", "<> a <#x> .")
    _read(pod, f"{container}deep/er", 200)


@requires("wac", "acl-mode-read")
def read_lets_read_and_no_more(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url, pod.to(url, _bob(pod), "Read"))
    _read(pod, url, 200)
    pod.ask("HEAD", url, by=pod.bob).says(200)
    pod.ask("PUT", url, "<> a <#x> .", TURTLE, by=pod.bob).says(403)
    pod.ask("DELETE", url, by=pod.bob).says(403)
    pod.ask("GET", pod.acl_of(url), by=pod.bob).says(403)


@requires("wac", "acl-mode-write")
def write_lets_change_and_delete(pod: Subject) -> None:
    container = pod.container()
    rule = pod.to(container, _bob(pod), "Write", more=f"; acl:default <{container}>")
    pod.allow(container, rule)
    url = f"{container}made"
    pod.ask("PUT", url, "<> a <#x> .", TURTLE, by=pod.bob).says(*DONE)
    _read(pod, url, 403)
    pod.ask("PUT", url, "<> a <#y> .", TURTLE, by=pod.bob).says(*DONE)
    pod.ask("DELETE", url, by=pod.bob).says(*DONE)


@requires("wac", "acl-mode-append")
def append_lets_add_and_not_take_away(pod: Subject) -> None:
    url = pod.document()
    container = url.rpartition("/")[0] + "/"
    pod.allow(
        container, pod.to(container, _bob(pod), "Append", more=f"; acl:default <{container}>")
    )
    pod.ask("POST", container, "<> a <#x> .", TURTLE, by=pod.bob).says(201)
    add = "_:p a solid:InsertDeletePatch; solid:inserts { <> ex:q 2 . } ."
    pod.patch(url, add, by=pod.bob).says(*DONE)
    pod.ask("PUT", url, "<> a <#x> .", TURTLE, by=pod.bob).says(403)
    pod.ask("DELETE", url, by=pod.bob).says(403)


@requires("wac", "acl-mode-control")
def control_lets_change_the_list_and_nothing_else(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url, pod.to(url, _bob(pod), "Control"))
    acl = pod.acl_of(url)
    body = pod.ask("GET", acl, by=pod.bob, Accept=TURTLE).says(200).text
    _read(pod, url, 403)
    more = f"{PREFIXES} <#b> a acl:Authorization; {pod.to(url, _bob(pod), 'Read', 'Control')} ."
    pod.ask("PUT", acl, body + more, TURTLE, by=pod.bob).says(*DONE)
    _read(pod, url, 200)


@requires("wac", "acl-agent")
def an_agent_is_one_person(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url, pod.to(url, "acl:agent <https://somebody.example/#me>", "Read"))
    _read(pod, url, 403)
    pod.allow(url, pod.to(url, _bob(pod), "Read"))
    _read(pod, url, 200)
    pod.ask("GET", url, by=None).says(401)


@requires("wac", "acl-agentgroup")
def a_group_is_whom_its_document_names(pod: Subject) -> None:
    url, groups = pod.document(), pod.document("<#none> a <#x> .")
    pod.put(groups, f"{PREFIXES} <#friends> a vcard:Group; vcard:hasMember <{pod.bob.webid}> .")
    pod.allow(groups, pod.to(groups, EVERYBODY, "Read"))
    pod.allow(url, pod.to(url, f"acl:agentGroup <{groups}#friends>", "Read"))
    _read(pod, url, 200)
    pod.put(
        groups, f"{PREFIXES} <#friends> a vcard:Group; vcard:hasMember <https://x.example/#m> ."
    )
    _read(pod, url, 403)


@requires("wac", "acl-agentclass-foaf-agent")
def everybody_means_everybody(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url, pod.to(url, EVERYBODY, "Read"))
    pod.ask("GET", url, by=None).says(200)
    _read(pod, url, 200)


@requires("wac", "acl-agentclass-authenticated-agent")
def signed_in_means_whoever_is(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url, pod.to(url, SIGNED_IN, "Read"))
    pod.ask("GET", url, by=None).says(401)
    _read(pod, url, 200)


@requires("wac", "acl-origin")
def an_origin_limits_which_apps(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url, pod.to(url, f"{_bob(pod)}; acl:origin <{ORIGIN}>", "Read"))
    _read(pod, url, 200, Origin=ORIGIN)
    _read(pod, url, 403, Origin="https://evil.example")


@requires("wac", "effective-acl-resource-with-representation")
def a_list_of_its_own_is_the_one_that_counts(pod: Subject) -> None:
    url = pod.document()
    container = url.rpartition("/")[0] + "/"
    pod.allow(container, f"acl:default <{container}>; {_bob(pod)}; acl:mode acl:Read")
    _read(pod, url, 200)
    pod.allow(url)
    _read(pod, url, 403)


@requires("wac", "effective-acl-resource-container-hierarchy")
def the_nearest_list_above_counts(pod: Subject) -> None:
    outer = pod.container()
    inner = f"{outer}inner/"
    url = f"{inner}document"
    pod.put(url, "<> a <#x> .")
    pod.allow(outer, f"acl:default <{outer}>; {_bob(pod)}; acl:mode acl:Read")
    _read(pod, url, 200)
    pod.allow(inner)
    _read(pod, url, 403)
    pod.ask("DELETE", pod.acl_of(inner)).says(*DONE)
    _read(pod, url, 200)


@requires("wac", "authorization-conformance")
def what_is_no_whole_authorization_grants_nothing(pod: Subject) -> None:
    url = pod.document()
    bob = _bob(pod)
    for rule in (
        f"<#r1> acl:accessTo <{url}>; {bob}; acl:mode acl:Read .",
        f"<#r1> a acl:Authorization; {bob}; acl:mode acl:Read .",
        f"<#r1> a acl:Authorization; acl:accessTo <{url}>; {bob} .",
        f"<#r1> a acl:Authorization; acl:accessTo <{url}>; acl:mode acl:Read .",
    ):
        pod.allow(url)
        acl = pod.acl_of(url)
        whole = pod.ask("GET", acl, Accept=TURTLE).says(200).text
        pod.put(acl, f"{whole}\n{PREFIXES}{rule}")
        _read(pod, url, 403)


@requires("wac", "authorization-evaluation-acl-mode-entailment")
def write_is_append_too(pod: Subject) -> None:
    container = pod.container()
    pod.allow(container, pod.to(container, _bob(pod), "Write", more=f"; acl:default <{container}>"))
    pod.ask("POST", container, "<> a <#x> .", TURTLE, by=pod.bob).says(201)


@requires("wac", "server-read-operation")
def reading_needs_read(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url, pod.to(url, _bob(pod), "Append", "Write", "Control"))
    for method in ("GET", "HEAD"):
        pod.ask(method, url, by=pod.bob).says(403)


@requires("wac", "server-create-operation")
def creating_needs_append_or_write(pod: Subject) -> None:
    container = pod.container()
    inside = f"; acl:default <{container}>"
    pod.allow(container, pod.to(container, _bob(pod), "Read", more=inside))
    for name in ("a", "b/c"):
        pod.ask("PUT", container + name, "<> a <#x> .", TURTLE, by=pod.bob).says(403)
    pod.ask("POST", container, "<> a <#x> .", TURTLE, by=pod.bob).says(403)
    pod.ask("POST", container, "", TURTLE, by=pod.bob, Link=CONTAINER).says(403)
    pod.allow(container, pod.to(container, _bob(pod), "Append", more=inside))
    pod.ask("POST", container, "", TURTLE, by=pod.bob, Link=CONTAINER).says(201)


@requires("wac", "server-update-operation")
def updating_needs_append_or_write(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url, pod.to(url, _bob(pod), "Read", "Append"))
    pod.ask("PUT", url, "<> a <#x> .", TURTLE, by=pod.bob).says(403)
    pod.allow(url, pod.to(url, _bob(pod), "Write"))
    pod.ask("PUT", url, "<> a <#x> .", TURTLE, by=pod.bob).says(*DONE)


@requires("wac", "server-delete-operation")
def deleting_needs_write_on_the_container_too(pod: Subject) -> None:
    url = pod.document()
    container = url.rpartition("/")[0] + "/"
    pod.allow(url, pod.to(url, _bob(pod), "Read", "Write"))
    pod.ask("DELETE", url, by=pod.bob).says(403)
    pod.allow(container, pod.to(container, _bob(pod), "Write"))
    pod.ask("DELETE", url, by=pod.bob).says(*DONE)


@requires("wac", "server-control-operation")
def a_list_needs_control(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url, pod.to(url, _bob(pod), "Read", "Write"))
    acl = pod.acl_of(url)
    pod.ask("GET", acl, by=pod.bob).says(403)
    pod.ask("PUT", acl, f"{PREFIXES} <#x> a acl:Authorization .", TURTLE, by=pod.bob).says(403)
    pod.patch(
        acl, "_:p a solid:InsertDeletePatch; solid:inserts { <> ex:p 1 . } .", by=pod.bob
    ).says(403)
    pod.ask("DELETE", acl, by=pod.bob).says(403)


@requires("wac", "server-link-condition")
def a_list_tells_which_conditions_count(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url)
    links = pod.ask("GET", pod.acl_of(url)).says(200).links
    kinds = {link.target for link in links if link.rel == CONDITION}
    for kind in ("ClientCondition", "IssuerCondition"):
        expect(str(ACL[kind]) in kinds, f"GET: no link to acl:{kind}")


def _conditioned(pod: Subject, url: str, *conditions: str) -> None:
    listed = ", ".join(f"[ {condition} ]" for condition in conditions)
    pod.allow(url, pod.to(url, _bob(pod), "Read", more=f"; acl:condition {listed}"))


def _limits(pod: Subject, kind: str, wrong: str, right: str | None = None) -> None:
    """A condition that does not hold keeps bob out; one that holds lets him in."""
    url = pod.document()
    _conditioned(pod, url, f"a acl:{kind}; {wrong}")
    _read(pod, url, 403)
    if right is not None:
        _conditioned(pod, url, f"a acl:{kind}; {right}")
        _read(pod, url, 200)


@requires("wac", "acl-client")
def a_client_condition_names_the_app(pod: Subject) -> None:
    _limits(pod, "ClientCondition", "acl:client <https://other.example/id>")


@requires("wac", "acl-clientgroup")
def a_client_group_names_apps(pod: Subject) -> None:
    groups = pod.document("<#none> a <#x> .")
    pod.put(groups, f"{PREFIXES} <#apps> a vcard:Group; vcard:hasMember <https://x.example/id> .")
    pod.allow(groups, pod.to(groups, EVERYBODY, "Read"))
    _limits(pod, "ClientCondition", f"acl:clientGroup <{groups}#apps>")


@requires("wac", "acl-clientclass-foaf-agent")
def any_client_may_be_allowed(pod: Subject) -> None:
    wrong = "acl:client <https://other.example/id>"
    _limits(pod, "ClientCondition", wrong, "acl:clientClass foaf:Agent")


@requires("wac", "acl-issuer")
def an_issuer_condition_names_who_vouches(pod: Subject) -> None:
    wrong = "acl:issuer <https://other.example/>"
    _limits(pod, "IssuerCondition", wrong, f"acl:issuer <{pod.issuer}>")


@requires("wac", "acl-issuergroup")
def an_issuer_group_names_who_vouch(pod: Subject) -> None:
    groups = pod.document("<#none> a <#x> .")
    group = "<#trusted> a vcard:Group; vcard:hasMember"
    pod.put(
        groups, f"{PREFIXES} {group} <{pod.issuer}> . {group.replace('trusted', 'others')} <#x> ."
    )
    pod.allow(groups, pod.to(groups, EVERYBODY, "Read"))
    wrong = f"acl:issuerGroup <{groups}#others>"
    _limits(pod, "IssuerCondition", wrong, f"acl:issuerGroup <{groups}#trusted>")


@requires("wac", "acl-issuerclass-foaf-agent")
def any_issuer_may_be_allowed(pod: Subject) -> None:
    wrong = "acl:issuer <https://other.example/>"
    _limits(pod, "IssuerCondition", wrong, "acl:issuerClass foaf:Agent")


@requires("wac", "server-condition-evaluation")
def conditions_that_are_told_are_evaluated(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url)
    kinds = {link.target for link in pod.ask("GET", pod.acl_of(url)).links if link.rel == CONDITION}
    _conditioned(pod, url, "a acl:IssuerCondition; acl:issuer <https://other.example/>")
    is_told = str(ACL.IssuerCondition) in kinds
    _read(pod, url, 403 if is_told else 200)


@requires("wac", "server-condition-evaluation-conjunctive")
def all_conditions_must_hold(pod: Subject) -> None:
    url = pod.document()
    holds = "a acl:IssuerCondition; acl:issuerClass foaf:Agent"
    fails = "a acl:ClientCondition; acl:client <https://other.example/id>"
    _conditioned(pod, url, holds, fails)
    _read(pod, url, 403)
    _conditioned(pod, url, holds, "a acl:ClientCondition; acl:clientClass foaf:Agent")
    _read(pod, url, 200)


@requires("wac", "extension-acl-condition")
def unknown_conditions_are_as_if_they_were_not_there(pod: Subject) -> None:
    url = pod.document()
    _conditioned(pod, url, "a ex:MoonCondition; ex:phase ex:full")
    _read(pod, url, 200)


@requires("wac", "server-origin-authorization")
def a_browser_app_needs_its_origin_or_public_access(pod: Subject) -> None:
    url = pod.document()
    limited = pod.to(url, f"{SIGNED_IN}; acl:origin <{ORIGIN}>", "Read")
    pod.allow(url, limited)
    _read(pod, url, 200, Origin=ORIGIN)
    _read(pod, url, 403, Origin="https://evil.example")
    pod.allow(url, pod.to(url, EVERYBODY, "Read"))
    _read(pod, url, 200, Origin="https://evil.example")


@requires("wac", "server-cors-acao-acah")
def a_granted_request_may_be_read_by_its_app(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url, pod.to(url, EVERYBODY, "Read"))
    answer = pod.ask("GET", url, by=pod.bob, Origin=ORIGIN).says(200)
    answer.has("access-control-allow-origin", ORIGIN)
    pod.ask(
        "OPTIONS",
        url,
        by=None,
        Origin=ORIGIN,
        Access_Control_Request_Method="GET",
        Access_Control_Request_Headers="authorization",
    ).has("access-control-allow-headers", "authorization")


@requires("wac", "server-wac-allow")
def wac_allow_tells_what_one_may_do(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url, pod.to(url, EVERYBODY, "Read"), pod.to(url, _bob(pod), "Read", "Write"))
    for method in ("GET", "HEAD"):
        told = pod.ask(method, url, by=pod.bob).says(200).headers.get("wac-allow", "")
        expect("user=" in told, f"{method}: WAC-Allow is {told or 'missing'}")
        user, public = told.partition("user=")[2], told.partition("public=")[2]
        expect("write" in user.split(",")[0], f"{method}: WAC-Allow leaves out write")
        expect("read" in public.split(",")[0], f"{method}: WAC-Allow leaves out public read")
        expect("write" not in public.split(",")[0], f"{method}: WAC-Allow has public write")


@requires("wac", "server-cors-aceh-wac-allow")
def apps_may_read_wac_allow(pod: Subject) -> None:
    url = pod.document()
    pod.ask("GET", url, Origin=ORIGIN).has("access-control-expose-headers", "WAC-Allow")
