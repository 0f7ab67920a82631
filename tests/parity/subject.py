"""The server under question: a few words in which the cases speak to either server."""

from __future__ import annotations

import itertools
import json
import secrets
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import libipld
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.kit.mail import MailSink
from tests.parity.upstream import Upstream

Json = dict[str, Any]
POST = "app.bsky.feed.post"
PROFILE = "app.bsky.actor.profile"
LIKE = "app.bsky.feed.like"
DAG_CBOR = 0x71
PASSWORD = "open-sesame-1"
_numbers = itertools.count()


def now() -> str:
    """This moment as records write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def post(text: str = "Hello", **more: Any) -> Json:
    """A post."""
    return {"$type": POST, "text": text, "createdAt": now(), **more}


def rkey_of(answer: Json) -> str:
    """The record key in an answer that has a ``uri``."""
    return str(answer["uri"]).rpartition("/")[2]


def claims(token: str) -> Json:
    """What a JWT says, unverified."""
    payload = token.split(".")[1]
    found: Json = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def cid_text(cid: bytes) -> str:
    """A CID as text."""
    return str(libipld.encode_cid(cid))


def _car_parts(content: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(content):
        size = shift = 0
        while True:
            byte = content[at]
            at, size, shift = at + 1, size | (byte & 127) << shift, shift + 7
            if byte < 128:
                break
        yield content[at : at + size]
        at += size


class Car:
    """A CAR file: ``roots`` and ``blocks`` (decoded where they are CBOR), by CID text."""

    def __init__(self, content: bytes) -> None:
        parts = _car_parts(content)
        self.roots = [cid_text(root) for root in libipld.decode_dag_cbor(next(parts))["roots"]]
        self.blocks: Json = {}
        for part in parts:
            cid, block = part[:36], part[36:]
            self.blocks[cid_text(cid)] = (
                libipld.decode_dag_cbor(block) if cid[1] == DAG_CBOR else block
            )

    @property
    def commit(self) -> Json:
        """The signed commit at the root."""
        found: Json = self.blocks[self.roots[0]]
        return found

    def records(self) -> dict[str, str]:
        """Path to CID of every record of the tree; fails when a node is missing."""
        found: dict[str, str] = {}
        self._walk(cid_text(self.commit["data"]), found)
        return found

    def _walk(self, cid: str, found: dict[str, str]) -> None:
        node = self.blocks[cid]
        if node["l"] is not None:
            self._walk(cid_text(node["l"]), found)
        key = b""
        for entry in node["e"]:
            key = key[: entry["p"]] + entry["k"]
            found[key.decode()] = cid_text(entry["v"])
            if entry["t"] is not None:
                self._walk(cid_text(entry["t"]), found)

    def lookup(self, path: str) -> str | None:
        """The CID that the tree gives a path, reading no more nodes than lead there."""
        cid, wanted = cid_text(self.commit["data"]), path.encode()
        while True:
            node = self.blocks[cid]
            below, key = node["l"], b""
            for entry in node["e"]:
                key = key[: entry["p"]] + entry["k"]
                if key == wanted:
                    return cid_text(entry["v"])
                if key > wanted:
                    break
                below = entry["t"]
            if below is None:
                return None
            cid = cid_text(below)


class Events:
    """The firehose, frame by frame."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def next(self, within_s: float = 5) -> Json:
        """The next event; its kind is under ``t`` (``error`` frames: ``!``)."""
        head, body = libipld.decode_dag_cbor_multi(self._connection.recv(within_s))
        return {**body, "t": head["t"] if head["op"] == 1 else "!"}

    def until(self, matches: Callable[[Json], bool], within_s: float = 5) -> list[Json]:
        """All events up to the first that matches, that one included."""
        seen: list[Json] = []
        end = time.monotonic() + within_s
        while True:
            seen.append(self.next(max(0.01, end - time.monotonic())))
            if matches(seen[-1]):
                return seen

    def of(self, did: str, kind: str, within_s: float = 5) -> list[Json]:
        """All events of a repo up to the first of a kind."""
        mine = self.until(lambda e: whose(e) == did and e["t"] == kind, within_s)
        return [event for event in mine if whose(event) == did]

    def closes(self, within_s: float = 5) -> bool:
        """Whether the server ends the connection."""
        try:
            while True:
                self._connection.recv(within_s)
        except ConnectionClosed:
            return True
        except TimeoutError:
            return False


