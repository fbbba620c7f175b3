"""Reading × directory × register → Case: names become people, printed orders an instruction, keys a thread.

Invariant: nothing here is stored; explain and retry resolve afresh, and the same inputs give the same Case.
"""

from collections.abc import Sequence
from dataclasses import replace

from mailrouter.core import instruction as instructions
from mailrouter.core import people
from mailrouter.core.case.cases import Case, Loops, MailboxRef, Sender, Thread
from mailrouter.core.case.keys import ZONE
from mailrouter.core.case.parties import correspondence, incoming_index, institution_name, internal
from mailrouter.core.case.threads import decide_thread
from mailrouter.core.instruction import Instruction
from mailrouter.core.letter.letters import Letter, Party
from mailrouter.core.mail import Mail, Reading
from mailrouter.core.message import Address
from mailrouter.core.nature import Nature, loop_hops, received_count
from mailrouter.core.outcomes import Hold
from mailrouter.core.people import Directory, Found, Person
from mailrouter.core.register import KnownEntry
from mailrouter.core.trust import Trust, Verdict, verify


def resolve(
    reading: Reading,
    *,
    mailbox: MailboxRef,
    received: str,
    directory: Directory,
    domains: Sequence[str],
    trust: Trust,
    known: Sequence[KnownEntry] = (),
    loops: Loops | None = None,
    zone: str = ZONE,
) -> Case:
    """All that rules and templates may know of one mail.

    `received` is ISO with offset; `domains` are our own; `known` are the register's answers to `thread_lookup_keys`,
    without the entry that this very mail made if it is decided anew; `loops` None: loops are not looked for.
    """
    mail = reading.message
    sender, verdict = _sender(mail, directory, domains, trust)
    index = incoming_index(reading, domains, directory)
    incoming = None if index is None else correspondence(reading, index, directory)
    instruction = _instruction(reading, sender, received, directory)
    subject = incoming or correspondence(reading, -1, directory)
    thread = decide_thread(
        reading,
        subject,
        known,
        verified=sender.internal and verdict.verified,
        received=received,
        domains=domains,
        zone=zone,
    )
    nature, loop = _loop(mail, loops)
    return Case(
        sha256=reading.sha256,
        received=received,
        mailbox=mailbox,
        message=replace(mail, verified=verdict.verified, nature=nature),
        chain=reading.chain,
        sender=sender,
        incoming=incoming,
        oldest=correspondence(reading, len(reading.chain) - 1, directory),
        forwarder=_forwarder(mail, directory) if sender.internal else None,
        letters=tuple(_resolved(letter, directory) for letter in reading.letters),
        attachments=mail.attachments,
        instruction=instruction,
        nature=nature,
        thread=thread,
        holds=(*reading.holds, *loop, *_holds(instruction, thread, nature)),
    )


def _sender(mail: Mail, directory: Directory, domains: Sequence[str], trust: Trust) -> tuple[Sender, Verdict]:
    author = mail.author
    verdict = verify(mail.headers, author, trust, domains)
    inside = internal(author, domains, directory)
    return (
        Sender(
            name=author.name if author else "",
            address=author.address if author else None,
            verified=verdict.verified,
            internal=inside,
            institution=None if inside else institution_name(author, directory),
            why=verdict.why,
        ),
        verdict,
    )


def _forwarder(mail: Mail, directory: Directory) -> Person | None:
    """The directory's entry of the colleague who wrote the fetched mail, or what the mail says of them."""
    author = mail.author
    if author is None:
        return None
    known = people.person_by_email(directory, author.address) if author.address else None
    if known is not None:
        return known
    by_name = people.find(directory, author.name) if author.name and not author.address else None
    if isinstance(by_name, Found) and by_name.kind == "person":
        return next((person for person in directory.people if person.name == by_name.name), None)
    return Person(name=author.name or author.address or "", email=author.address or "")


def _instruction(reading: Reading, sender: Sender, received: str, directory: Directory) -> Instruction | None:
    """The orders of the newest internal author: the fetched mail's, if a verified colleague wrote it, else nobody's.

    A colleague below an outside author stands in quoted words, which anyone can write.
    """
    orders = reading.orders
    if orders is None or not (sender.internal and sender.verified) or reading.message.nature != "person":
        return None
    author = reading.message.author or Address("", None)
    return instructions.resolve_orders(
        orders, author=author, sent=reading.message.date or received, directory=directory
    )


def _resolved(letter: Letter, directory: Directory) -> Letter:
    return replace(letter, author=_party(letter.author, directory), addressee=_party(letter.addressee, directory))


def _party(party: Party, directory: Directory) -> Party:
    """A printed party with the directory's person and post: by its name, else by its role."""
    person = _person(party.name, directory)
    role = people.find_role(directory, party.role) if party.role else None
    if role is None and party.name:
        role = people.find_role(directory, party.name)
    if role is None and person:
        role = next((each for each in directory.roles if each.holder == person), None)
    if role is not None and person is None and not party.name:
        person = role.holder
    return replace(party, person=person, post=role.name if role else None)


def _person(name: str | None, directory: Directory) -> str | None:
    found = people.find(directory, name) if name else None
    return found.name if isinstance(found, Found) and found.kind == "person" else None


def _loop(mail: Mail, loops: Loops | None) -> tuple[Nature, tuple[Hold, ...]]:
    """RFC 5321 § 6.3: too many passes through us, or too many servers, are a loop, whatever else the mail is."""
    if loops is None:
        return mail.nature, ()
    passes, servers = loop_hops(mail.headers, loops.key), received_count(mail.headers)
    if passes >= loops.hops:
        reason = (
            f"it went through mailrouter {passes} times (setting outbox.hops): a rule or another server sends it back"
        )
        return "loop", (Hold("loop", reason),)
    if servers > loops.received:
        reason = f"it went through {servers} servers (setting outbox.received): it is sent in a circle"
        return "loop", (Hold("loop", reason),)
    return mail.nature, ()


def _holds(instruction: Instruction | None, thread: Thread, nature: Nature) -> tuple[Hold, ...]:
    found: list[Hold] = []
    if instruction is not None and instruction.hold:
        found.append(Hold("unclear", instruction.unclear or "the colleague's order is unclear", instruction.evidence))
    if thread.conflict and nature == "person":
        found.append(Hold("conflict", thread.conflict))
    return tuple(found)
