"""The walk through a mail's containers, depth first, in reading order."""

import hashlib
from dataclasses import replace
from html import escape
from typing import Final

from mailrouter.core.containers.archives import open_zip, safe_name
from mailrouter.core.containers.ddoc import open_ddoc
from mailrouter.core.containers.kinds import (
    encryption_of,
    expected_kind,
    kind_of,
    looks_like_mail,
    media_type_of,
    name_for,
)
from mailrouter.core.containers.opened import Contents, Item, Limits, Opened, OpenedPart
from mailrouter.core.containers.outlook import open_tnef, read_msg
from mailrouter.core.containers.smime import open_pkcs7
from mailrouter.core.message import Attachment, Message, Part, Signer, parse
from mailrouter.core.outcomes import Defect, Hold

_PGP_INLINE: Final = "-----BEGIN PGP MESSAGE-----"
_SMIME_WRAPPERS: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_TNEF_TYPES: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})


def open_parts(message: Message, limits: Limits) -> Opened:
    """All that a mail carries, opened to the depth, count and size of `limits`; never raises."""
    walk = _Walk(limits, message)
    walk.mail(message, (), 0)
    return Opened(
        tuple(walk.parts),
        tuple(walk.messages),
        tuple(walk.defects),
        tuple(walk.holds),
        walk.outer,
        tuple(walk.enclosed_in),
    )


