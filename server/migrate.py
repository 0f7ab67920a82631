"""``commonpod migrate``: an account moves from one host to another, by the standard endpoints.

Every step may be repeated, and what is done is written down: an interrupted move goes on where it
stopped. The old host is left at rest only when the new one has everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from adapters.atproto import face as atproto
from pod.errors import Conflict, PodError
from server.xrpc_host import Refused, XrpcHost
from storage.durable import write_file

_BLOBS_AT_ONCE: Final = 6
_PAGE: Final = 100
_TRIES: Final = 3
_COMPUTED: Final = "app.bsky.actor.defs#declaredAgePref"
"""A preference that hosts make by themselves."""


class Show(Protocol):
    """Where progress is shown."""

    def step(self, text: str) -> None:
        """A step begins."""
        ...

    def blobs(self, done: int, total: int) -> None:
        """So many files of so many are there."""
        ...


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the member chose. ``handle`` is the old one, ``new_handle`` None keeps it if it can be.

    ``code`` asks for the code of the old host's letter.
    """

    handle: str
    password: str
    new_password: str
    code: Callable[[], Awaitable[str]]
    new_handle: str | None = None
    email: str | None = None
    invite: str | None = None


@dataclass(slots=True)
class Notes:
    """What is done, in a file; no secrets are in it."""

    path: Path
    done: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> Notes:
        """The notes of a move that began earlier, or new ones."""
        return cls(path, orjson.loads(path.read_bytes()) if path.exists() else {})

    def put(self, **facts: Any) -> None:
        """Write facts down, durably."""
        self.done |= facts
        write_file(self.path, orjson.dumps(self.done, option=orjson.OPT_INDENT_2))


