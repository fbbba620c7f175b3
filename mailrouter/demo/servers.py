"""An IMAP server and an SMTP sink in this process, on free loopback ports.

Invariant: nothing leaves the machine: both listen on 127.0.0.1 alone, and what is "sent" ends as a file.
"""

import asyncio
import threading
from argparse import Namespace
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from aiosmtpd.smtp import SMTP, Envelope
from proxyprotocol.result import ProxyResultLocal
from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, DictBackend, Login
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import Passwords, UserMetadata
from pysasl.hashing import BuiltinHash

from mailrouter.core.message import parse

HOST = "127.0.0.1"
_SECONDS = 20  # for anything the servers' thread is asked to do
_SIZE_LIMIT = 50 * 1024 * 1024
_ARGUMENTS = Namespace(passlib_cfg=None, proxy_protocol=None)


@dataclass(frozen=True, slots=True)
class Sent:
    """One mail that reached the sink: its envelope, and the file that has it."""

    sender: str
    recipients: tuple[str, ...]
    subject: str
    path: Path


class LocalServers:
    """Both servers, from `with` to its end, in one thread of their own.

    `user` may log in with `password`; `folder` gets one file for each mail that is sent. Once entered, `imap_port` and
    `smtp_port` tell where they listen; RuntimeError if they cannot.
    """

    def __init__(self, user: str, password: str, folder: Path) -> None:
        self.imap_port = 0
        self.smtp_port = 0
        self._sink = _Sink(folder)
        self._config = _Config(
            _ARGUMENTS,
            host=HOST,
            port=0,
            tls_enabled=False,
            reject_dnsbl=False,
            cpu_subsystem=Subsystem.for_asyncio(),
            hash_context=BuiltinHash(rounds=1000),
            demo_data=False,
            demo_user=user,
            demo_password=password,
        )
        self._login = Login(self._config)
        self._ready = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="demo-servers", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_SECONDS) or self._failure:
            raise RuntimeError("the demo's local servers did not start") from self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_SECONDS)

    @property
    def sent(self) -> Sequence[Sent]:
        """What was sent so far, in order."""
        return tuple(self._sink.mails)

    def deliver(self, raw: bytes, received: datetime, folder: str = "INBOX") -> None:
        """Put a mail into the mailbox, as if it had arrived at `received`."""
        asyncio.run_coroutine_threadsafe(self._deliver(raw, received, folder), self._loop).result(_SECONDS)

    def folders(self) -> dict[str, int]:
        """How many mails lie in each folder."""
        return asyncio.run_coroutine_threadsafe(self._folders(), self._loop).result(_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - told to the thread that waits for the start
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        hashed = await Passwords(self._config).hash_password(self._config.demo_password)
        identity = self._login.demo_user_identity
        await identity.set(UserMetadata(self._config, self._config.demo_user, password=hashed))
        connections = _Connections(IMAPServer(DictBackend(self._login, self._config).login, self._config))
        imap = await asyncio.start_server(connections.serve, host=HOST, port=0)
        smtp = await self._loop.create_server(self._smtp, host=HOST, port=0)
        self.imap_port, self.smtp_port = (server.sockets[0].getsockname()[1] for server in (imap, smtp))
        self._ready.set()
        await self._stop.wait()
        imap.close()
        smtp.close()
        await connections.end()

    def _smtp(self) -> SMTP:
        return SMTP(self._sink, hostname=HOST, ident="mailrouter demo", enable_SMTPUTF8=True, data_size_limit=_SIZE_LIMIT)

    async def _deliver(self, raw: bytes, received: datetime, folder: str) -> None:
        async with self._login.demo_user_identity.new_session() as session:
            await session.append_messages(folder, [AppendMessage(raw, received, frozenset())])

    async def _folders(self) -> dict[str, int]:
        async with self._login.demo_user_identity.new_session() as session:
            entries, _ = await session.list_mailboxes("", "*")
            return {name: (await session.get_mailbox(name))[0].exists for name, _, _ in entries}


class _Config(Config):
    """Without the look-up of this machine's name, which may ask a name server."""

    @property
    def greeting(self) -> bytes:
        return b"mailrouter demo"


class _Connections:
    """Open IMAP connections, so that they can be ended."""

    def __init__(self, server: Callable[..., Coroutine[Any, Any, None]]) -> None:
        self._server = server
        self._tasks: set[asyncio.Task[Any]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._server(reader, writer, SocketInfo.get(writer, ProxyResultLocal(), unique_id=uuid4().bytes))
        finally:
            self._tasks.discard(task)

    async def end(self) -> None:
        """Cancel what is still open and wait for it."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Sink:
    """aiosmtpd's handler: takes every mail and keeps it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.mails: list[Sent] = []

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Write the mail to a file and accept it."""
        raw = bytes(envelope.original_content or b"")
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{len(self.mails) + 1:03}.eml"
        path.write_bytes(raw)
        subject = parse(raw).subject
        self.mails.append(Sent(envelope.mail_from or "", tuple(envelope.rcpt_tos), subject, path))
        return "250 2.0.0 kept, and sent nowhere"
