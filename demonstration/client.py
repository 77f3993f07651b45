"""A client as anybody could write it: plain HTTP, a WebSocket, an event stream; nothing of the product's own code."""

from __future__ import annotations

import json
import queue
import threading
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

# Straight to the registry: a proxy of the environment would not know it.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class SurpriseError(Exception):
    """Something was not answered as expected; the demonstration ends."""


class Client:
    """One person's client, signed in once `token` is set."""

    def __init__(self, origin: str) -> None:
        self.origin = origin.rstrip("/")
        self.token: str | None = None

    def _headers(self, **more: str) -> dict[str, str]:
        signed_in = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {"Accept": "application/json", "Accept-Language": "zh", "X-Registry-Client": "demonstration", **signed_in, **more}

    def _post(self, path: str, body: bytes, content_type: str, **headers: str) -> Any:
        asked = urllib.request.Request(self.origin + path, body, self._headers(**{"Content-Type": content_type, **headers}))
        try:
            answer = _direct.open(asked, timeout=60)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            try:
                return json.load(answer)
            except ValueError:
                raise SurpriseError(f"{asked.full_url} does not answer in JSON (status {answer.status})") from None

    def ask(self, document: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The `data` of one operation; errors are a surprise."""
        answer = self._post("/graphql", json.dumps({"query": document, "variables": variables}).encode(), "application/json")
        if "errors" in answer:
            raise SurpriseError(f"errors: {answer['errors']}")
        data: dict[str, Any] = answer["data"]
        return data

    def upload(self, document: str, variables: dict[str, Any], name: str, image: bytes) -> dict[str, Any]:
        """An operation with one file at `variables.input.file`, by the GraphQL multipart convention."""
        edge = "registry-demonstration-boundary"
        parts = {"operations": json.dumps({"query": document, "variables": variables}), "map": json.dumps({"0": ["variables.input.file"]})}
        fields = "".join(f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in parts.items())
        file = f'--{edge}\r\nContent-Disposition: form-data; name="0"; filename="{name}"\r\nContent-Type: image/jpeg\r\n\r\n'
        body = fields.encode() + file.encode() + image + f"\r\n--{edge}--\r\n".encode()
        answer = self._post("/graphql", body, f"multipart/form-data; boundary={edge}")
        if "errors" in answer:
            raise SurpriseError(f"errors: {answer['errors']}")
        data: dict[str, Any] = answer["data"]
        return data

    def stream_file(self, purpose: str, name: str, image: bytes) -> Any:
        """An image by the plain endpoint: the body is the file."""
        return self._post(f"/files?purpose={purpose}", image, "application/octet-stream", **{"X-File-Name": quote(name)})

    def load(self, address: str) -> tuple[str, int]:
        """Media type and size of a file under its signed address."""
        asked = urllib.request.Request(self.origin + address, headers=self._headers())
        with _direct.open(asked, timeout=30) as answer:
            return answer.headers["Content-Type"], len(answer.read())

    def socket(self, document: str) -> Listening:
        """Listen over a WebSocket (graphql-transport-ws)."""
        found: queue.Queue[dict[str, Any] | None] = queue.Queue()
        ws = connect(
            self.origin.replace("http", "ws", 1) + "/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
            proxy=None,
            max_size=2**20,
        )
        ws.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}}))
        if json.loads(ws.recv(10))["type"] != "connection_ack":
            raise SurpriseError("the socket was not acknowledged")
        ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": document}}))

        def hear() -> None:
            try:
                for message in ws:
                    said = json.loads(message)
                    if said["type"] == "ping":
                        ws.send(json.dumps({"type": "pong"}))
                    elif said["type"] == "next":
                        found.put(said["payload"]["data"])
            except ConnectionClosed:
                pass
            found.put(None)

        threading.Thread(target=hear, daemon=True).start()
        return Listening(found)

    def events(self, document: str) -> Listening:
        """Listen to an event stream (server-sent events)."""
        found: queue.Queue[dict[str, Any] | None] = queue.Queue()
        body = json.dumps({"query": document}).encode()
        headers = self._headers(**{"Accept": "text/event-stream", "Content-Type": "application/json"})
        asked = urllib.request.Request(self.origin + "/graphql", body, headers)
        answer = _direct.open(asked, timeout=600)

        def hear() -> None:
            event = ""
            for line in answer:
                text = line.decode().rstrip("\r\n")
                if text.startswith("event:"):
                    event = text[6:].strip()
                elif text.startswith("data:") and event == "next":
                    found.put(json.loads(text[5:])["data"])
            found.put(None)

        threading.Thread(target=hear, daemon=True).start()
        return Listening(found)


class Listening:
    """What an open subscription brings."""

    def __init__(self, found: queue.Queue[dict[str, Any] | None]) -> None:
        self._found = found

    def next(self, seconds: float = 20) -> dict[str, Any]:
        """The next event; none within the time, or the end, is a surprise."""
        try:
            event = self._found.get(timeout=seconds)
        except queue.Empty:
            raise SurpriseError(f"the subscription was silent for {seconds:.0f} s") from None
        if event is None:
            raise SurpriseError("the subscription ended")
        return event
