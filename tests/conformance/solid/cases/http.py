"""HTTP itself: methods, headers, CORS, names.

Spec: https://solidproject.org/ED/protocol#http
"""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.conformance.solid.listing import requires
from tests.conformance.solid.subject import (
    CONTAINER,
    DONE,
    JSONLD,
    LDP,
    N3,
    TURTLE,
    Subject,
    expect,
)

ORIGIN = "https://app.example"


@requires("protocol", "server-http")
def the_semantics_of_http_hold_for_head_and_conditions(pod: Subject) -> None:
    url = pod.document()
    got, head = pod.ask("GET", url).says(200), pod.ask("HEAD", url).says(200)
    expect(head.text == "", "HEAD: a body came")
    for name in ("content-type", "etag"):
        expect(head.headers.get(name) == got.headers.get(name), f"HEAD: another {name} than GET")
    pod.ask("PUT", url, "<> a <#x> .", TURTLE, If_None_Match="*").says(412)
    pod.ask("PUT", url, "<> a <#x> .", TURTLE, If_Match='"nobody"').says(412)
    pod.ask("DELETE", url, If_Match='"nobody"').says(412)
    pod.ask("PUT", f"{url}2", "<> a <#x> .", TURTLE, If_Match="*").says(412)
    pod.ask("GET", url, Accept="image/png").says(406)


@requires("protocol", "server-caching")
def an_unchanged_resource_is_told_by_its_validator(pod: Subject) -> None:
    url = pod.document()
    tag = pod.ask("GET", url).says(200).headers.get("etag", "")
    pod.ask("GET", url, If_None_Match=tag).says(304)
    pod.put(url, "<> a <#changed> .")
    pod.ask("GET", url, If_None_Match=tag).says(200)


@requires("protocol", "server-http-11")
def http_1_1_is_spoken(pod: Subject) -> None:
    answer = pod.ask("GET", pod.storage).says(200)
    expect(answer.response.http_version == "HTTP/1.1", "GET: not HTTP/1.1")
    expect(pod.raw("GET", b"/%zz\x7f") in (400, 401, 404), "GET of a malformed target is served")


@requires("protocol", "server-unauthenticated")
def who_gives_no_credentials_is_asked_for_them(pod: Subject) -> None:
    url = pod.document()
    for method in ("GET", "HEAD", "DELETE"):
        answer = pod.ask(method, url, by=None).says(401)
        expect("www-authenticate" in answer.headers, f"{method}: no WWW-Authenticate")
    pod.ask("PUT", url, "<> a <#x> .", TURTLE, by=None).says(401)
    pod.ask("GET", url, by=None, Authorization="Bearer nonsense").says(401)


@requires("protocol", "server-content-type-includes")
def every_answer_with_content_has_its_type(pod: Subject) -> None:
    url = pod.document()
    for answer in (
        pod.ask("GET", url),
        pod.ask("GET", pod.storage),
        pod.ask("GET", f"{url}/missing"),
        pod.ask("PUT", url, "not turtle", TURTLE),
        pod.ask("GET", url, by=None),
    ):
        has_type = "content-type" in answer.headers
        expect(has_type or not answer.response.content, f"{answer.asked}: content without a type")


@requires("protocol", "server-content-type-missing")
def content_without_a_type_is_refused(pod: Subject) -> None:
    container = pod.container()
    pod.ask("PUT", f"{container}a", "<> a <#x> .").says(400)
    pod.ask("POST", container, "<> a <#x> .").says(400)
    pod.ask("PATCH", f"{container}a", "<> a <#x> .").says(400)
    pod.ask("GET", f"{container}a").says(404)


@requires("protocol", "server-last-modified-includes")
def reading_tells_when_it_changed(pod: Subject) -> None:
    url = pod.document()
    for target in (url, url.rpartition("/")[0] + "/", pod.storage):
        for method in ("GET", "HEAD"):
            answer = pod.ask(method, target).says(200)
            expect("last-modified" in answer.headers, f"{method}: no Last-Modified")


@requires("protocol", "server-uri-trailing-slash-distinct")
def names_that_differ_in_a_slash_are_never_two_resources(pod: Subject) -> None:
    container = pod.container()
    pod.put(f"{container}a", "<> a <#x> .")
    pod.ask("PUT", f"{container}a/", "", TURTLE, Link=CONTAINER).says(301, 400, 403, 404, 405, 409)
    pod.ask("PUT", f"{container}a/b", "<> a <#x> .", TURTLE).says(301, 400, 403, 404, 405, 409)
    pod.ask("PUT", f"{container}b/", "", TURTLE, Link=CONTAINER).says(200, 201, 204)
    pod.ask("PUT", f"{container}b", "<> a <#x> .", TURTLE).says(301, 400, 403, 404, 405, 409)
    pod.ask("GET", f"{container}a/").says(301, 404)


