"""A service of the network, on loopback: it tells who asked what, or fails as it is told to."""

from __future__ import annotations

import gzip
import json
import threading
import time
from base64 import urlsafe_b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from pod.keys.curves import SigningKey


class _Answer(BaseHTTPRequestHandler):
    """Answers each method by the last part of its name; `echo` for any other."""

    protocol_version = "HTTP/1.1"
    server: _Listener

    def log_message(self, *args: object) -> None:
        """Nothing: tests are quiet."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        if self.headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        path = urlsplit(self.path)
        if path.path == "/.well-known/did.json":
            self._send(200, self.server.document())
            return
        match path.path.rpartition(".")[2]:
            case "failsInside":
                self._send(500, {"error": "InternalServerError", "message": "broken"})
            case "refuses":
                self._send(400, {"error": "NoSuchThing", "message": "there is no such thing"})
            case "hangsUp":
                self.close_connection = True
            case "talksNonsense":
                self._send(200, {"x": 1}, {"content-encoding": "rot13"})
            case "compresses":
                content = gzip.compress(json.dumps({"text": "long " * 400}).encode())
                self._write(200, content, {"content-encoding": "gzip"})
            case "labels":
                headers = {
                    "atproto-content-labelers": "did:plc:labeler;redact",
                    "atproto-repo-rev": "3kabcdefghi2j",
                    "x-internal": "secret",
                    "set-cookie": "a=b",
                }
                self._send(200, {}, headers)
            case "createReport":
                self._send(200, self._report(json.loads(body)))
            case "slow":
                time.sleep(0.3)
                self._send(200, {"slow": True})
            case _:
                self._send(
                    200,
                    {
                        "method": path.path.removeprefix("/xrpc/"),
                        "verb": self.command,
                        "query": parse_qsl(path.query),
                        "headers": {k.lower(): v for k, v in self.headers.items()},
                        "body": body.decode("utf-8", "replace"),
                    },
                )

    def _report(self, told: dict[str, object]) -> dict[str, object]:
        payload = self.headers["authorization"].split(".")[1]
        reporter = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["iss"]
        return {**told, "id": 1, "reportedBy": reporter, "createdAt": "2026-01-01T00:00:00.000Z"}

    def _send(self, status: int, answer: object, headers: dict[str, str] | None = None) -> None:
        self._write(status, json.dumps(answer).encode(), headers or {})

    def _write(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    key = SigningKey.generate_k256()

    def document(self) -> dict[str, object]:
        port = self.server_address[1]
        return {
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": f"did:web:localhost%3A{port}",
            "verificationMethod": [
                {
                    "id": f"did:web:localhost%3A{port}#atproto",
                    "type": "Multikey",
                    "controller": f"did:web:localhost%3A{port}",
                    "publicKeyMultibase": self.key.did_key.removeprefix("did:key:"),
                }
            ],
            "service": [
                {
                    "id": "#bsky_appview",
                    "type": "BskyAppView",
                    "serviceEndpoint": f"http://localhost:{port}",
                },
                {
                    "id": "#atproto_labeler",
                    "type": "AtprotoLabeler",
                    "serviceEndpoint": f"http://localhost:{port}",
                },
            ],
        }


class Upstream:
    """Listens until `close`; named by the did:web of its port."""

    def __init__(self) -> None:
        self._listener = _Listener(("127.0.0.1", 0), _Answer)
        port: int = self._listener.server_address[1]
        self.url = f"http://localhost:{port}"
        self.key = self._listener.key
        self.did = f"did:web:localhost%3A{port}"
        threading.Thread(target=self._listener.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown()
        self._listener.server_close()
