"""Mailboxes: where mail lies. `connect` opens one by the protocol that its settings name."""

from collections.abc import Callable

from mailrouter import settings
from mailrouter.shell.mailboxes import folder, imap
from mailrouter.shell.mailboxes.interface import MailboxConnection


def connect(mailbox: settings.Mailbox, token: Callable[[], str] | None = None) -> MailboxConnection:
    """An open mailbox; `token` gives the access token where OAuth 2 is set. Raises Temporary or Permanent."""
    if mailbox.directory is not None:
        return folder.connect(mailbox)
    return imap.connect(mailbox, token)
