"""Storages, containers, what belongs to a resource, and deleting.

Spec: https://solidproject.org/ED/protocol#resources
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import rdflib
from rdflib import RDF, URIRef

from tests.conformance.solid.listing import requires
from tests.conformance.solid.subject import (
    ACL,
    CONTAINER,
    DCT,
    DONE,
    LDP,
    PIM,
    PREFIXES,
    SOLID,
    STAT,
    TURTLE,
    Subject,
    expect,
)

DESCRIPTION = "http://www.w3.org/ns/solid/terms#storageDescription"
INSERT = "_:p a solid:InsertDeletePatch; solid:inserts { %s . } ."


@requires("protocol", "server-storage")
def a_storage_is_the_root_container(pod: Subject) -> None:
    graph = pod.holds(pod.storage, (URIRef(pod.storage), RDF.type, LDP.Container))
    container = pod.container()
    expect(
        (URIRef(pod.storage), LDP.contains, URIRef(container)) in pod.holds(pod.storage),
        "GET: the root does not contain what is in it",
    )
    expect(graph, "GET: the storage is empty")


@requires("protocol", "server-storage-nonoverlapping")
def two_storages_do_not_overlap(pod: Subject) -> None:
    mine, other = pod.storage, pod.other_storage
    expect(not mine.startswith(other) and not other.startswith(mine), "the storages overlap")
    answer = pod.ask("HEAD", other, by=pod.bob).says(200)
    expect(str(PIM.Storage) in {link.target for link in answer.links}, "HEAD: no storage")


@requires("protocol", "server-link-storage")
def the_root_says_that_it_is_a_storage(pod: Subject) -> None:
    for method in ("GET", "HEAD"):
        links = pod.ask(method, pod.storage).says(200).links
        types = {link.target for link in links if link.rel == "type"}
        expect(str(PIM.Storage) in types, f"{method}: no Link to pim:Storage")
    inner = {link.target for link in pod.ask("HEAD", pod.container()).links}
    expect(str(PIM.Storage) not in inner, "HEAD: a container inside says that it is a storage")


@requires("protocol", "server-storage-description")
def every_resource_leads_to_the_storage_description(pod: Subject) -> None:
    url = pod.document()
    targets = {
        pod.ask(method, target).says(200, 204).link(DESCRIPTION)
        for method in ("GET", "HEAD", "OPTIONS")
        for target in (url, url.rpartition("/")[0] + "/", pod.storage)
    }
    expect(len(targets) == 1, "there are several descriptions of one storage")


@requires("protocol", "server-storage-description-resource")
def the_storage_description_describes_the_storage(pod: Subject) -> None:
    url = pod.ask("HEAD", pod.storage).says(200).link(DESCRIPTION)
    graph = pod.ask("GET", url, Accept=TURTLE).says(200).graph()
    expect((None, RDF.type, PIM.Storage) in graph, "GET: no statement about the storage")


@requires("protocol", "server-storage-track-owner")
def the_owner_is_known(pod: Subject) -> None:
    pod.ask("GET", pod.acl_of(pod.storage), Accept=TURTLE).says(200)
    pod.ask("GET", pod.acl_of(pod.storage), by=pod.bob).says(403)


@requires("protocol", "server-storage-link-owner")
def the_root_names_its_owner(pod: Subject) -> None:
    for method in ("GET", "HEAD"):
        owner = pod.ask(method, pod.storage).says(200).link(str(SOLID.owner))
        expect(owner == pod.alice.webid, f"{method}: the owner is {owner}")


@requires("protocol", "server-hierarchical-containment")
def containment_follows_the_path_and_there_are_no_orphans(pod: Subject) -> None:
    container = pod.container()
    pod.put(f"{container}a/b/c", "<> a <#x> .")
    for parent, child in (("", "a/"), ("a/", "a/b/"), ("a/b/", "a/b/c")):
        parts = pod.holds(container + parent)
        found = set(parts.objects(URIRef(container + parent), LDP.contains))
        expect(found == {URIRef(container + child)}, "GET: contains other things than it should")


@requires("protocol", "server-basic-container")
def containers_are_ldp_basic_containers(pod: Subject) -> None:
    container = pod.container()
    node = URIRef(container)
    pod.holds(container, (node, RDF.type, LDP.BasicContainer), (node, RDF.type, LDP.Container))
    types = {link.target for link in pod.ask("HEAD", container).links if link.rel == "type"}
    expect(str(LDP.BasicContainer) in types, "HEAD: no Link to ldp:BasicContainer")
    made = pod.ask("POST", container, "<> a <#x> .", TURTLE).says(201).headers["location"]
    pod.holds(container, (node, LDP.contains, URIRef(_absolute(container, made))))


@requires("protocol", "server-container-last-modified")
def a_container_is_as_new_as_its_containment(pod: Subject) -> None:
    container = pod.container()
    times = [pod.ask("GET", container).headers.get("last-modified", "")]
    pod.put(f"{container}a", "<> a <#x> .")
    times.append(pod.ask("HEAD", container).headers.get("last-modified", ""))
    pod.ask("DELETE", f"{container}a").says(*DONE)
    times.append(pod.ask("HEAD", container).headers.get("last-modified", ""))
    expect(all(times), "GET: no Last-Modified")
    read = [parsedate_to_datetime(text) for text in times]
    expect(read == sorted(read), "GET: Last-Modified went back")


@requires("protocol", "server-contained-resource-metadata")
def a_container_tells_what_is_known_of_its_children(pod: Subject) -> None:
    container = pod.container()
    pod.put(f"{container}a.ttl", "<> a <#x> .")
    pod.put(f"{container}b.txt", "hello", "text/plain")
    pod.put(f"{container}c/d", "<> a <#x> .")
    graph = pod.holds(container)
    for name, kind in (("a.ttl", "text/turtle"), ("b.txt", "text/plain")):
        child = URIRef(container + name)
        kinds = set(graph.objects(child, RDF.type))
        iana = URIRef(f"http://www.w3.org/ns/iana/media-types/{kind}#Resource")
        expect(iana in kinds, "GET: no media type class of a child")
        for predicate in (DCT.modified, STAT.size, STAT.mtime):
            told = list(graph.objects(child, predicate))
            expect(len(told) == 1, f"GET: {len(told)} values of {predicate.rpartition('/')[2]}")
    expect(int(graph.value(URIRef(f"{container}b.txt"), STAT.size) or 0) == 5, "GET: wrong size")
    folder = URIRef(f"{container}c/")
    expect((folder, RDF.type, LDP.Container) in graph, "GET: a child container has no class")
    expect(graph.value(folder, DCT.modified) is not None, "GET: no time of a child container")


@requires("protocol", "server-auxiliary-resources-management")
def what_belongs_to_a_resource_comes_and_goes_with_it(pod: Subject) -> None:
    url = pod.document()
    pod.allow(url)
    acl = pod.acl_of(url)
    pod.ask("GET", acl, Accept=TURTLE).says(200)
    container = url.rpartition("/")[0] + "/"
    contained = set(pod.holds(container).objects(None, LDP.contains))
    expect(contained == {URIRef(url)}, "GET: a container lists what belongs to its resources")
    pod.ask("DELETE", url).says(*DONE)
    pod.ask("GET", acl).says(404, 410)


@requires("protocol", "server-link-auxiliary-type")
def what_belongs_to_a_resource_is_linked(pod: Subject) -> None:
    url = pod.document()
    for target in (url, url.rpartition("/")[0] + "/"):
        for method in ("GET", "HEAD"):
            answer = pod.ask(method, target).says(200)
            answer.link("acl")
            answer.link("describedby")


@requires("protocol", "server-description-resource-max")
def a_resource_has_at_most_one_description(pod: Subject) -> None:
    url = pod.document()
    for target in (url, url.rpartition("/")[0] + "/", pod.storage):
        links = [link for link in pod.ask("HEAD", target).links if link.rel == "describedby"]
        expect(len(links) <= 1, f"HEAD: {len(links)} descriptions")


@requires("protocol", "server-description-resource-authorization")
def a_description_is_under_the_rules_of_its_subject(pod: Subject) -> None:
    url = pod.document("hello", "text/plain")
    about = pod.ask("HEAD", url).link("describedby")
    pod.patch(about, INSERT % f"<{url}> ex:p 1").says(*DONE)
    pod.ask("GET", about, by=pod.bob).says(403)
    pod.allow(url, pod.to(url, f"acl:agent <{pod.bob.webid}>", "Read"))
    pod.ask("GET", about, by=pod.bob, Accept=TURTLE).says(200)
    pod.patch(about, INSERT % f"<{url}> ex:p 2", by=pod.bob).says(403)


@requires("protocol", "server-put-patch-auxiliary-resource")
def what_belongs_to_a_resource_is_made_by_writing_it(pod: Subject) -> None:
    url = pod.document("hello", "text/plain")
    about = pod.ask("HEAD", url).link("describedby")
    pod.patch(about, INSERT % f"<{url}> ex:p 1").says(*DONE)
    node, predicate = URIRef(url), URIRef("https://example.org/p")
    pod.holds(about, (node, predicate, rdflib.Literal(1)))
    acl = pod.acl_of(url)
    pod.ask("GET", acl).says(404)
    pod.allow(url)
    rule = pod.to(url, "acl:agentClass foaf:Agent", "Read")
    pod.patch(acl, INSERT % f"<#x> a acl:Authorization; {rule}").says(*DONE)
    pod.ask("GET", url, by=None).says(200)


@requires("protocol", "server-post-uri-assignment")
def a_post_is_given_a_name(pod: Subject) -> None:
    container = pod.container()
    names = {
        pod.ask("POST", container, "<> a <#x> .", TURTLE, Slug="same").says(201).headers["location"]
        for _ in range(3)
    }
    expect(len(names) == 3, "POST: two resources have one name")


@requires("protocol", "server-put-patch-intermediate-containers")
def containers_on_the_way_are_made(pod: Subject) -> None:
    container = pod.container()
    pod.put(f"{container}a/b/c", "<> a <#x> .")
    pod.patch(f"{container}d/e/f", INSERT % "<> a <#x>").says(*DONE)
    for parent, child in (("a/", "a/b/"), ("d/", "d/e/"), ("d/e/", "d/e/f")):
        pod.holds(
            container + parent,
            (URIRef(container + parent), LDP.contains, URIRef(container + child)),
        )


@requires("protocol", "server-post-container")
def containers_take_posts(pod: Subject) -> None:
    container = pod.container()
    pod.ask("POST", container, "<> a <#x> .", TURTLE).says(201)
    pod.ask("POST", container, "hello", "text/plain", Slug="note.txt").says(201)
    made = pod.ask("POST", container, "", TURTLE, Link=CONTAINER, Slug="box").says(201)
    expect(made.headers["location"].endswith("/"), "POST: a new container's name has no slash")


@requires("protocol", "server-post-container-create-resource")
def what_is_posted_lies_in_the_container(pod: Subject) -> None:
    container = pod.container()
    for slug in ("name", "../up", "a/b", ".acl", "%2e%2e", "é" * 3, ""):
        answer = pod.ask("POST", container, "<> a <#x> .", TURTLE, Slug=slug.encode())
        if answer.status in (400, 403):
            continue
        made = _absolute(container, answer.says(201).headers["location"])
        rest = made.removeprefix(container)
        expect(made.startswith(container) and rest and "/" not in rest, "POST: made elsewhere")
        pod.ask("GET", made).says(200)


@requires("protocol", "server-post-target-not-found")
def a_post_to_nothing_finds_nothing(pod: Subject) -> None:
    container = pod.container()
    pod.ask("POST", f"{container}nothing/", "<> a <#x> .", TURTLE).says(404)
    pod.ask("POST", f"{container}nothing", "<> a <#x> .", TURTLE).says(404)


@requires("protocol", "server-protect-containment")
def containment_is_not_written_by_hand(pod: Subject) -> None:
    url = pod.document()
    container = url.rpartition("/")[0] + "/"
    false = f"<> <{LDP.contains}> <nothing>"
    pod.ask("PUT", container, f"{false} .", TURTLE).says(409)
    pod.patch(container, INSERT % false).says(409)
    gone = f"_:p a solid:InsertDeletePatch; solid:deletes {{ <> <{LDP.contains}> <{url}> . }} ."
    pod.patch(container, gone).says(409)
    contained = set(pod.holds(container).objects(None, LDP.contains))
    expect(contained == {URIRef(url)}, "PUT: containment changed")


@requires("protocol", "server-protect-contained-resource-metadata")
def what_is_told_of_children_is_not_written_by_hand(pod: Subject) -> None:
    url = pod.document()
    container = url.rpartition("/")[0] + "/"
    false = f"<{url}> <{STAT.size}> 1000000"
    pod.ask("PUT", container, f"{false} .", TURTLE).says(409)
    pod.patch(container, INSERT % false).says(409)
    sizes = {int(size) for size in pod.holds(container).objects(URIRef(url), STAT.size)}
    expect(1000000 not in sizes, "PUT: what is told of a child changed")


@requires("protocol", "server-delete-protect-root-container")
def a_storage_and_its_list_cannot_be_deleted(pod: Subject) -> None:
    pod.ask("DELETE", pod.storage).says(405)
    pod.ask("DELETE", pod.acl_of(pod.storage)).says(405)
    pod.ask("GET", pod.storage).says(200)


@requires("protocol", "server-disallow-delete")
def a_storage_and_its_list_do_not_offer_deleting(pod: Subject) -> None:
    for target in (pod.storage, pod.acl_of(pod.storage)):
        for method in ("GET", "HEAD", "OPTIONS"):
            allowed = pod.ask(method, target).says(200, 204).words("allow")
            expect(allowed and "DELETE" not in allowed, f"{method}: Allow has DELETE")


@requires("protocol", "server-delete-remove-containment")
def what_was_deleted_is_no_longer_contained(pod: Subject) -> None:
    url = pod.document()
    pod.ask("DELETE", url).says(*DONE)
    graph = pod.holds(url.rpartition("/")[0] + "/")
    expect((None, LDP.contains, URIRef(url)) not in graph, "GET: still contains it")


@requires("protocol", "server-delete-remove-auxiliary-resource")
def deleting_takes_along_what_belongs_to_it(pod: Subject) -> None:
    url = pod.document("hello", "text/plain")
    about = pod.ask("HEAD", url).link("describedby")
    pod.patch(about, INSERT % f"<{url}> ex:p 1").says(*DONE)
    pod.allow(url, pod.to(url, "acl:agentClass foaf:Agent", "Read"))
    acl = pod.acl_of(url)
    pod.ask("DELETE", url).says(*DONE)
    pod.ask("GET", about).says(404, 410)
    pod.ask("GET", acl).says(404, 410)
    pod.put(url, "again", "text/plain")
    pod.ask("GET", url, by=None).says(401)


@requires("protocol", "server-delete-remove-empty-container")
def an_empty_container_is_deleted(pod: Subject) -> None:
    container = pod.container()
    pod.allow(container)
    pod.ask("DELETE", container).says(*DONE)
    pod.ask("GET", container).says(404, 410)
    graph = pod.holds(pod.storage)
    expect((None, LDP.contains, URIRef(container)) not in graph, "GET: still contains it")


@requires("protocol", "server-delete-protect-nonempty-container")
def a_container_that_is_not_empty_stays(pod: Subject) -> None:
    url = pod.document()
    container = url.rpartition("/")[0] + "/"
    answer = pod.ask("DELETE", container).says(409)
    expect(answer.text, "DELETE: the answer does not describe the error")
    pod.ask("GET", url).says(200)


@requires("protocol", "server-delete-get")
def what_was_deleted_is_not_found(pod: Subject) -> None:
    url = pod.document()
    pod.ask("DELETE", url).says(*DONE)
    pod.ask("GET", url).says(404, 410)
    pod.ask("DELETE", url).says(404, 410)


@requires("protocol", "server-ldn")
def the_inbox_takes_notifications_and_its_owner_reads_them(pod: Subject) -> None:
    answer = pod.ask("GET", pod.alice.webid, by=None, Accept=TURTLE).says(200)
    inboxes = set(answer.graph().objects(None, LDP.inbox))
    inboxes |= {URIRef(link.target) for link in answer.links if link.rel == str(LDP.inbox)}
    expect(len(inboxes) == 1, f"GET: the profile names {len(inboxes)} inboxes")
    inbox = str(inboxes.pop())
    body = '{"@context": "https://www.w3.org/ns/activitystreams", "type": "Announce", "object": "https://example.org/x"}'
    sent = pod.ask("POST", inbox, body, "application/ld+json", by=pod.bob).says(201, 202)
    turtle = pod.ask("POST", inbox, PREFIXES + "<> a ex:Letter .", TURTLE, by=pod.bob).says(
        201, 202
    )
    listed = set(
        pod.ask("GET", inbox, Accept="application/ld+json")
        .says(200)
        .graph()
        .objects(None, LDP.contains)
    )
    for made in (sent, turtle):
        place = _absolute(inbox, made.headers["location"])
        expect(URIRef(place) in listed, "GET: the inbox does not list a notification")
        pod.ask("GET", place, Accept="application/ld+json").says(200)
    pod.ask("GET", inbox, by=pod.bob).says(403)
    pod.ask("POST", inbox, "not json", "application/ld+json", by=pod.bob).says(400)


@requires("protocol", "server-wac-acp")
def access_control_lists_decide(pod: Subject) -> None:
    url = pod.document()
    pod.ask("GET", url, by=pod.bob).says(403)
    pod.allow(url, pod.to(url, f"acl:agent <{pod.bob.webid}>", "Read"))
    pod.ask("GET", url, by=pod.bob).says(200)
    graph = pod.ask("GET", pod.acl_of(url), Accept=TURTLE).graph()
    expect((None, RDF.type, ACL.Authorization) in graph, "GET: the list is no WAC document")


def _absolute(base: str, location: str) -> str:
    if location.startswith("http"):
        return location
    at = urlsplit(base)
    return f"{at.scheme}://{at.netloc}{location}"