class _Walk:
    """The state of one walk: what was found, and how much of the limits is left."""

    def __init__(self, limits: Limits, outer: Message) -> None:
        self.limits = limits
        self.bytes_left = limits.bytes
        self.outer = outer
        self.parts: list[OpenedPart] = []
        self.messages: list[Message] = []
        self.enclosed_in: list[int] = []
        self.defects: list[Defect] = []
        self.holds: list[Hold] = []
        self.open_digests: list[str] = []  # of the containers that we are inside of: a cycle shows as a repetition
        self.inside = -1  # the index of the enclosed mail that we are in
        self.full = False

    def mail(self, message: Message, path: tuple[str, ...], depth: int) -> Message:
        """The parts of a mail; returns it with the body that a wrapper in it held."""
        if _PGP_INLINE in message.text[:100_000]:
            self._hold("PGP", " / ".join(path) or "the mail's text")
        for number, part in enumerate(message.parts, 1):
            item = Item(
                safe_name(part.name) or self._default_name(part, number), part.content, part.media_type, (), part.inline
            )
            message = self._wrapped(message, part) or message
            if depth == 0:
                self.outer = message
            self.item(item, path, depth)
        return message

    def _default_name(self, part: Part, number: int) -> str:
        if part.media_type in _SMIME_WRAPPERS:
            return "smime.p7m"
        if part.media_type in {"message/rfc822", "message/global"}:
            subject = parse(part.content[:65_536]).subject if len(self.parts) < self.limits.parts else ""
            return f"{subject[:120]}.eml" if subject else f"message-{number}.eml"
        return name_for(part.media_type, number)

    def _wrapped(self, message: Message, part: Part) -> Message | None:
        """A mail whose words lie in a signed S/MIME part or in winmail.dat, with them."""
        if part.media_type in _SMIME_WRAPPERS:
            held = open_pkcs7(part.content, part.name, self.bytes_left).items
            if held and not held[0].name and looks_like_mail_entity(held[0].content):
                return _with_body(message, parse(held[0].content))
        bare = not (message.text.strip() or message.html.strip())  # else winmail.dat has the same words again
        if bare and (part.media_type in _TNEF_TYPES or part.name.lower() == "winmail.dat"):
            _, text, html = open_tnef(part.content, part.name)
            return replace(message, text=text, html=html)
        return None

    def item(self, item: Item, path: tuple[str, ...], depth: int, *, in_folders: bool = False) -> None:
        """One file: listed, and opened if it is a container. `in_folders`: a "/" in its name parts folders."""
        if len(self.parts) >= self.limits.parts or len(item.content) > self.bytes_left:
            if not self.full:
                self.defects.append(
                    Defect("parts", f"{item.name}: beyond the limit of parts or bytes, the rest is left out")
                )
            self.full = True
            return
        self.bytes_left -= len(item.content)
        media_type = media_type_of(item.name, item.media_type)
        here = (*path, item.name)
        kind = kind_of(item.content, media_type, item.name)
        place = len(self.parts)
        self._list(item, here, media_type, in_folders=in_folders)
        if kind == "leaf":
            self._check_label(item, media_type)
            return
        digest = self.parts[place].attachment.sha256
        if kind == "encrypted":
            self._encrypted(place, encryption_of(item.content, media_type, item.name) or kind)
        elif depth >= self.limits.depth:
            self.defects.append(
                Defect("depth", f"{item.name}: containers nested deeper than {self.limits.depth}, not opened")
            )
        elif digest in self.open_digests:
            self.defects.append(Defect("cycle", f"{item.name} contains itself"))
        else:
            self.open_digests.append(digest)
            self._open(kind, item, here, place, depth + 1)
            self.open_digests.pop()

    def _open(self, kind: str, item: Item, here: tuple[str, ...], place: int, depth: int) -> None:
        room = self.limits.parts - len(self.parts)
        if kind == "mail":
            self._enclosed(item.content, here, depth)
            return
        if kind == "outlook":
            mail = read_msg(item.content, item.name)
            if isinstance(mail, Defect):
                self._broken(place, mail)
            else:
                self._enclosed(mail, here, depth)
            return
        contents: Contents | None
        if kind == "zip":
            contents = open_zip(item.content, room, self.bytes_left)
        elif kind == "tnef":
            contents = open_tnef(item.content, item.name)[0]
        elif kind == "ddoc":
            contents = open_ddoc(item.content, room, self.bytes_left)
        else:
            contents = open_pkcs7(item.content, item.name, self.bytes_left)
        if contents is not None:
            self._contents(contents, here, place, depth)

    def _contents(self, contents: Contents, here: tuple[str, ...], place: int, depth: int) -> None:
        if contents.encrypted:
            self._encrypted(place, contents.encrypted)
            return
        if contents.signers:
            self._mark(place, signers=contents.signers)
        self.defects.extend(contents.defects)
        if not contents.items and any(defect.code == "container" for defect in contents.defects):
            self._mark(place, state="unreadable")
        for item in contents.items:
            if item.name or not looks_like_mail_entity(item.content):
                self.item(replace(item, name=item.name or "content"), here, depth, in_folders=True)
                continue
            inner = parse(
                item.content
            )  # a signed MIME entity: its body was taken by _wrapped, its parts are the mail's
            self.mail(inner, here, depth)

    def _enclosed(self, raw: bytes, here: tuple[str, ...], depth: int) -> None:
        message = parse(raw)
        index = len(self.messages)
        self.messages.append(message)
        self.enclosed_in.append(self.inside)
        before, self.inside = self.inside, index
        self.messages[index] = self.mail(message, here, depth)
        self.inside = before

    def _list(self, item: Item, here: tuple[str, ...], media_type: str, *, in_folders: bool) -> None:
        attachment = Attachment(
            name=item.name.rpartition("/")[2] if in_folders and not item.name.endswith("/") else item.name,
            media_type=media_type,
            size=len(item.content),
            path=here,
            inline=item.inline,
            signers=item.signers,
            sha256=hashlib.sha256(item.content).hexdigest(),
        )
        self.parts.append(OpenedPart(attachment, item.content))

    def _mark(self, place: int, *, signers: tuple[Signer, ...] | None = None, state: str | None = None) -> None:
        part = self.parts[place]
        attachment = replace(
            part.attachment,
            signers=part.attachment.signers if signers is None else signers,
            state=state or part.attachment.state,
        )
        self.parts[place] = OpenedPart(attachment, part.content)

    def _check_label(self, item: Item, media_type: str) -> None:
        expected = expected_kind(media_type, item.name)
        if expected:
            self.defects.append(Defect("container", f"{item.name} says that it is {expected}, but it is not"))
            self._mark(len(self.parts) - 1, state="unreadable")

    def _broken(self, place: int, defect: Defect) -> None:
        self.defects.append(defect)
        self._mark(place, state="unreadable")

    def _encrypted(self, place: int, method: str) -> None:
        self._mark(place, state="encrypted")
        self._hold(method, self.parts[place].attachment.name)

    def _hold(self, method: str, name: str) -> None:
        self.defects.append(Defect("encrypted", f"{name}: {method}"))
        reason = f"{name} is encrypted ({method}): a person who has the key or password must open it"
        self.holds.append(Hold("encrypted", reason, (name,)))


def looks_like_mail_entity(content: bytes) -> bool:
    """Whether signed content is a MIME entity (RFC 8551 § 3.1) and not a file."""
    return content[:200].lstrip().lower().startswith(b"content-") or looks_like_mail(content[:4096])


def _with_body(message: Message, inner: Message) -> Message:
    """A mail with the body of its signed part before what a gateway may have put beside it (footers, disclaimers)."""
    rich = inner.html.strip() or message.html.strip()
    texts = [each.text for each in (inner, message) if each.text.strip()]
    htmls = [each.html or f"<pre>{escape(each.text)}</pre>" for each in (inner, message) if each.html or each.text]
    return replace(message, text="\n".join(texts), html="\n".join(htmls) if rich else "")