class Move:
    """One account on its way. ``folder`` keeps the notes and the repository meanwhile."""

    def __init__(
        self, old: XrpcHost, new: XrpcHost, wishes: Wishes, folder: Path, show: Show
    ) -> None:
        self._old = old
        self._new = new
        self._wishes = wishes
        self._car = folder / f"{wishes.handle}.car"
        self._notes = Notes.open(folder / f"{wishes.handle}.json")
        self._show = show
        self._did = ""

    async def run(self) -> dict[str, Any]:
        """Do all that is still to be done; gives what the new host says of the account then.

        Raises Refused and PeerUnavailable as the hosts do, Conflict where what arrived is not what
        left.
        """
        self._show.step("Signing in at the old host")
        session = await self._old.sign_in(self._wishes.handle, self._wishes.password)
        self._did = session["did"]
        await self._open_account(session)
        status = await self._new.ask("com.atproto.server.checkAccountStatus")
        if not status["activated"]:
            await self._move_repo()
            await self._move_blobs()
            await self._move_preferences()
            if not status["validDid"]:
                await self._move_identity()
            self._show.step("Activating the account at the new host")
            await self._new.call("com.atproto.server.activateAccount")
        self._show.step("Letting the account rest at the old host")
        await self._old.call("com.atproto.server.deactivateAccount", {})
        self._notes.put(moved=True)
        self._car.unlink(missing_ok=True)
        found: dict[str, Any] = await self._new.ask("com.atproto.server.checkAccountStatus")
        return found

    async def _open_account(self, session: dict[str, Any]) -> None:
        """Sign in at the new host, where the account is opened first if it is not there."""
        wishes, done = self._wishes, self._notes.done
        if done.get("did") not in (None, self._did) or done.get("to") not in (None, self._new.url):
            raise Conflict(f"{self._notes.path} tells of another move.")
        self._show.step("Opening the account at the new host")
        if "handle" not in done:
            described = await self._new.ask("com.atproto.server.describeServer")
            handle = wishes.new_handle or await self._handle_at(described["availableUserDomains"])
            token = await self._old.ask(
                "com.atproto.server.getServiceAuth",
                aud=described["did"],
                lxm="com.atproto.server.createAccount",
            )
            given = {
                "handle": handle,
                "email": wishes.email or session.get("email"),
                "password": wishes.new_password,
                "did": self._did,
            }
            if wishes.invite is not None:
                given["inviteCode"] = wishes.invite
            was_asked = "asked" in done
            self._notes.put(did=self._did, to=self._new.url, asked=handle)
            try:
                await self._new.call(
                    "com.atproto.server.createAccount", given, token=token["token"]
                )
            except Refused:
                # An earlier run may have been cut off between the answer and our note of it.
                if not was_asked:
                    raise
                await self._new.sign_in(self._did, wishes.new_password)
            self._notes.put(handle=handle)
        await self._new.sign_in(self._did, wishes.new_password)

    async def _handle_at(self, domains: list[str]) -> str:
        """The old handle, or the name in it under a domain of the new host if the old one's was."""
        handle = self._wishes.handle
        own = (await self._old.ask("com.atproto.server.describeServer"))["availableUserDomains"]
        if domains and any(handle.endswith(each) for each in own):
            return handle if handle.endswith(domains[0]) else handle.split(".")[0] + domains[0]
        return handle

    async def _move_repo(self) -> None:
        """Import the repository until the new host has the very tree that the old one has."""
        for _ in range(_TRIES):
            self._show.step("Fetching the repository")
            await self._old.save_repo(self._did, self._car)
            root = await asyncio.to_thread(atproto.tree_of_file, self._car)
            if self._notes.done.get("tree") == root.hex():
                return
            self._show.step("Importing the repository")
            await self._new.send(
                "com.atproto.repo.importRepo", self._car, "application/vnd.ipld.car"
            )
            self._show.step("Comparing the repositories")
            await self._new.save_repo(self._did, self._car)
            if await asyncio.to_thread(atproto.tree_of_file, self._car) == root:
                self._notes.put(tree=root.hex())
                return
        raise Conflict("The repository that arrived is not the one that left.")

    async def _move_blobs(self) -> None:
        """Bring over every file that is missing, several at a time, until none is."""
        self._show.step("Moving the files")
        total = (await self._new.ask("com.atproto.server.checkAccountStatus"))["expectedBlobs"]
        lost: dict[str, str] = {}
        for _ in range(_TRIES):
            lost = {}
            missing = await self._missing()
            done = total - len(missing)
            self._show.blobs(done, total)
            slots = asyncio.Semaphore(_BLOBS_AT_ONCE)

            async def bring(
                cid: str, slots: asyncio.Semaphore = slots, lost: dict[str, str] = lost
            ) -> None:
                nonlocal done
                async with slots:
                    try:
                        body, media_type = await self._old.blob(self._did, cid)
                        await self._new.send("com.atproto.repo.uploadBlob", body, media_type)
                    except PodError as err:
                        lost[cid] = err.safe_text
                        return
                done += 1
                self._show.blobs(done, total)

            await asyncio.gather(*map(bring, missing))
            if not lost:
                break
        if left := await self._missing():
            why = next(iter(lost.values()), "unknown")
            raise Conflict(f"{len(left)} files did not arrive ({why}); run it again.")

    async def _missing(self) -> list[str]:
        cids: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self._new.ask("com.atproto.repo.listMissingBlobs", limit=_PAGE, **cursor)
            cids += [blob["cid"] for blob in page["blobs"]]
            if not page["blobs"] or "cursor" not in page:
                return cids
            cursor = {"cursor": page["cursor"]}

    async def _move_preferences(self) -> None:
        self._show.step("Moving the preferences")
        here = _chosen(await self._old.ask("app.bsky.actor.getPreferences"))
        await self._new.call("app.bsky.actor.putPreferences", {"preferences": here})
        there = _chosen(await self._new.ask("app.bsky.actor.getPreferences"))
        if there != here:
            raise Conflict("The preferences that arrived are not the ones that left.")

    async def _move_identity(self) -> None:
        """Let the DID lead to the new host; a did:web is its owner's to change."""
        if not self._did.startswith("did:plc:"):
            raise Conflict(
                "Put what the new host recommends into your did.json, then run this again."
            )
        self._show.step("Asking the old host for a letter with a code")
        wanted = await self._new.ask("com.atproto.identity.getRecommendedDidCredentials")
        await self._old.call("com.atproto.identity.requestPlcOperationSignature")
        code = await self._wishes.code()
        self._show.step("Moving the identity")
        given = wanted | {"token": code.strip()}
        signed = await self._old.call("com.atproto.identity.signPlcOperation", given)
        await self._new.call("com.atproto.identity.submitPlcOperation", signed)


def _chosen(answer: dict[str, Any]) -> list[Any]:
    """The preferences that somebody chose."""
    return [each for each in answer["preferences"] if each.get("$type") != _COMPUTED]