@requires("protocol", "server-uri-redirect-differing")
def the_other_name_leads_to_the_right_one(pod: Subject) -> None:
    container = pod.container()
    answer = pod.ask("GET", container[:-1]).says(301)
    expect(answer.headers["location"].endswith(urlsplit(container).path), "GET: leads elsewhere")


@requires("protocol", "server-authorization-redirect")
def nobody_is_led_where_they_may_not_read(pod: Subject) -> None:
    container = pod.container()
    pod.ask("GET", container[:-1], by=None).says(401)
    pod.ask("GET", container[:-1], by=pod.bob).says(403)


@requires("protocol", "server-method-not-allowed")
def a_method_that_is_not_supported_is_405(pod: Subject) -> None:
    url = pod.document()
    pod.ask("POST", url, "<> a <#x> .", TURTLE).says(405)
    for method in ("TRACE", "PROPFIND"):
        answer = pod.ask(method, url).says(405)
        expect("GET" in answer.words("allow"), f"{method}: Allow does not say what is supported")


@requires("protocol", "server-safe-methods")
def documents_and_containers_are_read_by_get_head_and_options(pod: Subject) -> None:
    url = pod.document()
    for target in (url, url.rpartition("/")[0] + "/"):
        pod.ask("GET", target).says(200)
        pod.ask("HEAD", target).says(200)
        pod.ask("OPTIONS", target).says(200, 204)


