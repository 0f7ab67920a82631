"""N3 Patch: its format, what it needs to be allowed, what it does.

Spec: https://solidproject.org/ED/protocol#n3-patch
"""

from __future__ import annotations

from tests.conformance.solid.listing import requires
from tests.conformance.solid.subject import DONE, N3, PREFIXES, TURTLE, Subject, expect

PATCH = "_:p a solid:InsertDeletePatch"
START = PREFIXES + '<> ex:p 1 ; ex:q "a", "b" .'


def _refused(pod: Subject, *bodies: str, status: int = 422) -> None:
    """Each patch is refused with a status, and changes nothing."""
    url = pod.document(START)
    for body in bodies:
        pod.patch(url, body).says(status)
    expect(len(pod.ask("GET", url, Accept=TURTLE).graph()) == 3, "PATCH: a refused one changed it")


def _taken(pod: Subject, body: str, triples: int) -> None:
    url = pod.document(START)
    pod.patch(url, body).says(*DONE)
    left = len(pod.ask("GET", url, Accept=TURTLE).says(200).graph())
    expect(left == triples, f"PATCH: {left} triples are there, not {triples}")


@requires("protocol", "server-patch-n3-patches")
def a_patch_document_holds_a_patch(pod: Subject) -> None:
    _refused(pod, "", "<#a> <#b> <#c> .")


@requires("protocol", "server-patch-n3-patch-identifier")
def a_patch_is_named_by_an_iri_or_a_blank_node(pod: Subject) -> None:
    for name in ("_:x", "<>", "<#patch>", "<https://example.org/patch>"):
        _taken(pod, f"{name} a solid:InsertDeletePatch; solid:inserts {{ <> ex:n 1 . }} .", 4)


@requires("protocol", "server-patch-n3-type")
def a_patch_may_have_the_general_type_too(pod: Subject) -> None:
    _taken(pod, "_:p a solid:Patch, solid:InsertDeletePatch; solid:inserts { <> ex:n 1 . } .", 4)


@requires("protocol", "server-patch-n3-deletes")
def there_is_one_formula_of_deletions(pod: Subject) -> None:
    _refused(pod, f'{PATCH}; solid:deletes {{ <> ex:q "a" . }}, {{ <> ex:q "b" . }} .')
    _taken(pod, f'{PATCH}; solid:deletes {{ <> ex:q "a" . }} .', 2)


@requires("protocol", "server-patch-n3-inserts")
def there_is_one_formula_of_insertions(pod: Subject) -> None:
    _refused(pod, f"{PATCH}; solid:inserts {{ <> ex:n 1 . }}, {{ <> ex:n 2 . }} .")
    _taken(pod, f"{PATCH}; solid:inserts {{ <> ex:n 1, 2 . }} .", 5)


@requires("protocol", "server-patch-n3-where")
def there_is_one_formula_of_conditions(pod: Subject) -> None:
    body = f"{PATCH}; solid:inserts {{ <> ex:n ?x . }}; solid:where {{ <> ex:p ?x . }}"
    _refused(pod, f"{body}, {{ <> ex:q ?x . }} .")
    _taken(pod, f"{body} .", 4)


@requires("protocol", "server-patch-n3-formulae")
def formulae_hold_triples_alone(pod: Subject) -> None:
    _refused(
        pod,
        f"{PATCH}; solid:inserts {{ <> ex:n {{ <> ex:m 1 . }} . }} .",
        f"{PATCH}; solid:inserts <#formula> .",
        f'{PATCH}; solid:inserts "text" .',
    )
    _taken(pod, f"{PATCH}; solid:inserts {{ }}; solid:deletes {{ <> ex:p 1 . }} .", 2)


@requires("protocol", "server-patch-n3-default")
def only_the_simple_kind_of_patch_is_applied(pod: Subject) -> None:
    _refused(pod, "_:p a ex:OtherPatch; solid:inserts { <> ex:n 1 . } .")


@requires("protocol", "server-patch-n3-single")
def there_is_one_patch_in_a_document(pod: Subject) -> None:
    one = "a solid:InsertDeletePatch; solid:inserts { <> ex:n 1 . } ."
    _refused(pod, f"_:p {one} _:q {one}", f"{PATCH} . _:q solid:inserts {{ <> ex:n 1 . }} .")


@requires("protocol", "server-patch-n3-simple-type")
def a_patch_has_its_type(pod: Subject) -> None:
    _refused(
        pod,
        "_:p solid:inserts { <> ex:n 1 . } .",
        "_:p a solid:Patch; solid:inserts { <> ex:n 1 . } .",
    )


