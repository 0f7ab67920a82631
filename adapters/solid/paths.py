"""The one spelling of a request path, on which access is decided.

Spec: https://solidproject.org/TR/protocol#uri-slash-semantics RFC 3986 section 6.2.2
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from pod.access.policy import ACL_SUFFIX, DESCRIPTION_SUFFIX
from pod.errors import Conflict, Invalid
from pod.model.resource import ResourcePath, container_of

STORAGE: Final = ResourcePath("/data/")
"""The root container of a member's storage."""

ROOT_ACL: Final = ResourcePath(f"{STORAGE}{ACL_SUFFIX}")
INBOX: Final = ResourcePath("/inbox/")
WEBID: Final = ResourcePath("/me")
CARD: Final = ResourcePath("/profile/card")
"""The WebID document once more, for apps that expect a WebID with a fragment (``#me``)."""

PUBLIC_INDEX: Final = ResourcePath("/profile/publicTypeIndex")
PRIVATE_INDEX: Final = ResourcePath("/settings/privateTypeIndex")
SETTINGS: Final = ResourcePath("/settings/")
PREFERENCES: Final = ResourcePath("/settings/preferences")
AUXILIARY: Final = (ACL_SUFFIX, DESCRIPTION_SUFFIX)
"""How the names of resources end that belong to another one, and go with it."""

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
    if any(segment.endswith(AUXILIARY) for segment in subject_of(path).split("/")):
        raise Conflict(f"Names that end in {' or '.join(AUXILIARY)} belong to another resource")


def is_acl(path: str) -> bool:
    """Whether a path is that of an access control list."""
    return path.endswith(ACL_SUFFIX)


def is_auxiliary(path: str) -> bool:
    """Whether a path is that of an access control list or of a description."""
    return path.endswith(AUXILIARY)


def describes_container(path: str) -> bool:
    """Whether a path is that of a container's description, which shows the container's triples."""
    return path.endswith(f"/{DESCRIPTION_SUFFIX}")


def subject_of(path: ResourcePath) -> ResourcePath:
    """The path that an access control list or a description belongs to; another is its own."""
    suffix = next((suffix for suffix in AUXILIARY if path.endswith(suffix)), "")
    return ResourcePath(path.removesuffix(suffix))


def containers_above(path: ResourcePath) -> list[ResourcePath]:
    """The containers from the storage root down to a path, outermost first."""
    above: list[ResourcePath] = []
    container = container_of(path)
    while container.startswith(STORAGE):
        above.append(container)
        container = container_of(container)
    return above[::-1]


def slug_name(slug: str | None) -> str | None:
    """A suggested name made harmless, None where nothing of it is left."""
    name = _SLUG.sub("-", (slug or "").strip()).strip("-.")[:100]
    while name.endswith(AUXILIARY):
        name = name.rpartition(".")[0]
    return name or None
