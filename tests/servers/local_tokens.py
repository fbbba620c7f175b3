"""A small OAuth 2 provider: a token endpoint (RFC 6749) and an introspection endpoint (RFC 7662) that Dovecot asks.

Invariant: a refresh token works once; each exchange gives a new one.
"""

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


@dataclass
class TokenServer:
    """A running provider and its switches."""

    url: str = ""
    user: str = "registry"  # whose mailbox the tokens open
    secret: str = "client-secret"  # of the application
    lifetime: float = 3600
    refresh: str = "first-refresh"  # the one that works now
    failure: tuple[int, dict] | None = None  # status and answer instead of a token
    delay_seconds: float = 0
    exchanges: list[dict[str, str]] = field(default_factory=list)
    valid: dict[str, float] = field(default_factory=dict)  # access token → its end
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, form: dict[str, str]) -> tuple[int, dict]:
        """The token endpoint's answer."""
        time.sleep(self.delay_seconds)
        with self._lock:
            self.exchanges.append(form)
            if self.failure:
                return self.failure
            if form.get("client_secret") != self.secret:
                return 401, {"error": "invalid_client", "error_description": f"bad secret {form.get('client_secret')}"}
            number = next(self._numbers)
            answer = {"access_token": f"access-{number}", "token_type": "Bearer", "expires_in": self.lifetime}
            if form["grant_type"] == "refresh_token":
                if form.get("refresh_token") != self.refresh:
                    return 400, {"error": "invalid_grant", "error_description": "refresh token was used or revoked"}
                self.refresh = answer["refresh_token"] = f"refresh-{number}"
            self.valid[answer["access_token"]] = time.time() + self.lifetime
            return 200, answer

    def introspect(self, form: dict[str, str]) -> tuple[int, dict]:
        """The introspection endpoint's answer."""
        if self.valid.get(form.get("token", ""), 0) < time.time():
            return 200, {"active": False}
        return 200, {"active": True, "username": self.user}


@contextlib.contextmanager
def token_server() -> Iterator[TokenServer]:
    """Run a provider on a free loopback port: /token and /introspect."""
    provider = TokenServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = {key: values[0] for key, values in parse_qs(body).items()}
            status, answer = provider.token(form) if self.path.endswith("/token") else provider.introspect(form)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
