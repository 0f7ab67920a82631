"""What is made for the whole house and used by its pages too."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.activitypub import face as activitypub
from adapters.atproto import face as atproto
from adapters.solid.notify.face import Notifications
from pod.domains import Domains
from storage.devices import SqlDevices
from storage.oauth import SqlOAuth


@dataclass(frozen=True, slots=True)
class Parts:
    """The services that the wiring hands on."""

    services: atproto.Services
    fediverse: activitypub.ActivityPub
    apps: SqlOAuth
    devices: SqlDevices
    notifications: Notifications
    domains: Domains
