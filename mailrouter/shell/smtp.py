"""Outgoing mail by SMTP (RFC 5321); the only file that speaks it.

Invariant: one outcome for every recipient, and "unknown" only when the whole mail was handed over and no answer came.
Before that point nothing was accepted, so "temporary" is safe to repeat.
"""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import aiosmtplib

from mailrouter import settings
from mailrouter.shell import oauth
from mailrouter.shell.errors import Permanent, Temporary

State = Literal["accepted", "temporary", "permanent", "unknown"]

_FAILURES: Final = (OSError, EOFError, aiosmtplib.SMTPException, TimeoutError)
_ADDRESS: Final = re.compile(r"[^\s<>\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_START_INPUT: Final = 354
_CLOSING: Final = 421
_QUIT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail to send. `sender` "" is the null return path (RFC 5321 § 4.5.5); `key` is the caller's own."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    key: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recipient; `text` is the server's answer, or why the server was not even asked."""

    recipient: str
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one envelope, one outcome a recipient, in their order."""

    key: str
    outcomes: tuple[Outcome, ...]


def send(
    smtp: settings.Smtp,
    envelopes: Sequence[Envelope],
    *,
    before_data: Callable[[Envelope], bool],
    done: Callable[[Result], None],
    token: Callable[[], str] | None = None,
) -> None:
    """Send the mails one by one over one connection.

    `before_data(envelope)` is called when the recipients are accepted and nothing is handed over yet: the place to
    commit "performing"; False skips the mail, and no result is told. `done(result)` is called as soon as a mail's
    outcome is known. Raises Temporary if the server cannot be reached (again): mails without a result were not handed
    over. Permanent: refused login or certificate, with the setting to look at.
    """
    if envelopes:
        asyncio.run(_Sender(smtp, before_data, done, token).send(envelopes))


class _LostError(Exception):
    """The connection broke before anything was handed over."""


class _Sender:
    """One batch."""

    def __init__(
        self,
        smtp: settings.Smtp,
        before_data: Callable[[Envelope], bool],
        done: Callable[[Result], None],
        token: Callable[[], str] | None,
    ) -> None:
        self._smtp = smtp
        self._before_data = before_data
        self._done = done
        self._token = token
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, envelopes: Sequence[Envelope]) -> None:
        try:
            for envelope in envelopes:
                result = await self._send_one(envelope)
                if result:
                    self._done(result)
        finally:
            await self._leave()

    async def _send_one(self, envelope: Envelope) -> Result | None:
        """A reused connection may have been closed by the server's idle timer: then once more over a new one."""
        fresh = self._client is None or not self._client.is_connected
        for attempt in (1, 2):
            client = await self._connected()
            try:
                return await _Delivery(client, envelope, self._before_data).run()
            except _LostError as lost:
                await _close(client)
                if fresh or attempt == 2:
                    return _all(envelope, "temporary", f"connection lost before the mail was handed over: {lost}")
        return None

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is None or not self._client.is_connected:
            self._client = await _connect(self._smtp, self._token)
        return self._client

    async def _leave(self) -> None:
        if self._client and self._client.is_connected:
            with contextlib.suppress(*_FAILURES):
                await self._client.quit(timeout=min(_QUIT_SECONDS, self._smtp.timeout_seconds))
        if self._client:
            await _close(self._client)


