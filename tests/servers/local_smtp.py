"""An SMTP server of our own that keeps what it takes and misbehaves on command.

Invariant: `mails` holds exactly what was stored, whether or not the client was told so.
"""

import asyncio
import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import local_processes
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass(frozen=True)
class Taken:
    """A mail that the sink stored."""

    sender: str  # "" is the null return path
    recipients: tuple[str, ...]
    data: bytes
    connection: int


@dataclass
class SmtpSink:
    """A running sink and its switches; every switch may be turned while it runs."""

    host: str
    port: int
    mails: list[Taken] = field(default_factory=list)
    connections: int = 0
    commands: list[str] = field(default_factory=list)  # "RCPT a@b", "DATA", "AUTH", in order
    refuse: dict[str, str] = field(default_factory=dict)  # recipient → "550 5.1.1 no such user"
    refuse_sender: str = ""  # the answer to MAIL FROM, "" for yes
    answer: str = ""  # the answer to the end of DATA, "" for 250; anything but 2xx stores nothing
    drop: Literal["", "data", "before-answer", "after-answer", "rcpt"] = ""  # when to cut the connection
    drops: int = 10**9  # how often `drop` is done
    delay_seconds: float = 0  # before the answer to the end of DATA
    on_stored: Callable[[Taken], None] | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, count: int, seconds: float = 20) -> list[Taken]:
        """The mails once there are `count` of them; AssertionError if that takes too long."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while len(self.mails) < count and (left := deadline - time.monotonic()) > 0:
                self.changed.wait(left)
        assert len(self.mails) >= count, f"{len(self.mails)} of {count} mails came"
        return list(self.mails)


class _Handler:
    def __init__(self, sink: SmtpSink, *, login_required: bool) -> None:
        self.sink = sink
        self.login_required = login_required

    async def handle_MAIL(  # noqa: N802 - aiosmtpd looks it up by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sink.commands.append(f"MAIL {address}")
        if self.login_required and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if self.sink.refuse_sender:
            return self.sink.refuse_sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks it up by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sink.commands.append(f"RCPT {address}")
        if self._cut("rcpt"):
            return _abort(server)
        if address in self.sink.refuse:
            return self.sink.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_RSET(  # noqa: N802 - aiosmtpd looks it up by this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.sink.commands.append("RSET")
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks it up by this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        sink = self.sink
        sink.commands.append("DATA")
        if self._cut("data"):
            return _abort(server)
        if sink.answer and not sink.answer.startswith("2"):
            return sink.answer
        sender = "" if envelope.mail_from in {None, "<>"} else envelope.mail_from
        mail = Taken(sender, tuple(envelope.rcpt_tos), envelope.original_content or b"", id(session))
        with sink.changed:
            sink.mails.append(mail)
            sink.changed.notify_all()
        if sink.on_stored:
            sink.on_stored(mail)
        if sink.delay_seconds:
            await asyncio.sleep(sink.delay_seconds)
        if self._cut("before-answer"):
            return _abort(server)
        if self._cut("after-answer"):
            server.transport.write(b"250 OK\r\n")
            server.transport.close()
            raise ConnectionResetError("cut on purpose")
        return sink.answer or "250 OK"

    def _cut(self, place: str) -> bool:
        if self.sink.drop != place or self.sink.drops <= 0:
            return False
        self.sink.drops -= 1
        return True


def _abort(server: SMTP) -> str:
    server.transport.abort()
    raise ConnectionResetError("cut on purpose")


class _Server(SMTP):
    sink: SmtpSink

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.sink.connections += 1


@contextlib.contextmanager
def smtp_sink(
    *,
    utf8: bool = True,
    size_limit: int = 100_000_000,
    authenticator: Callable[..., AuthResult] | None = None,
    tls_context: ssl.SSLContext | None = None,
    mechanisms: object | None = None,
) -> Iterator[SmtpSink]:
    """Run a sink. `authenticator` (aiosmtpd's kind) makes AUTH required; `tls_context` makes STARTTLS required.

    `mechanisms` has further AUTH mechanisms as methods `auth_NAME`.
    """
    sink = SmtpSink("127.0.0.1", local_processes.free_ports(1)[0])
    options: dict[str, Any] = {"data_size_limit": size_limit, "enable_SMTPUTF8": utf8}
    if authenticator:
        options |= {"authenticator": authenticator, "auth_require_tls": False}
    if tls_context:
        options |= {"tls_context": tls_context, "require_starttls": True}

    class Local(Controller):
        def factory(self) -> SMTP:
            server = _Server(self.handler, **self.SMTP_kwargs)
            server.sink = sink
            return server

    handler = _Handler(sink, login_required=authenticator is not None)
    for name in dir(mechanisms):
        if name.startswith("auth_"):
            setattr(handler, name, getattr(mechanisms, name))  # aiosmtpd looks for them on its handler
    controller = Local(
        handler,
        hostname=sink.host,
        port=sink.port,
        ready_timeout=20,
        **options,
    )
    controller.start()
    sink.connections = 0  # the controller tries its own door once
    try:
        yield sink
    finally:
        controller.stop()