@requires("protocol", "server-patch-n3-variables")
def every_variable_is_bound_by_the_conditions(pod: Subject) -> None:
    _refused(
        pod,
        f"{PATCH}; solid:inserts {{ <> ex:n ?x . }} .",
        f"{PATCH}; solid:deletes {{ <> ex:p ?x . }} .",
        f"{PATCH}; solid:inserts {{ <> ex:n ?y . }}; solid:where {{ <> ex:p ?x . }} .",
    )


@requires("protocol", "server-patch-n3-blank-nodes")
def blank_nodes_are_not_deleted(pod: Subject) -> None:
    _refused(
        pod,
        f"{PATCH}; solid:deletes {{ <> ex:q [] . }} .",
        f"{PATCH}; solid:deletes {{ _:b ex:q 1 . }} .",
    )
    _taken(pod, f"{PATCH}; solid:inserts {{ <> ex:n [ ex:m 1 ] . }} .", 5)


@requires("protocol", "server-patch-n3-blank-nodes-syntax")
def a_blank_node_label_stays_in_one_formula(pod: Subject) -> None:
    _refused(
        pod,
        f"{PATCH}; solid:inserts {{ <> ex:n _:b . }}; solid:where {{ <> ex:p _:b . }} .",
        "_:b a solid:InsertDeletePatch; solid:inserts { <> ex:n _:b . } .",
    )


@requires("protocol", "server-patch-n3-invalid")
def a_patch_that_breaks_the_rules_is_unprocessable(pod: Subject) -> None:
    _refused(pod, "<> a <#x> .", "_:p a solid:Patch .")
    url = pod.document(START)
    pod.ask("PATCH", url, PREFIXES + "this is not n3 {", N3).says(400, 422)


@requires("protocol", "server-n3-patch-where")
def conditions_need_read(pod: Subject) -> None:
    url = pod.document(START)
    body = f"{PATCH}; solid:inserts {{ <> ex:n ?x . }}; solid:where {{ <> ex:p ?x . }} ."
    pod.allow(url, pod.to(url, f"acl:agent <{pod.bob.webid}>", "Append"))
    pod.patch(url, body, by=pod.bob).says(403)
    pod.allow(url, pod.to(url, f"acl:agent <{pod.bob.webid}>", "Append", "Read"))
    pod.patch(url, body, by=pod.bob).says(*DONE)


@requires("protocol", "server-n3-patch-insert")
def insertions_need_append(pod: Subject) -> None:
    url = pod.document(START)
    body = f"{PATCH}; solid:inserts {{ <> ex:n 1 . }} ."
    pod.allow(url, pod.to(url, f"acl:agent <{pod.bob.webid}>", "Read"))
    pod.patch(url, body, by=pod.bob).says(403)
    pod.allow(url, pod.to(url, f"acl:agent <{pod.bob.webid}>", "Append"))
    pod.patch(url, body, by=pod.bob).says(*DONE)


@requires("protocol", "server-n3-patch-delete")
def deletions_need_read_and_write(pod: Subject) -> None:
    url = pod.document(START)
    body = f"{PATCH}; solid:deletes {{ <> ex:p 1 . }} ."
    for modes in (("Read",), ("Read", "Append"), ("Write",)):
        pod.allow(url, pod.to(url, f"acl:agent <{pod.bob.webid}>", *modes))
        pod.patch(url, body, by=pod.bob).says(403)
    pod.allow(url, pod.to(url, f"acl:agent <{pod.bob.webid}>", "Read", "Write"))
    pod.patch(url, body, by=pod.bob).says(*DONE)


@requires("protocol", "server-patch-n3-semantics")
def a_patch_deletes_and_inserts_what_its_one_mapping_says(pod: Subject) -> None:
    body = f"""{PATCH}; solid:where {{ <> ex:p ?x . }}; solid:deletes {{ <> ex:p ?x . }};
        solid:inserts {{ <> ex:r ?x ; ex:s 2 . }} ."""
    _taken(pod, body, 4)


@requires("protocol", "server-patch-n3-semantics-no-mapping")
def no_mapping_or_several_are_a_conflict(pod: Subject) -> None:
    for pattern in ("<> ex:nothing ?x .", "<> ex:q ?x .", "<> ex:p 2 ."):
        insert = "<> ex:n 1 ."
        body = f"{PATCH}; solid:where {{ {pattern} }}; solid:inserts {{ {insert} }} ."
        _refused(pod, body, status=409)


@requires("protocol", "server-patch-n3-semantics-deletions-non-empty-all-triples")
def deleting_what_is_not_there_is_a_conflict(pod: Subject) -> None:
    _refused(
        pod,
        f"{PATCH}; solid:deletes {{ <> ex:p 1 ; ex:nothing 1 . }} .",
        f"{PATCH}; solid:deletes {{ <> ex:p 2 . }}; solid:inserts {{ <> ex:p 2 . }} .",
        status=409,
    )