def whose(event: Json) -> str | None:
    """The repo an event is about."""
    return event.get("repo") or event.get("did")


class Caller:
    """Somebody who asks; methods are named without their ``com.atproto.``."""

    def __init__(self, server: Subject, authorization: str | None = None) -> None:
        self.server = server
        self.authorization = authorization

    def ask(self, verb: str, method: str, headers: Json | None = None, **more: Any) -> Any:
        """One request and its `httpx.Response`."""
        if not method.startswith(("com.", "app.", "chat.", "tools.", "_", "example.")):
            method = f"com.atproto.{method}"
        sent = dict(headers or {})
        if self.authorization is not None:
            sent.setdefault("authorization", self.authorization)
        return self.server.http.request(verb, f"/xrpc/{method}", headers=sent, **more)

    def get(self, method: str, **params: Any) -> Any:
        """The JSON answer of a query that must succeed."""
        return _json(self.ask("GET", method, params=params))

    def post(self, method: str, **body: Any) -> Any:
        """The JSON answer of a procedure that must succeed."""
        return _json(self.ask("POST", method, **({"json": body} if body else {})))

    def get_refused(self, method: str, **params: Any) -> tuple[int, str]:
        """Status and error name of a query that must fail."""
        return _refusal(self.ask("GET", method, params=params))

    def post_refused(self, method: str, **body: Any) -> tuple[int, str]:
        """Status and error name of a procedure that must fail."""
        return _refusal(self.ask("POST", method, **({"json": body} if body else {})))

    def car(self, method: str, **params: Any) -> Car:
        """The CAR that a sync query answers."""
        answer = self.ask("GET", method, params=params)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/vnd.ipld.car"
        return Car(answer.content)


class Account(Caller):
    """A member, signed in."""

    def __init__(self, server: Subject, session: Json, email: str, password: str) -> None:
        self.did: str = session["did"]
        self.handle: str = session["handle"]
        self.email, self.password = email, password
        self.access: str = session["accessJwt"]
        self.refresh: str = session["refreshJwt"]
        self.did_doc: Json | None = session.get("didDoc")
        super().__init__(server, f"Bearer {self.access}")

    def with_refresh(self, token: str | None = None) -> Caller:
        """The member with a refresh token in hand."""
        return Caller(self.server, f"Bearer {token or self.refresh}")

    def create(self, record: Json | None = None, collection: str | None = None, **more: Any) -> Any:
        """A new record; a post if nothing is said."""
        record = post() if record is None else record
        collection = collection or record["$type"]
        return self.post(
            "repo.createRecord", repo=self.did, collection=collection, record=record, **more
        )

    def create_refused(
        self, record: Json, collection: str | None = None, **more: Any
    ) -> tuple[int, str]:
        """Status and error name of a create that must fail."""
        collection = collection or record["$type"]
        return self.post_refused(
            "repo.createRecord", repo=self.did, collection=collection, record=record, **more
        )

    def put(self, rkey: str, record: Json, **more: Any) -> Any:
        """Write a record of its type under a key."""
        where = {"repo": self.did, "collection": record["$type"], "rkey": rkey}
        return self.post("repo.putRecord", record=record, **where, **more)

    def put_refused(self, rkey: str, record: Json, **more: Any) -> tuple[int, str]:
        """Status and error name of a put that must fail."""
        where = {"repo": self.did, "collection": record["$type"], "rkey": rkey}
        return self.post_refused("repo.putRecord", record=record, **where, **more)

    def delete(self, rkey: str, collection: str = POST, **more: Any) -> Any:
        """Delete a record."""
        where = {"repo": self.did, "collection": collection, "rkey": rkey}
        return self.post("repo.deleteRecord", **where, **more)

    def apply(self, *writes: Json, **more: Any) -> Any:
        """Writes in one commit."""
        return self.post("repo.applyWrites", repo=self.did, writes=list(writes), **more)

    def apply_refused(self, *writes: Json, **more: Any) -> tuple[int, str]:
        """Status and error name of writes that must fail."""
        return self.post_refused("repo.applyWrites", repo=self.did, writes=list(writes), **more)

    def read(self, rkey: str, collection: str = POST, **more: Any) -> Any:
        """A record as anybody reads it."""
        where = {"repo": self.did, "collection": collection, "rkey": rkey}
        return self.server.anyone.get("repo.getRecord", **where, **more)

    def listed(self, collection: str = POST, **more: Any) -> list[str]:
        """Keys of a page of records."""
        page = self.server.anyone.get(
            "repo.listRecords", repo=self.did, collection=collection, **more
        )
        return [rkey_of(record) for record in page["records"]]

    def upload(self, content: bytes, kind: str = "image/png") -> Json:
        """Upload a blob and give its reference."""
        answer = self.ask(
            "POST", "repo.uploadBlob", content=content, headers={"content-type": kind}
        )
        assert answer.status_code == 200, answer.text
        blob: Json = answer.json()["blob"]
        return blob

    def head(self) -> Json:
        """The latest commit: ``cid`` and ``rev``."""
        found: Json = self.get("sync.getLatestCommit", did=self.did)
        return found

    def sign_in(self, password: str | None = None, **more: Any) -> Account:
        """The same member with a new session."""
        session = self.server.anyone.post(
            "server.createSession",
            identifier=self.did,
            password=password or self.password,
            **more,
        )
        return Account(self.server, session, self.email, password or self.password)


