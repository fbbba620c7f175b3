"""A proxy on loopback that cuts, delays, silences or garbles what passes between a client and a server.

Invariant: a fault is done where the plan says, counted in bytes of one connection or named by a pattern in what the
client says, so that a failing case can be run again.
"""

import contextlib
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Faults:
    """What goes wrong. Without any of these the proxy is faithful. Changes hold for bytes that come later."""

    cut_up: int | None = None  # hang up when the client has sent so many bytes (they are still delivered)
    cut_down: int | None = None  # hang up when the server has sent so many bytes (they are still delivered)
    garble_down: float = 0.0  # chance that a byte of the server is another one
    garble_up: float = 0.0  # chance that a byte of the client is another one
    seed: int = 0
    delay_seconds: float = 0.0  # before each piece of the server's answer
    at: bytes = b""  # a pattern in what the client says, from which on …
    then: str = "cut"  # … "cut": hang up before it is delivered; "deaf": deliver it, and swallow every answer
    times: int = 10**9  # how many connections are ill-treated; the later ones pass


@dataclass
class Proxy:
    """A running proxy in front of one port."""

    port: int
    faults: Faults
    connections: int = 0
    up_bytes: int = 0  # of the last connection
    down_bytes: int = 0
    host: str = "127.0.0.1"
    _threads: list[threading.Thread] = field(default_factory=list)


@contextlib.contextmanager
def fault_proxy(target_port: int, faults: Faults | None = None) -> Iterator[Proxy]:
    """Run a proxy in front of 127.0.0.1:`target_port`."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    proxy = Proxy(listener.getsockname()[1], faults or Faults())
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = listener.accept()
                proxy.connections += 1
                ill = proxy.connections <= proxy.faults.times
                worker = threading.Thread(target=_connection, args=(proxy, client, target_port, stop, ill))
                proxy._threads.append(worker)
                worker.start()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield proxy
    finally:
        stop.set()
        thread.join()
        listener.close()
        for worker in proxy._threads:
            worker.join()


class _Connection:
    """The two directions of one connection."""

    def __init__(
        self, proxy: Proxy, client: socket.socket, server: socket.socket, stop: threading.Event, ill: bool
    ) -> None:
        self.proxy, self.client, self.server, self.stop = proxy, client, server, stop
        self.faults = proxy.faults if ill else Faults()
        self.random = random.Random(self.faults.seed)
        self.over = threading.Event()
        self.deaf = False
        self.said = b""

    def up(self) -> None:
        total = 0
        for data in self._read(self.client):
            self.said = (self.said + data)[-4000:]
            if self.faults.at and re.search(self.faults.at, self.said):
                self.said = b""
                if self.faults.then == "cut":
                    break
                self.deaf = True
            limit = self.faults.cut_up
            piece = data if limit is None else data[: max(0, limit - total)]
            total += len(piece)
            self.proxy.up_bytes = total
            self.server.sendall(self._garbled(piece, self.faults.garble_up))
            if limit is not None and total >= limit:
                break

    def down(self) -> None:
        total = 0
        for data in self._read(self.server):
            if self.deaf:
                continue
            time.sleep(self.faults.delay_seconds)
            limit = self.faults.cut_down
            piece = data if limit is None else data[: max(0, limit - total)]
            total += len(piece)
            self.proxy.down_bytes = total
            self.client.sendall(self._garbled(piece, self.faults.garble_down))
            if limit is not None and total >= limit:
                break

    def _garbled(self, data: bytes, chance: float) -> bytes:
        if not chance:
            return data
        return bytes(self.random.randrange(256) if self.random.random() < chance else byte for byte in data)

    def _read(self, source: socket.socket) -> Iterator[bytes]:
        while not self.stop.is_set() and not self.over.is_set():
            try:
                data = source.recv(65536)
            except TimeoutError:
                continue
            if not data:
                return
            yield data


def _connection(proxy: Proxy, client: socket.socket, target_port: int, stop: threading.Event, ill: bool) -> None:
    with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", target_port)) as server:
        client.settimeout(0.05)
        server.settimeout(0.05)
        pair = _Connection(proxy, client, server, stop, ill)

        def run(direction) -> None:
            with contextlib.suppress(OSError):
                direction()
            pair.over.set()

        up = threading.Thread(target=run, args=(pair.up,))
        up.start()
        run(pair.down)
        up.join()
