"""Logging in to IMAP: the secret, the command that suits it, and what to tell when it is refused.

Invariant: no secret is in any message.
"""

import imaplib
from collections.abc import Callable
from typing import Any, Final

from mailrouter import settings
from mailrouter.shell.errors import Permanent, Temporary

# RFC 5530 § 3, and Exchange's words for a mailbox that is just being moved: refused now, not for good.
_LATER: Final = ("[UNAVAILABLE]", "[LIMIT]", "[INUSE]", "[SERVERBUG]", "authenticated but not connected")
_BROKEN: Final = (OSError, EOFError, imaplib.IMAP4.error, ValueError, TypeError, LookupError)


def secret(mailbox: settings.Mailbox, imap: settings.Imap, token: Callable[[], str] | None) -> str:
    """The password, or the access token where OAuth 2 is set; Permanent with the remedy if there is none."""
    if imap.oauth:
        if token is None:
            raise Permanent(f"mailbox {mailbox.name!r}: imap.oauth is set, but nothing here fetches tokens")
        return token()
    password = imap.password()
    if not password:
        raise Permanent(f"mailbox {mailbox.name!r} has no password: {_places(imap)}")
    return password


def _places(imap: settings.Imap) -> str:
    """The remedy for a missing or refused password: where it is read from."""
    if imap.oauth:
        return "look at imap.oauth (client_id, client secret, scope) and at the account's rights"
    if imap.password_env:
        return f"set the environment variable {imap.password_env} (imap.password_env)"
    if imap.password_file:
        return f"write it on the first line of {imap.password_file} (imap.password_file)"
    return "name its place with imap.password_env or imap.password_file"


def log_in(client: Any, imap: settings.Imap, secret: str, where: str) -> None:
    """Log in to a connected client. Permanent: refused; Temporary: refused for now, or broken off."""
    try:
        if imap.oauth:
            client.sasl_login("XOAUTH2", _xoauth2(imap.user, secret))
        elif client.has_capability("LOGINDISABLED"):
            raise Permanent(f"{where} refuses passwords without TLS: set imap.tls or imap.starttls")
        elif (imap.user + secret).isascii():
            client.login(imap.user, secret)
        else:  # RFC 4616 § 2: PLAIN is UTF-8, LOGIN has no charset
            client.sasl_login("PLAIN", lambda _: f"\0{imap.user}\0{secret}".encode())
    except imaplib.IMAP4.error as error:
        said = short(error).replace(secret, "***")
        cut_off = isinstance(error.__context__, imaplib.IMAP4.abort | OSError)
        if cut_off or any(code.casefold() in said.casefold() for code in _LATER):
            raise Temporary(f"{where}: login not possible now: {said}") from None
        raise Permanent(f"{where}: login of {imap.user!r} refused ({said}): {_places(imap)}, or imap.user") from None
    except _BROKEN as error:
        raise Temporary(f"{where}: login broken off: {short(error).replace(secret, '***')}") from None


def _xoauth2(user: str, token: str) -> Callable[[bytes], bytes]:
    """The client's side of XOAUTH2: the token once, then an empty answer to the server's account of the failure."""
    answers_left = [f"user={user}\x01auth=Bearer {token}\x01\x01".encode()]
    return lambda _: answers_left.pop() if answers_left else b""


def short(error: BaseException) -> str:
    """An error's own words on one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__
