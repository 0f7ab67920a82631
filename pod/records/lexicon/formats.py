"""String formats of lexicons: each name with its check and what to say when it fails.

Spec: https://atproto.com/specs/lexicon#string-formats
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pod.model import ids

FORMATS: Final[dict[str, tuple[Callable[[str], object], str]]] = {
    "at-identifier": (ids.parse_at_identifier, "must be a valid did or a handle"),
    "at-uri": (ids.parse_at_uri, "must be a valid at-uri"),
    "cid": (ids.parse_cid_text, "must be a cid string"),
    "datetime": (
        ids.parse_datetime,
        "must be a valid atproto datetime (both RFC-3339 and ISO-8601)",
    ),
    "did": (ids.parse_did, "must be a valid did"),
    "handle": (ids.parse_handle, "must be a valid handle"),
    "language": (ids.parse_language, "must be a well-formed BCP 47 language tag"),
    "nsid": (ids.parse_nsid, "must be a valid nsid"),
    "record-key": (ids.parse_rkey, "must be a valid Record Key"),
    "tid": (ids.parse_tid, "must be a valid TID"),
    "uri": (ids.parse_uri, "must be a uri"),
}
