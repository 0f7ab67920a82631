"""All of the identity corner that the roof may import.

Spec: RFC 8615 (https://www.rfc-editor.org/rfc/rfc8615)
"""

from __future__ import annotations

from adapters.identity.account_acts import AccountActs
from adapters.identity.account_pages import AccountPages
from adapters.identity.address import Addresses
from adapters.identity.browser import Browser
from adapters.identity.documents import did_web
from adapters.identity.fediverse_pages import FediversePages
from adapters.identity.knot import report
from adapters.identity.oauth_endpoints import rooms as oauth_rooms
from adapters.identity.oauth_pages import ConsentPages
from adapters.identity.openid_endpoints import OpenIdRooms
from adapters.identity.sign_in import SignIn
from adapters.identity.sign_up import SignUpPages
from adapters.identity.usage import Usage
from adapters.identity.verify import Found, Sources, verify
from adapters.identity.webfinger import ServerActor
from adapters.identity.well_known import Corner, rooms

__all__ = [
    "AccountActs",
    "AccountPages",
    "Addresses",
    "Browser",
    "ConsentPages",
    "Corner",
    "FediversePages",
    "Found",
    "OpenIdRooms",
    "ServerActor",
    "SignIn",
    "SignUpPages",
    "Sources",
    "Usage",
    "did_web",
    "oauth_rooms",
    "report",
    "rooms",
    "verify",
]
