"""The one spelling of a request path, on which access is decided.

Spec: https://solidproject.org/TR/protocol#uri-slash-semantics RFC 3986 section 6.2.2
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from pod.access.policy import ACL_SUFFIX
from pod.errors import Conflict, Invalid
from pod.model.resource import ResourcePath, container_of

STORAGE: Final = ResourcePath("/data/")
INBOX: Final = ResourcePath("/inbox/")
"""The root container of a member's storage."""

MAX_PATH: Final = 2048
_HIDDEN: Final = re.compile(rb"%(?:2[fF]|5[cC]|00)")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\\]")
_SLUG: Final = re.compile(r"[^\w.~-]+")


def canonical_path(raw: bytes) -> ResourcePath:
    """The decoded path of a request target as it stood in the request line.

    Raises Invalid for whatever another reader could take for a different path: empty and dot
    segments, encoded slashes, control characters, broken UTF-8, more than 2048 bytes.
    """
    raw = raw.partition(b"?")[0]
    if len(raw) > MAX_PATH or not raw.startswith(b"/") or _HIDDEN.search(raw):
        raise Invalid("This path cannot be a name here")
    try:
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as err:
        raise Invalid("A path is UTF-8") from err
    segments = path.split("/")[1:]
    if any(s in (".", "..") for s in segments) or "" in segments[:-1] or _CONTROL.search(path):
        raise Invalid("This path cannot be a name here")
    return ResourcePath(path)


def check_name(path: ResourcePath) -> None:
    """Refuse names that only the pod gives out; raises Conflict."""
    subject = path.removesuffix(ACL_SUFFIX)
    if any(segment.endswith(ACL_SUFFIX) for segment in subject.split("/")):
        raise Conflict("An access control list belongs to a resource, not to another list")


def is_acl(path: str) -> bool:
    """Whether a path is that of an access control list."""
    return path.endswith(ACL_SUFFIX)


def containers_above(path: ResourcePath) -> list[ResourcePath]:
    """The containers between the storage root and a path, outermost first."""
    above: list[ResourcePath] = []
    container = container_of(path)
    while container.startswith(STORAGE) and container != STORAGE:
        above.append(container)
        container = container_of(container)
    return above[::-1]


def slug_name(slug: str | None) -> str | None:
    """A suggested name made harmless, None where nothing of it is left."""
    name = _SLUG.sub("-", (slug or "").strip()).strip("-.")[:100]
    while name.endswith(ACL_SUFFIX):
        name = name.removesuffix(ACL_SUFFIX)
    return name or None
