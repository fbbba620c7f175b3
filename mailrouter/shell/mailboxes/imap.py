"""A mailbox by IMAP4rev1 (RFC 3501); the only file that speaks it.

Invariant: an OK is no proof. A move is what COPYUID names or what is found; a removal is seen to have happened. After
any failure the connection is used up: every later call raises `Temporary` until the caller connects anew.
"""

import contextlib
import math
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, Literal

from imapclient import IMAPClient
from imapclient.exceptions import CapabilityError, IMAPClientAbortError, IMAPClientError, IMAPClientReadOnlyError

from mailrouter import settings
from mailrouter.shell import oauth
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.mailboxes import answers, logins
from mailrouter.shell.mailboxes.interface import EpochChanged, Fetched, FolderState, Moved, in_time

BATCH_COUNT: Final = 400  # UIDs named one by one in a FETCH: 4,400 characters at most
HEADER_BYTES: Final = 1024 * 1024  # read of a mail over the size limit
SEARCH_WINDOW: Final = 50_000  # UIDs in one SEARCH answer; the client library takes lines of 1,000,000 bytes
IDLE_RENEWAL_SECONDS: Final = 9 * 60.0  # MAIL.md: within 10 minutes
IDLE_SLICE_SECONDS: Final = 0.5  # how soon `stop` is seen
_DELETED: Final = b"\\Deleted"
# What a client library raises when a server breaks off, refuses, or answers what is no IMAP.
_FAILURES: Final = (
    OSError,
    EOFError,
    IMAPClientError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
)


def connect(mailbox: settings.Mailbox, token: Callable[[], str] | None = None) -> "ImapConnection":
    """Connect and log in; `token` gives the access token where `imap.oauth` is set.

    Permanent: refused credentials or certificates, with the setting to look at. Temporary: all else.
    """
    imap = mailbox.imap
    if imap is None:
        raise Permanent(f"mailbox {mailbox.name!r} has no imap settings")
    where = f"mailbox {mailbox.name!r}: {imap.host}:{imap.port}"
    secret = logins.secret(mailbox, imap, token)
    client = _open(imap, where)
    try:
        logins.log_in(client, imap, secret, where)
        client.normalise_times = False  # INTERNALDATE keeps its offset
    except BaseException as error:
        with contextlib.suppress(*_FAILURES):
            client.shutdown()
        if imap.oauth and isinstance(error, Permanent):
            oauth.forget(token, secret)
        raise
    return ImapConnection(client, mailbox)