@requires("protocol", "server-allow-methods")
def allow_tells_what_can_be_done(pod: Subject) -> None:
    url = pod.document()
    container = url.rpartition("/")[0] + "/"
    for method in ("GET", "HEAD", "OPTIONS"):
        pod.ask(method, url).has("allow", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")
        pod.ask(method, container).has("allow", "GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE")
        expect("POST" not in pod.ask(method, url).words("allow"), f"{method}: Allow lists POST")


@requires("protocol", "server-accept-headers")
def accept_headers_go_with_the_methods_that_allow_lists(pod: Subject) -> None:
    url = pod.document()
    for target in (url, url.rpartition("/")[0] + "/"):
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = pod.ask(method, target).says(200, 204)
            for verb in ("PUT", "PATCH", "POST"):
                name = f"accept-{verb.lower()}"
                is_told, is_allowed = name in answer.headers, verb in answer.words("allow")
                expect(is_told or not is_allowed, f"{method}: Allow has {verb}, but no {name}")


@requires("protocol", "server-cors")
def any_app_reads_every_answer(pod: Subject) -> None:
    url = pod.document()
    for answer in (
        pod.ask("GET", url, Origin=ORIGIN).says(200),
        pod.ask("GET", url, by=None, Origin=ORIGIN).says(401),
        pod.ask("GET", url, by=pod.bob, Origin=ORIGIN).says(403),
        pod.ask("GET", f"{url}-missing", Origin=ORIGIN).says(404),
        pod.ask("POST", url, "x", TURTLE, Origin=ORIGIN).says(405),
    ):
        allowed = answer.headers.get("access-control-allow-origin")
        expect(allowed == ORIGIN, f"{answer.status}: Access-Control-Allow-Origin is {allowed}")


@requires("protocol", "server-cors-access-control-headers")
def a_request_with_an_origin_gets_the_access_control_headers(pod: Subject) -> None:
    answer = pod.ask("GET", pod.document(), Origin=ORIGIN).says(200)
    for name in ("access-control-allow-origin", "access-control-expose-headers"):
        expect(name in answer.headers, f"GET: no {name}")


@requires("protocol", "server-cors-acao-vary")
def the_origin_is_echoed_and_vary_says_so(pod: Subject) -> None:
    answer = pod.ask("GET", pod.document(), Origin=ORIGIN).has("vary", "Origin")
    answer.has("access-control-allow-origin", ORIGIN)


@requires("protocol", "server-cors-aceh")
def all_used_headers_can_be_read(pod: Subject) -> None:
    url = pod.document()
    for answer in (pod.ask("GET", url, Origin=ORIGIN), pod.ask("GET", pod.storage, Origin=ORIGIN)):
        readable = {word.lower() for word in answer.words("access-control-expose-headers")}
        wanted = ("link", "etag", "allow", "wac-allow", "last-modified", "accept-patch")
        for name in (*wanted, "accept-post", "accept-put", "www-authenticate", "location"):
            expect(name in readable or name not in answer.headers, f"GET: {name} is not exposed")


@requires("protocol", "server-cors-options")
def a_preflight_is_answered_without_credentials(pod: Subject) -> None:
    url = pod.document()
    for verb in ("PUT", "PATCH", "DELETE"):
        answer = pod.ask(
            "OPTIONS",
            url,
            by=None,
            Origin=ORIGIN,
            Access_Control_Request_Method=verb,
            Access_Control_Request_Headers="authorization, dpop, content-type",
        ).says(200, 204)
        answer.has("access-control-allow-methods", verb)
        answer.has("access-control-allow-headers", "authorization", "dpop", "content-type")
        answer.has("access-control-allow-origin", ORIGIN)


@requires("protocol", "server-cors-enumerate")
def exposed_headers_are_listed_one_by_one(pod: Subject) -> None:
    exposed = pod.ask("GET", pod.document(), Origin=ORIGIN).words("access-control-expose-headers")
    expect(exposed and "*" not in exposed, "GET: Access-Control-Expose-Headers is *")


@requires("protocol", "server-cors-accept-acah")
def accept_may_be_sent_by_apps(pod: Subject) -> None:
    pod.ask(
        "OPTIONS",
        pod.document(),
        by=None,
        Origin=ORIGIN,
        Access_Control_Request_Method="GET",
        Access_Control_Request_Headers="accept",
    ).has("access-control-allow-headers", "Accept")


@requires("protocol", "server-etag")
def entity_tags_of_rdf_are_strong(pod: Subject) -> None:
    url = pod.document()
    tag = pod.ask("GET", url, Accept=TURTLE).headers.get("etag", "")
    expect(tag.startswith('"'), f"GET: the ETag is {tag or 'missing'}")
    other = pod.ask("GET", url, Accept=JSONLD).headers.get("etag", "")
    expect(tag != other, "GET: two representations have one strong ETag")
    pod.ask("PUT", url, "<> a <#y> .", TURTLE, If_Match=tag).says(*DONE)


@requires("protocol", "server-representation-turtle-jsonld")
def what_was_written_in_rdf_is_read_as_turtle_and_json_ld(pod: Subject) -> None:
    container = pod.container()
    pod.put(f"{container}t", "<> <https://example.org/p> 'v' .")
    body = '{"@id": "", "https://example.org/p": "v"}'
    pod.put(f"{container}j", body, JSONLD)
    patch = "_:p a solid:InsertDeletePatch; solid:inserts { <> ex:p 'v' . } ."
    pod.patch(f"{container}n", patch).says(*DONE)
    for name in "tjn":
        for kind in (TURTLE, JSONLD):
            graph = pod.ask("GET", f"{container}{name}", Accept=kind).says(200).graph()
            expect(len(graph) == 1, f"GET: {len(graph)} triples as {kind}, not 1")
    pod.ask("GET", container, Accept=JSONLD).says(200).graph()


@requires("protocol", "server-patch-n3-accept")
def documents_take_n3_patches(pod: Subject) -> None:
    url = pod.document()
    pod.patch(url, "_:p a solid:InsertDeletePatch; solid:inserts { <> ex:q 2 . } .").says(*DONE)
    expect(len(pod.ask("GET", url, Accept=TURTLE).graph()) == 2, "PATCH: it changed nothing")


@requires("protocol", "server-patch-n3-advertise")
def n3_is_among_the_patches_that_are_told(pod: Subject) -> None:
    url = pod.document()
    for method in ("GET", "HEAD", "OPTIONS"):
        pod.ask(method, url).has("accept-patch", N3)
    pod.ask("GET", url.rpartition("/")[0] + "/").has("accept-patch", N3)


@requires("protocol", "server-resource-constraints-advertisement")
def a_refused_write_names_its_constraints(pod: Subject) -> None:
    _constraints_of_a_refusal(pod)


@requires("protocol", "server-resource-constraints-uri")
def constraints_are_named_by_the_specification_or_the_server(pod: Subject) -> None:
    named = urlsplit(_constraints_of_a_refusal(pod)).hostname
    hosts = ("solidproject.org", urlsplit(pod.storage).hostname)
    expect(named in hosts, f"PUT: the constraints lie at {named}")


@requires("protocol", "server-resource-constraints-rdf")
def constraints_are_told_in_rdf(pod: Subject) -> None:
    url = _constraints_of_a_refusal(pod)
    graph = pod.ask("GET", url.partition("#")[0], Accept=TURTLE, by=None).says(200).graph()
    expect(any(str(s) == url for s in graph.subjects()), "GET: nothing is said of the constraints")
    pod.ask("PUT", url.partition("#")[0], "<> a <#x> .", TURTLE).says(401, 403, 405, 409)


def _constraints_of_a_refusal(pod: Subject) -> str:
    url = pod.document()
    container = url.rpartition("/")[0] + "/"
    body = f"<> <{LDP.contains}> <nothing> ."
    return pod.ask("PUT", container, body, TURTLE).says(409).link(str(LDP.constrainedBy))
