"""Message → Chain: who wrote what before it reached us, to the bottom.

The text is cut into lines, header blocks and attribution lines are found by shape, and each line is given to the mail
whose words it is; enclosed mails follow, read the same way. Invariant: reading never raises and takes linear time, and
the order of hops is that of nesting, never of dates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mailrouter.core.chain import bare, flat, lines, mailboxes, walk
from mailrouter.core.chain.banners import take_banners
from mailrouter.core.chain.context import Context
from mailrouter.core.chain.hops import Chain, Hop
from mailrouter.core.chain.marks import find_marks
from mailrouter.core.chain.subjects import core
from mailrouter.core.html import to_text
from mailrouter.core.markers import Vocabulary, load
from mailrouter.core.message import Address, Message

_DEEPEST = 50  # enclosed mails inside each other
_LONGEST = 5_000_000  # characters of a body that are read


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A mail that another one encloses, with those that it encloses itself."""

    message: Message
    attached: tuple["Enclosed", ...] = ()


def unwind(
    message: Message, attached: Sequence[Message | Enclosed] = (), vocabulary: Vocabulary | None = None
) -> Chain:
    """The chain below a mail, newest first: what its text quotes, then the mails it encloses, each to its bottom.

    `attached` are the enclosed mails, parsed, in the order of the mail; one that encloses mails itself comes as
    `Enclosed`. `vocabulary` is that of all languages unless given. Never raises.
    """
    words = vocabulary or load()
    chain = _inline(message, words)
    for item in attached:
        enclosed = item if isinstance(item, Enclosed) else Enclosed(item)
        chain = replace(chain, hops=_joined(chain.hops, _enclosed(enclosed, words, 1)))
    return _identified(chain, message)


def unwind_text(text: str, subject: str = "", vocabulary: Vocabulary | None = None) -> Chain:
    """The chain in a bare text, such as a register page shows; `subject` is that of the mail around it, if known."""
    return _read(text, subject, vocabulary or load(), "inline")


def _inline(message: Message, words: Vocabulary) -> Chain:
    """The chain in the mail's own body; where it has two bodies, in the one that tells more."""
    plain = _read(message.text, message.subject, words, "inline") if message.text.strip() else None
    if plain is not None and ((plain.hops and min(hop.confidence for hop in plain.hops) > 0.7) or not message.html):
        return plain
    if not message.html:
        return Chain((), "")
    rich = _read(to_text(message.html), message.subject, words, "html")
    return rich if plain is None or len(rich.hops) > len(plain.hops) else plain


def _read(text: str, subject: str, words: Vocabulary, source: Literal["inline", "html"]) -> Chain:
    whole = bare.colons(lines.split(text[:_LONGEST]), words)
    context = Context(flat.cut(whole, words, subject), words, [subject] if subject.strip() else [])
    drafts = walk.walk(context)
    outer, banners = take_banners(drafts[0].text(), words)
    hops = tuple(_hop(draft, words, source) for draft in drafts[1:])
    return Chain(hops, outer, banners, find_marks(outer, words))


def _hop(draft: walk.Draft, words: Vocabulary, source: Literal["inline", "html"]) -> Hop:
    header = draft.header
    assert header is not None  # only the outermost draft has none
    text, _ = take_banners(draft.text(), words)
    return Hop(
        author=header.author,
        to=header.to,
        cc=header.cc,
        subject=header.subject,
        sent=header.sent,
        sent_raw=header.sent_raw,
        message_id=None,
        text=text,
        kind=draft.kind,
        source=source,
        confidence=header.confidence,
        marks=find_marks(text, words),
    )


def _enclosed(item: Enclosed, words: Vocabulary, depth: int) -> tuple[Hop, ...]:
    """An enclosed mail as a hop, and the hops below it."""
    message = item.message
    chain = _inline(message, words)
    raw = next((value for name, value in message.headers if name.lower() == "date"), "")
    first = Hop(
        author=message.addresses.sender,
        to=_recipients(message, "to", message.addresses.to),
        cc=_recipients(message, "cc", message.addresses.cc),
        subject=message.subject,
        sent=message.date,
        sent_raw=" ".join(raw.split()),
        message_id=message.message_id,
        text=chain.text,
        kind="forward",
        source="attachment",
        confidence=1.0,
        marks=chain.marks,
    )
    below = _identified(chain, message).hops
    if depth < _DEEPEST:
        for inner in item.attached:
            below = _joined(below, _enclosed(inner, words, depth + 1))
    return (first, *below)


def _recipients(message: Message, name: str, parsed: tuple[Address, ...]) -> tuple[Address, ...]:
    """The recipients of a mail's own header; read as printed where an encoded comma hid a mailbox in a name."""
    if not any(mailboxes.has_address(one.name) for one in parsed):
        return parsed
    return mailboxes.parse_list(", ".join(value for key, value in message.headers if key.lower() == name))


def _joined(hops: tuple[Hop, ...], more: tuple[Hop, ...]) -> tuple[Hop, ...]:
    """Quoted hops and those of an enclosed mail; a mail that is both quoted and enclosed stands once, as enclosed."""
    if not more:
        return hops
    for index, hop in enumerate(hops):
        if _same(hop, more[0]):
            return (*hops[:index], *more, *hops[index + len(more) :])
    return hops + more


def _same(quoted: Hop, enclosed: Hop) -> bool:
    if quoted.author is None or enclosed.author is None or quoted.source == "attachment":
        return False
    one, two = quoted.author, enclosed.author
    author = one.address == two.address if one.address and two.address else one.name == two.name
    moment = quoted.sent is not None and (quoted.sent[:16] == (enclosed.sent or "")[:16])
    return author and moment and core(quoted.subject) == core(enclosed.subject)


def _identified(chain: Chain, message: Message) -> Chain:
    """The chain with the Message-ID of its first hop: the last of References belongs to it (RFC 5322 § 3.6.4)."""
    if not chain.hops or not message.references or chain.hops[0].message_id:
        return chain
    first = replace(chain.hops[0], message_id=message.references[-1])
    return replace(chain, hops=(first, *chain.hops[1:]))
