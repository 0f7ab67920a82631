"""The Notifications Protocol: discovery, subscriptions, channels, messages.

Spec: https://solidproject.org/ED/notifications-protocol
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Empty, Queue
from typing import Any

import rdflib
from websockets.sync.client import connect

from tests.conformance.solid.listing import requires
from tests.conformance.solid.subject import JSONLD, TURTLE, Subject, Wrong, expect

NOTIFY = rdflib.Namespace("http://www.w3.org/ns/solid/notifications#")
AS = "https://www.w3.org/ns/activitystreams#"
CONTEXT = "https://www.w3.org/ns/solid/notification/v1"
DESCRIPTION = "http://www.w3.org/ns/solid/terms#storageDescription"
STREAMS = "http://www.w3.org/ns/solid/terms#updatesViaStreamingHttp2023"
WAITS_S = 10.0


def _service(pod: Subject, kind: str = "WebSocketChannel2023") -> str:
    """The subscription service for a type of channel, as the storage description tells it."""
    url = pod.ask("HEAD", pod.storage).says(200).link(DESCRIPTION)
    graph = pod.ask("GET", url, Accept=TURTLE).says(200).graph()
    found = list(graph.subjects(NOTIFY.channelType, NOTIFY[kind]))
    expect(len(found) == 1, f"GET: {len(found)} services for {kind}")
    return str(found[0])


def _wish(topic: str, kind: str = "WebSocketChannel2023", **more: str) -> str:
    return json.dumps({"@context": [CONTEXT], "type": f"{NOTIFY}{kind}", "topic": topic, **more})


def _subscribed(pod: Subject, topic: str, kind: str = "WebSocketChannel2023", **more: str) -> Any:
    answer = pod.ask("POST", _service(pod, kind), _wish(topic, kind, **more), JSONLD)
    return answer.says(200, 201).json


def _message(pod: Subject, topic: str, told: str | bytes) -> None:
    """Expect that a message tells of a change of a topic."""
    message = json.loads(told)
    expect("@context" in message, "the message has no @context")
    expect(message.get("object") == topic, "the message is about something else")
    kinds = message.get("type")
    expect("Update" in (kinds if isinstance(kinds, list) else [kinds]), f"the message is {kinds}")
    expect("published" in message, "the message does not say when")


def _over_a_websocket(pod: Subject) -> None:
    url = pod.document()
    channel = _subscribed(pod, url)
    with connect(channel["receiveFrom"], sock=pod.socket(), open_timeout=WAITS_S) as socket:
        pod.put(url, "<> a <#changed> .")
        try:
            _message(pod, url, socket.recv(timeout=WAITS_S))
        except TimeoutError as err:
            raise Wrong("no message came") from err


@requires("notifications", "resource-server-link-storage-description-resource")
def a_resource_leads_to_the_services_of_its_storage(pod: Subject) -> None:
    url = pod.ask("HEAD", pod.document()).says(200).link(DESCRIPTION)
    graph = pod.ask("GET", url, Accept=TURTLE).says(200).graph()
    expect((None, NOTIFY.subscription, None) in graph, "GET: the description names no service")


@requires("notifications", "resource-server-link-resource-description-resource")
def a_resource_leads_to_its_description(pod: Subject) -> None:
    for method in ("GET", "HEAD"):
        pod.ask(method, pod.document()).says(200).link("describedby")


@requires("notifications", "resource-server-description-resource-accept")
def the_description_is_read_as_json_ld(pod: Subject) -> None:
    url = pod.ask("HEAD", pod.storage).says(200).link(DESCRIPTION)
    pod.ask("GET", url, Accept=JSONLD).says(200).graph()


@requires("notifications", "resource-server-description-resource-response")
def the_description_tells_types_and_features_of_services(pod: Subject) -> None:
    url = pod.ask("HEAD", pod.storage).says(200).link(DESCRIPTION)
    graph = pod.ask("GET", url, Accept=JSONLD).says(200).graph()
    services = set(graph.objects(None, NOTIFY.subscription))
    expect(services, "GET: no notify:subscription")
    for service in services:
        expect((service, NOTIFY.channelType, None) in graph, "GET: a service without channelType")
    expect((None, NOTIFY.feature, None) in graph, "GET: no notify:feature")


@requires("notifications", "subscription-server-subscription-request-methods")
def a_service_answers_get_head_options_and_post(pod: Subject) -> None:
    service = _service(pod)
    for method in ("GET", "HEAD", "OPTIONS"):
        pod.ask(method, service).says(200, 204)
    _subscribed(pod, pod.document())


@requires("notifications", "subscription-server-subscription-request-accept")
def a_service_describes_itself_in_json_ld(pod: Subject) -> None:
    answer = pod.ask("GET", _service(pod), Accept=JSONLD).says(200)
    kind = answer.headers["content-type"].split(";")[0]
    expect(kind == JSONLD, f"GET: the answer is {kind}")
    expect("channelType" in answer.text, "GET: the answer names no channelType")


@requires("notifications", "subscription-server-subscription-request-content-type")
def a_subscription_is_sent_as_json_ld(pod: Subject) -> None:
    service, url = _service(pod), pod.document()
    pod.ask("POST", service, _wish(url), JSONLD).says(200, 201)
    pod.ask("POST", service, _wish(url), f'{JSONLD}; profile="{CONTEXT}"').says(200, 201)
    pod.ask("POST", service, _wish(url), "text/plain").says(415)


@requires("notifications", "subscription-server-subscription-request-profile-unrecognised")
def an_unknown_profile_is_unsupported(pod: Subject) -> None:
    kind = f'{JSONLD}; profile="https://example.org/unknown"'
    pod.ask("POST", _service(pod), _wish(pod.document()), kind).says(415)


@requires("notifications", "subscription-server-subscription-request-unprocessable-entity")
def what_cannot_be_granted_is_unprocessable(pod: Subject) -> None:
    service, url = _service(pod), pod.document()
    odd = {"@context": ["https://example.org/unknown"], "type": "X", "topic": url}
    for body in (
        _wish(url, "NoChannel2023"),
        json.dumps({"@context": [CONTEXT], "type": str(NOTIFY.WebSocketChannel2023)}),
        json.dumps(odd),
    ):
        pod.ask("POST", service, body, JSONLD).says(422)


@requires("notifications", "subscription-server-subscription-response")
def a_channel_is_described(pod: Subject) -> None:
    url = pod.document()
    answer = pod.ask("POST", _service(pod), _wish(url), JSONLD).says(200, 201)
    kind = answer.headers["content-type"].split(";")[0]
    expect(kind == JSONLD, f"POST: the answer is {kind}")
    told = answer.json
    for name in ("@context", "id", "type", "topic", "receiveFrom"):
        expect(name in told, f"POST: the channel has no {name}")
    expect(told["topic"] == url, "POST: the channel has another topic")
    pod.ask("POST", _service(pod), _wish(url), JSONLD, by=pod.bob).says(403)


@requires("notifications", "notification-sender-notification-message-data-model")
def messages_keep_to_the_data_model(pod: Subject) -> None:
    _over_a_websocket(pod)


@requires("notifications", "websocket-channel-2023")
def changes_of_a_container_come_over_a_websocket(pod: Subject) -> None:
    container = pod.container()
    channel = _subscribed(pod, container)
    expect(channel["receiveFrom"].startswith("ws"), "POST: receiveFrom is no WebSocket")
    with connect(channel["receiveFrom"], sock=pod.socket(), open_timeout=WAITS_S) as socket:
        pod.put(f"{container}child", "<> a <#x> .")
        try:
            told = json.loads(socket.recv(timeout=WAITS_S))
        except TimeoutError as err:
            raise Wrong("no message came") from err
    expect(container in json.dumps(told), "the message does not name the container")


@contextmanager
def _webhook() -> Iterator[tuple[str, Queue[tuple[dict[str, str], bytes]]]]:
    """A place that takes POSTs, and what came."""
    came: Queue[tuple[dict[str, str], bytes]] = Queue()

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            came.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Taker)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", came
    finally:
        server.shutdown()
        server.server_close()


@requires("notifications", "webhook-channel-2023")
def changes_are_posted_with_the_senders_token(pod: Subject) -> None:
    url = pod.document()
    with _webhook() as (hook, came):
        channel = _subscribed(pod, url, "WebhookChannel2023", sendTo=hook)
        for name in ("id", "type", "topic", "sender"):
            expect(name in channel, f"POST: the channel has no {name}")
        pod.put(url, "<> a <#changed> .")
        try:
            headers, body = came.get(timeout=WAITS_S)
        except Empty as err:
            raise Wrong("no message came") from err
        _message(pod, url, body)
        expect(headers.get("authorization", "").startswith("DPoP "), "the message has no token")
        expect("dpop" in headers, "the message has no proof")


def _stream(pod: Subject) -> None:
    url = pod.document()
    place = pod.ask("HEAD", url).says(200).link(STREAMS)
    with pod.stream(place) as lines:
        pod.put(url, "<> a <#changed> .")
        text = ""
        for piece in lines:
            text += piece
            if f"<{AS}Update>" in text or "as:Update" in text or '"Update"' in text:
                break
        else:
            raise Wrong("the stream ended without a message")
    expect(url in text, "the message does not name its object")


@requires("notifications", "streaming-http-channel-2023")
def changes_are_streamed(pod: Subject) -> None:
    _stream(pod)


@requires("protocol", "server-notifications-protocol-resource-server")
def services_are_discovered(pod: Subject) -> None:
    for kind in ("WebSocketChannel2023", "WebhookChannel2023"):
        _service(pod, kind)


@requires("protocol", "server-notifications-protocol-subscription-server")
def subscriptions_are_granted_to_who_may_read(pod: Subject) -> None:
    url = pod.document()
    service = _service(pod)
    pod.ask("POST", service, _wish(url), JSONLD, by=None).says(401)
    pod.ask("POST", service, _wish(url), JSONLD, by=pod.bob).says(403)
    pod.ask("POST", service, _wish(url), JSONLD).says(200, 201)


@requires("protocol", "server-notifications-protocol-notification-sender")
def changes_are_told(pod: Subject) -> None:
    _over_a_websocket(pod)
