"""Hand-over to the document system Delta: by its IMAP folder, or by its SOAP service `addDocument`.

Neither answers with Delta's number; `register confirm OURS THEIRS` brings it. Invariant: never twice. Delta empties its
folder and cannot be asked, so that a document whose fate is unknown is found in the folder or left to a person.
"""

from typing import Literal

from pydantic import Field, model_validator

from mailrouter.settings import Credentials
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.mailboxes.interface import MailboxConnection
from mailrouter.shell.registers.deltasoap import DeltaSoap, Endpoint
from mailrouter.shell.registers.interface import Document, Handed, Mirror, OpenMailbox, Trace, Unproven

FOLDER = "Dokumendihaldus/Sissetulevad kirjad"


class SETTINGS(Credentials):
    """`registers.<name>` of kind delta."""

    way: Literal["imap", "soap"] = Field("imap", description="By Delta's IMAP folder, or by its service addDocument.")
    mailbox: str | None = Field(
        None, description="imap: the mailbox that has Delta's folder; default: the letter's own."
    )
    folder: str = Field(FOLDER, description="imap: the folder that Delta empties.")
    url: str | None = Field(None, description="soap: the address of the service.")
    user: str | None = Field(None, description="soap: user name, if the service asks for one.")
    application: str = Field("mailrouter", description="soap: what we call ourselves (senderApplication).")
    document_type: str = Field("incomingLetter", description="soap: Delta's type of an incoming letter.")
    numbered: bool = Field(False, description="soap: give our number and date along; only where we own the counter.")
    owners: dict[str, str] = Field({}, description="soap: the responsible's name → Delta's user id (ownerId).")
    timeout_seconds: float = Field(60, gt=0, description="soap: timeout of the request.")

    @model_validator(mode="after")
    def _address(self) -> "SETTINGS":
        if self.way == "soap" and not (self.url or "").startswith(("https://", "http://")):
            raise ValueError("way 'soap' needs 'url', beginning with https:// (or http:// inside the house)")
        return self


def connect(settings: SETTINGS, open_mailbox: OpenMailbox) -> Mirror:
    """Delta by the configured way."""
    if settings.way == "imap":
        return DeltaFolder(settings, open_mailbox)
    return DeltaSoap(
        Endpoint(
            url=settings.url or "",
            user=settings.user,
            password=settings.password() if settings.user else None,
            application=settings.application,
            document_type=settings.document_type,
            numbered=settings.numbered,
            owners=settings.owners,
            timeout_seconds=settings.timeout_seconds,
        )
    )


class DeltaFolder:
    """Delta by its IMAP folder: the mail itself is put there, as it came."""

    needed_seconds = 60.0

    def __init__(self, settings: SETTINGS, open_mailbox: OpenMailbox) -> None:
        self._settings = settings
        self._open_mailbox = open_mailbox

    def prepare(self, document: Document) -> None:
        """The folder must be there already: one that we made is one that Delta does not empty."""
        self._raw(document)
        self._connection(document).state(self._settings.folder)

    def trace(self, document: Document) -> Trace:
        """Still in the folder, or Delta may have taken it."""
        if document.message_id and self._connection(document).find(self._settings.folder, document.message_id):
            return "there"
        return "nobody knows"

    def hand_over(self, document: Document) -> Handed:
        """Append the mail. A lost connection proves nothing: the mail may be there, or taken already."""
        connection, raw = self._connection(document), self._raw(document)
        try:
            uid = connection.append(self._settings.folder, raw, received=document.received)
        except Temporary as error:
            raise Unproven(f"{self._settings.folder}: {error}") from error
        return Handed(None if uid is None else f"{self._settings.folder};UID={uid}")

    def _connection(self, document: Document) -> MailboxConnection:
        return self._open_mailbox(self._settings.mailbox or document.mailbox)

    def _raw(self, document: Document) -> bytes:
        if document.raw is None:
            raise Permanent(
                "the mail's content is not kept (erased, or over the size limit): put it into Delta by hand"
            )
        return document.raw