class _Delivery:
    """One mail over an open connection."""

    def __init__(self, client: aiosmtplib.SMTP, envelope: Envelope, before_data: Callable[[Envelope], bool]) -> None:
        self._client = client
        self._envelope = envelope
        self._before_data = before_data
        self._outcomes: dict[str, Outcome] = {}

    async def run(self) -> Result | None:
        """The result; None if `before_data` said no. _LostError if the connection broke before DATA."""
        recipients, options = self._what_the_server_can()
        if not recipients:
            return self._result()
        code, text = await self._command(b"MAIL", b"FROM:<%s>" % self._envelope.sender.encode(), *options)
        if code != 250:
            self._settle(recipients, _state(code), text)
            await self._reset()
            return self._result()
        accepted = [one for one in recipients if await self._recipient(one)]
        if not accepted or not self._before_data(self._envelope):
            await self._reset()
            return None if accepted else self._result()
        state, text = await self._data()
        self._settle(accepted, state, text)
        return self._result()

    def _what_the_server_can(self) -> tuple[list[str], list[bytes]]:
        """The recipients that this server can be asked for, and MAIL's parameters; the others' outcomes are set."""
        envelope, client = self._envelope, self._client
        recipients = [one for one in dict.fromkeys(envelope.recipients) if _ADDRESS.fullmatch(one)]
        self._settle(set(envelope.recipients) - set(recipients), "permanent", "not a mail address")
        if envelope.sender and not _ADDRESS.fullmatch(envelope.sender):
            self._settle(recipients, "permanent", "the sender is not a mail address")
            return [], []
        options: list[bytes] = []
        size = len(envelope.raw)
        if client.supports_extension("SIZE"):  # RFC 1870
            limit = client.esmtp_extensions.get("size", "")
            if limit.isdigit() and 0 < int(limit) < size:
                self._settle(recipients, "permanent", f"{size} bytes are more than the server's limit of {limit}")
                return [], []
            options.append(b"SIZE=%d" % size)
        header, _, body = envelope.raw.replace(b"\r\n", b"\n").partition(b"\n\n")
        if not body.isascii() or not header.isascii():  # RFC 6152
            if not client.supports_extension("8BITMIME"):
                self._settle(recipients, "permanent", "held: the server does not take 8-bit mail (8BITMIME)")
                return [], []
            options.append(b"BODY=8BITMIME")
        return self._international(recipients, options, ascii_header=header.isascii())

    def _international(
        self,
        recipients: list[str],
        options: list[bytes],
        *,
        ascii_header: bool,
    ) -> tuple[list[str], list[bytes]]:
        """RFC 6531: addresses beyond ASCII only where the server takes them; held otherwise, never rewritten."""
        foreign = [one for one in recipients if not one.isascii()]
        if ascii_header and self._envelope.sender.isascii() and not foreign:
            return recipients, options
        if self._client.supports_extension("SMTPUTF8"):
            return recipients, [*options, b"SMTPUTF8"]
        whole = not (ascii_header and self._envelope.sender.isascii())
        held = recipients if whole else foreign
        self._settle(held, "permanent", "held: the server takes no addresses beyond ASCII (SMTPUTF8)")
        return [one for one in recipients if one not in held], options

    async def _recipient(self, recipient: str) -> bool:
        code, text = await self._command(b"RCPT", b"TO:<%s>" % recipient.encode())
        if code in {250, 251}:
            return True
        self._settle([recipient], _state(code), text)
        return False

    async def _command(self, *words: bytes) -> tuple[int, str]:
        """A command before DATA; whatever breaks here, nothing was handed over."""
        try:
            code, text = await self._client.execute_command(*words)
        except (*_FAILURES, ValueError) as error:
            raise _LostError(_short(error)) from error
        if code == _CLOSING:  # RFC 5321 § 3.8: the server closes the connection
            raise _LostError(f"{code} {text}")
        return code, f"{code} {' '.join(text.split())}"

    async def _data(self) -> tuple[State, str]:
        """Hand the mail over. From the last octet to the answer nobody knows (RFC 5321 § 4.1.1.4, RFC 1047)."""
        try:
            code, text = await self._command(b"DATA")
        except _LostError as lost:
            return "temporary", f"connection lost before the mail was handed over: {lost}"
        if code != _START_INPUT:
            return _state(code), text
        try:
            protocol = self._client.protocol
            if protocol is None:
                return "temporary", "connection lost before the mail was handed over"
            protocol.write(_dotted(self._envelope.raw))
            code, text = await protocol.read_response(timeout=self._client.timeout)
        except (*_FAILURES, ValueError) as error:
            await _close(self._client)
            return "unknown", f"handed over, but no answer came: {_short(error)}"
        if code == _CLOSING:
            await _close(self._client)
        state: State = "accepted" if 200 <= code < 300 else _state(code)
        return state, f"{code} {' '.join(text.split())}"

    async def _reset(self) -> None:
        with contextlib.suppress(_LostError):
            await self._command(b"RSET")

    def _settle(self, recipients: Sequence[str] | set[str], state: State, text: str) -> None:
        for one in recipients:
            self._outcomes[one] = Outcome(one, state, text[:500])

    def _result(self) -> Result:
        return Result(
            self._envelope.key, tuple(self._outcomes[one] for one in dict.fromkeys(self._envelope.recipients))
        )


