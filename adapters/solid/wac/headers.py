"""What a response says about access: `WAC-Allow` and the link to the access control list.

Spec: https://solidproject.org/TR/wac#wac-allow https://solidproject.org/TR/wac#acl-link-relation
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from pod.access.acl import Mode
from pod.access.policy import ACL_SUFFIX

_ORDER = (Mode.READ, Mode.APPEND, Mode.WRITE, Mode.CONTROL)


def wac_allow(user: AbstractSet[Mode], public: AbstractSet[Mode]) -> str:
    """The `WAC-Allow` header: what the caller and what anybody may do here."""
    return f'user="{_words(user)}",public="{_words(public)}"'


def acl_url(url: str) -> str:
    """The URL of the access control list of a resource; a list is its own list."""
    return url if url.endswith(ACL_SUFFIX) else url + ACL_SUFFIX


def _words(modes: AbstractSet[Mode]) -> str:
    granted = set(modes) | ({Mode.APPEND} if Mode.WRITE in modes else set())
    return " ".join(mode.value for mode in _ORDER if mode in granted)