def _open(imap: settings.Imap, where: str) -> Any:
    """A connection with TLS as set, nobody logged in; socket timeouts always."""
    try:
        context = ssl.create_default_context(cafile=imap.ca_file) if imap.tls or imap.starttls else None
    except OSError as error:
        raise Permanent(f"{where}: imap.ca_file {imap.ca_file} cannot be read as certificates: {error}") from error
    client: Any = None
    try:
        at_once = imap.tls and not imap.starttls
        client = IMAPClient(
            imap.host, imap.port, ssl=at_once, ssl_context=context if at_once else None, timeout=imap.timeout_seconds
        )
        # The library has its client write all that is said into a log that nobody reads: slow, and no place for mail.
        client._imap.debug = 0  # noqa: SLF001 - there is no public switch
        if imap.starttls:
            client.starttls(context)
    except BaseException as error:
        with contextlib.suppress(*_FAILURES):
            if client is not None:
                client.shutdown()
        if isinstance(error, ssl.SSLCertVerificationError):
            raise Permanent(f"{where}: certificate refused ({error.verify_message}): set imap.ca_file") from error
        if isinstance(error, CapabilityError):
            raise Permanent(f"{where} offers no STARTTLS: set imap.tls, or another port") from error
        if isinstance(error, _FAILURES):
            raise Temporary(f"{where} cannot be reached: {logins.short(error)}") from error
        raise
    return client


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class ImapConnection:
    """An open IMAP mailbox; see interface.MailboxConnection."""

    def __init__(self, client: Any, mailbox: settings.Mailbox) -> None:
        self._client = client
        self._mailbox = mailbox
        self._usable = True
        self._selected: str | None = None
        self._state = FolderState(0, 0, 0)
        self._known: set[str] = set()
        self._special: dict[str, str] = {}

    # -- what the service asks --

    def state(self, folder: str) -> FolderState:
        """See interface."""
        with self._talk(f"select {folder!r}"):
            self._select(folder)
        return self._state

    def uids(self, folder: str, uidvalidity: int, after: int = 0) -> list[int]:
        """See interface. In windows, so that no answer is longer than a line may be."""
        self._enter(folder, uidvalidity)
        end = self._state.uidnext
        if self._state.exists <= SEARCH_WINDOW or end <= after:
            return self._search(f"UID {after + 1}:*", above=after)
        found: list[int] = []
        for start in range(after + 1, end, SEARCH_WINDOW):
            found += self._search(f"UID {start}:{start + SEARCH_WINDOW - 1}", above=after)
        return found

    def last_uid_before(self, folder: str, uidvalidity: int, day: date) -> int:
        """See interface."""
        self._enter(folder, uidvalidity)
        # RFC 3501 § 9: date-text has English month names, whatever the locale
        return max(self._search(f"BEFORE {day.day}-{_MONTHS[day.month - 1]}-{day.year}"), default=0)

    def fetch(self, folder: str, uidvalidity: int, uids: Sequence[int], size_limit: int) -> Iterator[Fetched]:
        """See interface. Sizes first, then mails in chunks bounded by count and bytes."""
        for start in range(0, len(uids), BATCH_COUNT):
            self._enter(folder, uidvalidity)
            known = self._listing(uids[start : start + BATCH_COUNT])
            for chunk, whole in answers.chunks({uid: one.size for uid, one in known.items()}, size_limit):
                # RFC 3501 § 6.4.5: PEEK leaves \Seen alone.
                item = "BODY.PEEK[]" if whole else f"BODY.PEEK[HEADER]<0.{HEADER_BYTES}>"
                self._enter(folder, uidvalidity)
                bodies = self._fetch(chunk, [item])
                for uid in chunk:
                    raw = _body(bodies.pop(uid, {}))
                    if raw is not None:  # NIL or absent: expunged by someone else meanwhile
                        yield replace(known[uid], raw=raw, whole=whole, size=len(raw) if whole else known[uid].size)

    def append(
        self,
        folder: str,
        raw: bytes,
        flags: Sequence[str] = (),
        received: datetime | None = None,
        not_after: float = math.inf,
    ) -> int | None:
        """See interface."""
        wanted = [flag for flag in flags if answers.is_flag(flag)]
        with self._talk(f"append to {folder!r}"), self._in_time(not_after):
            answer = self._making(folder, lambda: self._client.append(folder, raw, wanted, received))
        return answers.appended(answer or b"")

    def move(self, folder: str, uidvalidity: int, uids: Sequence[int], target: str) -> list[Moved]:
        """See interface."""
        if not uids:
            return []
        if folder == target:
            there = set(self._present(folder, uidvalidity, uids))
            return [Moved(uid, "moved", uid) if uid in there else Moved(uid, "gone") for uid in uids]
        self.ensure(target)
        if not self._can("UIDPLUS"):
            return [self._move_searched(folder, uidvalidity, uid, target) for uid in uids]
        pairs: dict[int, int] = {}
        for members, printed in answers.uid_sets(uids):
            self._enter(folder, uidvalidity)
            with self._talk(f"move to {target!r}"):
                pairs |= answers.copied(self._relocate(printed, target), members)
                if not self._can("MOVE"):
                    self._expunge([uid for uid in members if uid in pairs])
        rest = set(uids) - set(pairs)
        there = set(self._present(folder, uidvalidity, sorted(rest))) if rest else set()
        return [
            Moved(uid, "moved", pairs[uid]) if uid in pairs else Moved(uid, "unknown" if uid in there else "gone")
            for uid in uids
        ]

    def remove(self, folder: str, uidvalidity: int, uid: int) -> bool:
        """See interface. Without UIDPLUS the mail is only marked, which is no removal."""
        self._enter(folder, uidvalidity)
        with self._talk(f"remove from {folder!r}"):
            marked = self._client.add_flags([uid], [_DELETED])  # answered with the flags of what is there
            if uid not in marked:
                return False
            if self._can("UIDPLUS"):
                self._client.uid_expunge([uid])
        return not self._present(folder, uidvalidity, [uid])

    def flag(self, folder: str, uidvalidity: int, uids: Sequence[int], flags: Sequence[str]) -> None:
        """See interface."""
        for flag in flags:
            if not answers.is_flag(flag):
                raise Permanent(f"{flag!r} is no IMAP flag: a system flag such as \\Flagged, or one word in ASCII")
        self._enter(folder, uidvalidity)
        with self._talk(f"flag in {folder!r}"):
            for _, printed in answers.uid_sets(uids):
                self._client.add_flags(printed, list(flags), silent=True)

    def find(self, folder: str, message_id: str) -> list[int]:
        """See interface."""
        return self._find(folder, message_id, ["Message-ID"])

    def find_references(self, folder: str, message_id: str) -> list[int]:
        """See interface."""
        return self._find(folder, message_id, ["In-Reply-To", "References"])

    def special(self, use: Literal["drafts", "sent"]) -> str:
        """See interface."""
        if use not in self._special:
            mark = b"\\drafts" if use == "drafts" else b"\\sent"
            with self._talk("list folders"):
                named = [name for marks, name in self._listed() if mark in marks]
            name = min(named, key=len) if named else getattr(self._mailbox.folders, use)
            if not named:
                self.ensure(name)
            self._special[use] = name
        return self._special[use]

    def ensure(self, folder: str) -> None:
        """See interface."""
        if folder in self._known:
            return
        with self._talk(f"make folder {folder!r}"):
            if not self._exists(folder):
                try:
                    self._client.create_folder(folder)
                except IMAPClientAbortError:
                    raise
                except IMAPClientError as error:
                    if not self._exists(folder):  # else another node made it between our two looks
                        raise Permanent(
                            f"mailbox {self._mailbox.name!r}: the server refuses to make folder {folder!r} "
                            f"({logins.short(error)}): make it by hand, or name another in folders or the rule"
                        ) from error
                self._client.subscribe_folder(folder)  # mail programs show only these
        self._known.add(folder)

    def idle(self, folder: str, seconds: float, stop: threading.Event) -> bool:
        """See interface."""
        deadline = time.monotonic() + seconds
        with self._talk(f"idle in {folder!r}"):
            if self._selected != folder:
                self._select(folder)
            if not self._can("IDLE"):
                stop.wait(seconds)
                return False
            while (left := deadline - time.monotonic()) > 0 and not stop.is_set():
                self._client.noop()  # tells what came since the last look; seen: pymap keeps it until IDLE ends
                if self._lines("EXISTS") or self._idle_once(min(left, IDLE_RENEWAL_SECONDS), stop):
                    return True
        return False

    def close(self) -> None:
        """See interface."""
        with contextlib.suppress(*_FAILURES):
            if self._usable:
                self._usable = False
                self._client.socket().settimeout(5)
                self._client.logout()
        with contextlib.suppress(*_FAILURES):
            self._client.shutdown()

    # -- how it is said --

    @contextlib.contextmanager
    def _talk(self, doing: str) -> Iterator[None]:
        """Whatever goes wrong in here is Temporary and uses the connection up."""
        where = f"mailbox {self._mailbox.name!r}: {doing}"
        if not self._usable:
            raise Temporary(f"{where}: the connection is closed; connect anew")
        try:
            yield
        except _FAILURES as error:
            self._usable = False
            raise Temporary(f"{where} failed: {logins.short(error)}") from error

    @contextlib.contextmanager
    def _in_time(self, not_after: float) -> Iterator[None]:
        """Nothing more is sent after that time: the server does nothing before a command's last line end."""
        line = self._client._imap  # noqa: SLF001 - there is no public place between a command and its literal
        plain = line.send

        def send(data: bytes) -> None:
            if time.monotonic() > not_after:
                self._usable = False
            in_time(not_after)
            plain(data)

        line.send = send
        try:
            yield
        finally:
            line.send = plain

    def _can(self, capability: str) -> bool:
        return bool(self._client.has_capability(capability))

    def _lines(self, code: str) -> list[bytes]:
        """The untagged answers of this code since the last look, and forget them."""
        _, lines = self._client._imap.response(code)  # noqa: SLF001 - IMAPClient drops COPYUID (RFC 4315 § 3)
        return [line for line in lines or () if line]

    def _select(self, folder: str) -> None:
        self._selected = None
        try:
            answer = self._client.select_folder(folder)
        except IMAPClientReadOnlyError as error:
            raise Permanent(
                f"mailbox {self._mailbox.name!r}: folder {folder!r} may only be read: grant rights"
            ) from error
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            if self._exists(folder):
                raise
            self._known.discard(folder)
            name = self._mailbox.name
            raise Permanent(
                f"mailbox {name!r} has no folder {folder!r}: make it, or name another in the settings"
            ) from error
        self._state = FolderState(int(answer[b"UIDVALIDITY"]), int(answer.get(b"UIDNEXT", 0)), int(answer[b"EXISTS"]))
        self._lines("EXISTS")  # from here on, EXISTS is news
        self._selected = folder

    def _enter(self, folder: str, uidvalidity: int) -> None:
        """Select the folder, again even if it is selected, and compare its UIDVALIDITY.

        Seen on Dovecot 2.3: a folder deleted and made again while it was selected let MOVE take the new mail that had
        the old one's UID, though RFC 3501 § 2.3.1.1 lets a session rely on what it selected.
        """
        with self._talk(f"select {folder!r}"):
            self._select(folder)
        if self._state.uidvalidity != uidvalidity:
            raise EpochChanged(
                f"mailbox {self._mailbox.name!r}: UIDVALIDITY of {folder!r} is {self._state.uidvalidity}, not {uidvalidity}"
            )

    def _search(self, criteria: str, above: int = 0) -> list[int]:
        """UIDs in the selected folder, ascending. `n:*` is never empty: the last mail counts as at least n (MAIL.md)."""
        with self._talk("search"):
            return sorted(uid for uid in self._client.search(criteria) if uid > above)

    def _present(self, folder: str, uidvalidity: int, uids: Sequence[int]) -> list[int]:
        self._enter(folder, uidvalidity)
        return [uid for _, printed in answers.uid_sets(uids) for uid in self._search(f"UID {printed}")]

    def _fetch(self, uids: Sequence[int], items: Sequence[str]) -> dict[int, dict[bytes, Any]]:
        with self._talk("fetch"):
            try:
                return dict(self._client.fetch(list(uids), list(items)))
            except IMAPClientError as error:
                if isinstance(error, IMAPClientAbortError) or "EXPUNGEISSUED" not in str(error).upper():
                    raise
                self._lines("FETCH")  # RFC 5530 § 3: some were removed by someone else; look and ask again
                self._client.noop()
                return dict(self._client.fetch(list(uids), list(items)))

    def _listing(self, uids: Sequence[int]) -> dict[int, Fetched]:
        """Size, time and flags of those that are there, nothing read yet."""
        found = self._fetch(uids, ["RFC822.SIZE", "INTERNALDATE", "FLAGS"])
        with self._talk("fetch"):
            return {uid: _listed(uid, items) for uid, items in found.items() if b"RFC822.SIZE" in items}

    def _find(self, folder: str, message_id: str, names: Sequence[str]) -> list[int]:
        """SEARCH HEADER looks for a part of the value, so what it names is compared again here."""
        if not answers.searchable(message_id):
            return []
        with self._talk(f"find in {folder!r}"):
            try:
                self._select(folder)
            except Permanent:  # there is no such folder, and so no such mail
                return []
            criteria: list[str] = ["OR"] * (len(names) - 1)
            for name in names:
                criteria += ["HEADER", name, message_id]
            found = self._client.search(criteria, None if message_id.isascii() else "UTF-8")
            headers = self._client.fetch(found, [f"BODY.PEEK[HEADER.FIELDS ({' '.join(names).upper()})]"])
        return sorted(
            uid for uid, items in headers.items() if message_id in answers.ids_in(_body(items) or b"", *names)
        )

    def _relocate(self, printed: str, target: str) -> list[bytes]:
        """MOVE, or COPY where there is no MOVE; what COPYUID said."""
        self._lines("COPYUID")
        command = self._client.move if self._can("MOVE") else self._client.copy
        self._making(target, lambda: command(printed, target))
        return self._lines("COPYUID")

    def _making(self, target: str, command: Callable[[], Any]) -> Any:
        """The command; again if the server says that the folder must be made first (RFC 3501 § 7.1)."""
        try:
            return command()
        except IMAPClientError as error:
            if isinstance(error, IMAPClientAbortError) or "[TRYCREATE]" not in str(error).upper():
                raise
            self._known.discard(target)
            self.ensure(target)
            return command()

    def _expunge(self, uids: Sequence[int]) -> None:
        for _, printed in answers.uid_sets(uids):
            self._client.add_flags(printed, [_DELETED], silent=True)
            self._client.uid_expunge(printed)

    def _move_searched(self, folder: str, uidvalidity: int, uid: int, target: str) -> Moved:
        r"""One mail on a server without UIDPLUS: the proof is a copy that was not there before (by Message-ID).

        Never a plain EXPUNGE, which would take along what a colleague marked: without MOVE it stays, marked \Deleted.
        """
        self._enter(folder, uidvalidity)
        items = self._fetch([uid], ["BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"]).get(uid)
        if items is None:
            return Moved(uid, "gone")
        message_id = next(iter(answers.ids_in(_body(items) or b"", "Message-ID")), "")
        before = set(self.find(target, message_id))
        self._enter(folder, uidvalidity)
        with self._talk(f"move to {target!r}"):
            self._relocate(str(uid), target)
        new = sorted(set(self.find(target, message_id)) - before)
        if new and not self._can("MOVE"):
            self.flag(folder, uidvalidity, [uid], ["\\Deleted"])
        return Moved(uid, "moved", new[0] if len(new) == 1 else None) if new else Moved(uid, "unknown")

    def _listed(self, pattern: str = "*") -> list[tuple[set[bytes], str]]:
        """Folders with their marks in lower case."""
        return [({mark.lower() for mark in marks}, name) for marks, _, name in self._client.list_folders("", pattern)]

    def _exists(self, folder: str) -> bool:
        """LIST takes * and % in a name for patterns, so what it lists is compared by name."""
        gone = {b"\\noselect", b"\\nonexistent"}
        return folder.upper() == "INBOX" or any(
            name == folder and not marks & gone for marks, name in self._listed(folder)
        )

    def _idle_once(self, seconds: float, stop: threading.Event) -> bool:
        """One IDLE command; True if new mail was told."""
        self._client.idle()
        try:
            told = self._buffered()
            end = time.monotonic() + seconds
            while not told and (left := end - time.monotonic()) > 0 and not stop.is_set():
                begun = time.monotonic()
                wanted = min(left, IDLE_SLICE_SECONDS)
                lines = self._client.idle_check(timeout=wanted)
                told = _news(lines)
                if not lines and time.monotonic() - begun < wanted / 2:
                    break  # readable, yet no line: the server hung up, which DONE below finds out
        finally:
            _, rest = self._client.idle_done()
            self._lines("EXISTS")
        return told or _news(rest)

    def _buffered(self) -> bool:
        """Whether lines came in one packet with IDLE's "+": polling the socket would never show them."""
        sock = self._client.socket()
        sock.setblocking(False)
        try:
            return bool(self._client._imap.file.peek(1))  # noqa: SLF001 - the library polls the socket alone
        except OSError:
            return False
        finally:
            sock.settimeout(self._mailbox.imap.timeout_seconds if self._mailbox.imap else None)


def _listed(uid: int, items: dict[bytes, Any]) -> Fetched:
    received = items[b"INTERNALDATE"]
    if not isinstance(received, datetime):
        raise TypeError(f"INTERNALDATE of UID {uid} is no date")
    flags = tuple(flag.decode("ascii", "replace") for flag in items.get(b"FLAGS", ()))
    return Fetched(uid, received, int(items[b"RFC822.SIZE"]), flags, b"")


def _body(items: dict[bytes, Any]) -> bytes | None:
    """The text of a FETCH answer's BODY[…]; None for NIL and for what is no string."""
    bodies = (value for key, value in items.items() if key.startswith(b"BODY["))
    return next((value for value in bodies if isinstance(value, bytes)), None)


def _news(lines: Iterable[Any]) -> bool:
    return any(isinstance(line, tuple) and len(line) > 1 and line[1] == b"EXISTS" for line in lines)