def write(action: str, rkey: str | None = None, value: Json | None = None, **more: Any) -> Json:
    """One of the writes of `Account.apply`."""
    made: Json = {"$type": f"com.atproto.repo.applyWrites#{action}", "collection": POST}
    if rkey is not None:
        made["rkey"] = rkey
    if value is not None:
        made |= {"value": value, "collection": value.get("$type", POST)}
    return made | more


class Subject:
    """One of the two servers, with what stands around it."""

    def __init__(
        self,
        name: str,
        url: str,
        admin_password: str,
        plc_url: str,
        mail: MailSink,
        upstream: Upstream,
        other: Callable[[str], Subject],
    ) -> None:
        self.name, self.url, self.plc_url = name, url, plc_url
        self.mail, self.upstream, self.other = mail, upstream, other
        self.http = httpx.Client(
            base_url=url,
            timeout=20,
            headers={"accept-encoding": "identity"},
            # Shorter than either server keeps a connection, so that none closes under a request.
            limits=httpx.Limits(keepalive_expiry=2),
        )
        self.anyone = Caller(self)
        password = httpx.BasicAuth("admin", admin_password)
        request = next(password.auth_flow(httpx.Request("GET", url)))
        self.admin = Caller(self, request.headers["authorization"])
        self._did: str | None = None

    @property
    def did(self) -> str:
        """The server's own DID."""
        if self._did is None:
            self._did = self.anyone.get("server.describeServer")["did"]
        return self._did

    @property
    def is_reference(self) -> bool:
        """Whether this is the reference: for what is only spelled otherwise there."""
        return self.name == "reference"

    def free_name(self) -> str:
        """A label that nobody has."""
        return f"m{next(_numbers)}{secrets.token_hex(3)}"

    def application(self, **more: Any) -> Json:
        """What somebody new fills in."""
        name = self.free_name()
        given = {"handle": f"{name}.test", "email": f"{name}@mail.test", "password": PASSWORD}
        return given | more

    def member(self, **more: Any) -> Account:
        """A new member."""
        given = self.application(**more)
        session = self.anyone.post("server.createAccount", **given)
        return Account(self, session, given["email"], given["password"])

    def registered(self, did: str) -> Json:
        """What the PLC directory says of a DID."""
        answer = httpx.get(f"{self.plc_url}/{did}/data", timeout=10)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    @contextmanager
    def events(self, cursor: int | None = None, *, settled: bool = True) -> Iterator[Events]:
        """The firehose until the end of the block.

        Without a cursor all that happened before is read already: events may lag behind answers.
        """
        query = "" if cursor is None else f"?cursor={cursor}"
        url = self.url.replace("http", "ws", 1)
        url = f"{url}/xrpc/com.atproto.sync.subscribeRepos{query}"
        with connect(url, max_size=5_000_000, proxy=None) as connection:
            events = Events(connection)
            if cursor is None and settled:
                events.of(self.member().did, "#sync")
            yield events

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


def _json(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


def _refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.status_code >= 400, f"{answer.status_code} {answer.text[:300]}"
    told = answer.json()
    assert isinstance(told["message"], str)
    return answer.status_code, told["error"]