async def _connect(smtp: settings.Smtp, token: Callable[[], str] | None) -> aiosmtplib.SMTP:
    where = f"smtp {smtp.host}:{smtp.port}"
    client = aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        timeout=smtp.timeout_seconds,
        use_tls=smtp.tls and not smtp.starttls,
        start_tls=False,  # done below, where a failed one can be hung up on
        tls_context=_tls(smtp) if smtp.tls or smtp.starttls else None,
        local_hostname=socket.gethostname() or "localhost",  # no look-up, which can hang
    )
    transport = None
    try:
        await client.connect()
        transport = client.transport
        await client.ehlo()
        if smtp.starttls:
            await client.starttls()
            await client.ehlo()
    except _FAILURES as error:
        await _close(client, transport)
        for cause in (error, error.__cause__, error.__context__):
            if isinstance(cause, ssl.SSLCertVerificationError):
                raise Permanent(f"{where}: certificate refused ({cause.verify_message}): set smtp.ca_file") from error
        if smtp.starttls and not isinstance(error, OSError) and "STARTTLS" in str(error).upper():
            raise Permanent(f"{where} offers no STARTTLS: set smtp.tls, or another port") from error
        raise Temporary(f"{where} cannot be reached: {_short(error)}") from error
    try:
        await _log_in(client, smtp, token, where)
    except BaseException:
        await _close(client)
        raise
    return client


async def _close(client: aiosmtplib.SMTP, plain: asyncio.BaseTransport | None = None) -> None:
    """Hang up, and let the loop see it: TLS would wait half a minute for the other side's farewell."""
    transports = (client.transport, plain)
    client.close()
    for transport in transports:
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
    for _ in range(3):
        await asyncio.sleep(0)


def _tls(smtp: settings.Smtp) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=smtp.ca_file)
    except OSError as error:
        raise Permanent(f"smtp.ca_file {smtp.ca_file} cannot be read as certificates: {error}") from error


async def _log_in(client: aiosmtplib.SMTP, smtp: settings.Smtp, token: Callable[[], str] | None, where: str) -> None:
    """Log in as set; no secret is in any message."""
    if smtp.user is None:
        if smtp.oauth:
            raise Permanent(f"{where}: smtp.oauth is set without smtp.user: name the account")
        return
    place = f"look at smtp.user and at {smtp.password_env or smtp.password_file or 'smtp.password_env'}"
    if smtp.oauth:
        place = "look at smtp.user, smtp.oauth and the account's rights"
    secret = (token() if token else None) if smtp.oauth else smtp.password()
    if not secret:
        raise Permanent(f"{where}: smtp.user is set, but there is no password or token: {place}")
    try:
        await (client.auth_xoauth2 if smtp.oauth else client.login)(smtp.user, secret)
    except _FAILURES as error:
        said = f"{getattr(error, 'code', '')} {_short(error)}".strip().replace(secret, "***")
        if isinstance(error, OSError):  # broken connections and timeouts, aiosmtplib's as well
            raise Temporary(f"{where}: login broken off: {said}") from None
        if isinstance(error, aiosmtplib.SMTPResponseException) and 400 <= error.code < 500:
            raise Temporary(f"{where}: login not possible now: {said}") from None
        oauth.forget(token, secret)
        raise Permanent(f"{where}: login of {smtp.user!r} refused ({said}): {place}") from None


def _all(envelope: Envelope, state: State, text: str) -> Result:
    return Result(envelope.key, tuple(Outcome(one, state, text[:500]) for one in dict.fromkeys(envelope.recipients)))


def _state(code: int) -> State:
    """RFC 5321 § 4.2.1: 5yz for good; anything else that is no yes may work later."""
    return "permanent" if 500 <= code < 600 else "temporary"


def _dotted(raw: bytes) -> bytes:
    """The mail as DATA carries it (RFC 5321 § 2.3.8, § 4.5.2): lines end in CRLF, leading dots doubled, a dot at the end."""
    lines = _LINE_END.sub(b"\r\n", raw)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", lines) + b".\r\n"


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
