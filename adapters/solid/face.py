"""All of the Solid wing that the roof may import.

Spec: https://solidproject.org/TR/protocol
"""

from __future__ import annotations

from adapters.solid.auth.issuers import Issuers
from adapters.solid.auth.tokens import SolidTokens, is_jwt
from adapters.solid.lens.index import RecordViews
from adapters.solid.notify.rooms import rooms as notification_rooms
from adapters.solid.routes.endpoints import rooms
from adapters.solid.routes.inbox import letter_box
from adapters.solid.routes.record import record_links, views
from adapters.solid.wac.document import WacDocuments
from adapters.solid.wac.groups import FetchedGroups
from adapters.solid.wing import Wing

__all__ = [
    "FetchedGroups",
    "Issuers",
    "RecordViews",
    "SolidTokens",
    "WacDocuments",
    "Wing",
    "is_jwt",
    "letter_box",
    "notification_rooms",
    "record_links",
    "rooms",
    "views",
]
