"""The wiring: every name of the house, in one file. Opened once, closed once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from adapters.atproto import face as atproto
from adapters.http.fetch import Fetch
from adapters.http.passwords import Passwords
from adapters.solid import face as solid
from pod.access.policy import Policy
from pod.account import Accounts
from pod.draft import Drafts
from pod.errors import PodError
from pod.keys.keyring import KeyRing
from pod.media import Media
from pod.model.ids import Did, Handle
from pod.model.member import Member
from pod.read import Read
from pod.records.lexicon.registry import Registry
from pod.records.tid import TidClock
from pod.settings import Settings
from pod.transfer import Transfer
from pod.write import Write
from server.hosts import App
from server.pages import make_pages
from server.plc_log import VaultLog
from server.workers import Workers
from storage.blobs import FolderBlobs
from storage.engine import Database
from storage.grants import SqlGrants
from storage.key_vault import Seal
from storage.migrate import upgrade
from storage.store import SqlStore

COLLECT_EVERY_S: Final = 600.0


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """The current time."""
        return datetime.now(UTC)
