"""A letter that comes again is known for the same one; what answers or follows finds its matter."""

from dataclasses import replace

import pytest

from mailrouter.core.case import MailboxRef, compare, outgoing_keys, registered_keys, resolve, thread_lookup_keys
from mailrouter.core.chain.hops import Hop
from mailrouter.core.letter.letters import Letter, Party
from mailrouter.core.message import Address, Attachment
from mailrouter.core.people import Directory, Institution
from mailrouter.core.reading import Mail, Reading
from mailrouter.core.register import Correspondent, Entry, KnownEntry, Relation
from mailrouter.core.trust import Trust

DOMAINS = ("ministry.example",)
COMMISSION = Address("HOME GLOBAL ALLIANCE", "HOME-GLOBAL-ALLIANCE@ec.europa.eu")
KATARINA = Address("Katarina Budrik", "katarina.budrik@ministry.example")
BIRGIT = Address("Birgit Paal", "birgit.paal@ministry.example")
STRANGER = Address("Mari Maasikas", "mari@maasikas.example")
DIRECTORY = Directory(
    institutions=(
        Institution("European Commission, DG Migration and Home Affairs", ("home-global-alliance@ec.europa.eu",)),
    )
)
WORDS = "On behalf of the Commissioner please find enclosed a follow-up letter on the Global Alliance. " * 3
PATH = ("letter.pdf",)
PDF = Attachment("letter.pdf", "application/pdf", 9, PATH, False, sha256="a" * 64)
LETTER = Letter(PATH, Party("Ylva Johansson"), Party("Lauri Läänemets"), dated="2024-02-28", text="Dear Minister,")
TRUSTED = (("Authentication-Results", "mx.ministry.example; dmarc=pass header.from=ministry.example"),)
MESSAGE_ID = "<commission-1@ec.europa.eu>"


def hop(
    author=COMMISSION, *, subject="Follow-up", sent="2024-02-29T11:57:00", message_id=None, text=WORDS, kind="forward"
) -> Hop:
    return Hop(author, (), (), subject, sent, "", message_id, text, kind, "inline", 0.9)


def mail(
    author=KATARINA,
    *,
    subject="FW: Follow-up",
    message_id="<fw-1@ministry.example>",
    text="Palun registreerida",
    **more,
) -> Mail:
    fields = {"date": "2024-02-29T13:05:00+02:00", "headers": TRUSTED, **more}
    return Mail(message_id=message_id, author=author, to=(), cc=(), subject=subject, text=text, **fields)


def reading(message=None, chain=(), letters=(), sha256="1" * 64) -> Reading:
    return Reading("1", sha256, 100, message or mail(), bool(chain), tuple(chain), tuple(letters))


FORWARDED = reading(mail(attachments=(PDF,)), [hop(message_id=MESSAGE_ID)], [LETTER])


def case_of(read, known=(), received="2024-02-29T13:06:00+02:00", directory=DIRECTORY):
    """Resolved as the service does."""
    return resolve(
        read,
        mailbox=MailboxRef("registry", "info@ministry.example"),
        received=received,
        directory=directory,
        domains=DOMAINS,
        trust=Trust(("mx.ministry.example",)),
        known=known,
    )


def registered(read, number="5-4/22-1", at="2024-02-29T13:06:00+02:00", **more) -> tuple[Entry, tuple[str, ...]]:
    """The mail registered under a number, with the keys that the register keeps."""
    case = case_of(read)
    author = case.incoming.author if case.incoming else None
    sender = Correspondent(case.incoming.institution, author.name, author.address) if author else None
    counter = int(number.split("/")[-1].split("-")[0])
    entry = Entry(
        "incoming", "Follow-up", "5", "5-4", number, counter, 1, at, "5-4/2024", sender=sender, message=read.sha256
    )
    entry = replace(entry, stem=f"5-4@{at[:4]}#{counter}", **more)
    return entry, registered_keys(case, entry)


def answer_of(entry, number="5-4/22-2") -> tuple[Entry, tuple[str, ...]]:
    """Our answer, sent and registered."""
    answer = Entry(
        "outgoing", "Follow-up", "5", "5-4", number, 22, 2, "2024-03-04T10:00:00+02:00", "5-4/2024",
        recipients=(entry.sender,), relations=(Relation("initial", entry.number),), stem=entry.stem,
    )  # fmt: skip
    return answer, outgoing_keys(answer, ["<answer-1@ministry.example>"])


def thread_of(read, *register, **more):
    """The thread of a mail when these entries are in the register: looked up by its own keys."""
    wanted = set(thread_lookup_keys(read, DOMAINS))
    known = [
        KnownEntry(entry, tuple(sorted(wanted & set(keys))), tuple(keys))
        for entry, keys in register
        if wanted & set(keys)
    ]
    return case_of(read, known, **more).thread


def test_nothing_known_is_new():
    """A first letter is new."""
    assert thread_of(FORWARDED).relation == "new"
    assert (
        thread_of(
            FORWARDED,
            registered(reading(mail(STRANGER, subject="Relvaluba", message_id="<x@y.example>"), sha256="2" * 64)),
        ).relation
        == "new"
    )


def test_two_officials_forward_one_letter():
    """The Commission wrote to three officials; the second forward is the first letter, whatever its own words."""
    first = registered(FORWARDED)
    second = reading(
        mail(BIRGIT, message_id="<fw-2@ministry.example>", text="Palun suunata ka osakonda", attachments=(PDF,)),
        [hop(message_id=MESSAGE_ID)],
        [LETTER],
        "2" * 64,
    )
    thread = thread_of(second, first)
    assert (thread.relation, thread.entry.number, thread.entry.by) == ("duplicate", "5-4/22-1", "identity")


@pytest.mark.parametrize(
    "again",
    [
        reading(mail(BIRGIT, message_id="<b@x.example>"), [hop()], sha256="2" * 64),  # no attachment, no Message-ID
        reading(mail(BIRGIT, message_id=None, attachments=(PDF,)), [hop(sent=None)], [LETTER], "2" * 64),  # letter alone
        reading(mail(COMMISSION, subject="Follow-up", message_id=MESSAGE_ID, text=WORDS, headers=()), sha256="3" * 64),
        reading(  # straight to us, in the Commission's own time
            mail(COMMISSION, subject="Follow-up", message_id=None, text="Dear all", date="2024-02-29T10:57:31+01:00", headers=()),
            sha256="3" * 64,
        ),
        reading(mail(BIRGIT, message_id=None), [hop(sent="2024-02-29T10:57:00")], sha256="4" * 64),  # printed in Brussels time
        reading(mail(BIRGIT), [hop(sent=None, message_id=MESSAGE_ID)], sha256="4" * 64),
        FORWARDED,
    ],
)  # fmt: skip
def test_same_letter_by_another_way(again):
    """The same letter is known without its attachment, without its Message-ID, and when it comes straight to us."""
    assert thread_of(again, registered(FORWARDED)).relation == "duplicate"


def test_same_reference_and_date_is_the_same_letter():
    """A letter with its own number, sent once as a scan and once in words, is one letter."""
    numbered = replace(LETTER, path=(), reference="14-4/773")
    first = registered(
        reading(mail(STRANGER, subject="Nomination", message_id="<1@p.example>", headers=()), letters=[numbered])
    )
    again = reading(
        mail(STRANGER, subject="Nomination, again", message_id="<2@p.example>", headers=(), attachments=(PDF,)),
        letters=[replace(LETTER, reference="14-4 / 773")],
        sha256="2" * 64,
    )
    assert thread_of(again, first).relation == "duplicate"


def test_same_reference_with_different_documents_is_held():
    """Two different documents under one reference and date: a person must look."""
    other = replace(PDF, sha256="b" * 64)
    numbered = replace(LETTER, reference="Ares(2024)1234567")
    first = registered(reading(mail(attachments=(PDF,)), [hop(message_id=MESSAGE_ID)], [numbered]))
    again = reading(
        mail(BIRGIT, message_id="<b@x.example>", attachments=(other,)),
        [hop(message_id="<2@ec.europa.eu>", sent="2024-03-01T09:00:00")],
        [numbered],
        "2" * 64,
    )
    thread = thread_of(again, first)
    assert thread.relation == "new"
    assert "5-4/22-1" in thread.conflict
    wanted = set(thread_lookup_keys(again))
    holds = case_of(again, [KnownEntry(first[0], tuple(wanted & set(first[1])), first[1])]).holds
    assert [hold.code for hold in holds] == ["conflict"]


def test_units_reference_identifies_nothing():
    """HOME.C.2/AB stands on every letter of that unit."""
    unit = replace(LETTER, reference="HOME.C.2/AB")
    first = registered(reading(mail(attachments=(PDF,)), [hop(message_id=MESSAGE_ID)], [unit]))
    again = reading(
        mail(
            attachments=(replace(PDF, sha256="b" * 64),),
            message_id="<9@ministry.example>",
            subject="FW: Another matter",
        ),
        [hop(message_id="<2@ec.europa.eu>", subject="Another matter", sent="2024-02-29T15:00:00", text="Dear all")],
        [unit],
        "2" * 64,
    )
    assert thread_of(again, first).relation == "new"


@pytest.mark.parametrize(
    "picture",
    [
        Attachment("image001.png", "image/png", 900, ("image001.png",), True, sha256="c" * 64),
        Attachment("logo.jpg", "image/jpeg", 900, ("logo.jpg",), False, sha256="c" * 64),
        Attachment("invite.ics", "text/calendar", 900, ("invite.ics",), False, sha256="c" * 64),
        Attachment("annex.pdf", "application/pdf", 900, ("annex.pdf",), False, sha256="c" * 64),
    ],
)
def test_pictures_and_annexes_prove_nothing(picture):
    """A logo, an invitation or an annex that two mails share does not make them one letter."""
    first = registered(
        reading(mail(STRANGER, subject="One", message_id="<1@m.example>", attachments=(picture,), headers=()))
    )
    again = reading(
        mail(COMMISSION, subject="Two", message_id="<2@m.example>", attachments=(picture,), headers=(), date=None),
        sha256="2" * 64,
    )
    assert thread_of(again, first).relation == "new"


def test_reused_message_id_is_no_proof():
    """A sender that puts one Message-ID on every mail gets each looked at by a person."""
    first = registered(reading(mail(STRANGER, subject="One", message_id="<same@x.example>", text=WORDS, headers=())))
    again = reading(
        mail(
            STRANGER,
            subject="Two",
            message_id="<same@x.example>",
            text="Something else entirely. " * 20,
            date="2024-03-05T10:00:00+02:00",
            headers=(),
        ),
        sha256="2" * 64,
    )
    assert thread_of(again, first).conflict


def test_reminder_with_the_old_letter_enclosed_is_no_duplicate():
    """A new letter that encloses the old one follows it up."""
    first = registered(FORWARDED)
    new = replace(PDF, name="reminder.pdf", path=("reminder.pdf",), sha256="b" * 64)
    reminder = reading(
        mail(
            COMMISSION,
            subject="Reminder",
            message_id="<r@ec.europa.eu>",
            attachments=(new, PDF),
            headers=(),
            text="Dear all",
        ),
        letters=[replace(LETTER, path=new.path, dated="2024-03-20"), LETTER],
        sha256="2" * 64,
    )
    thread = thread_of(reminder, first)
    assert (thread.relation, thread.entry.number) == ("follow-up", "5-4/22-1")


def test_covering_words_do_not_make_one_letter_of_two():
    """The same covering text with another letter enclosed is another letter."""
    first = registered(FORWARDED)
    other = reading(
        mail(attachments=(replace(PDF, sha256="b" * 64),), message_id="<9@ministry.example>"),
        [hop(message_id="<2@ec.europa.eu>", subject="Second letter", sent="2024-04-02T09:12:00")],
        [replace(LETTER, dated="2024-04-02")],
        "2" * 64,
    )
    assert thread_of(other, first).relation == "new"


def test_citizen_writes_the_same_again():
    """A request sent twice in the same words is registered once."""
    words = "Palun saatke mulle aruanded. " * 12
    first = registered(reading(mail(STRANGER, subject="Teabenõue", message_id="<1@m.example>", text=words, headers=())))
    again = mail(
        STRANGER,
        subject="Teabenõue!",
        message_id="<2@m.example>",
        text=words.replace(". ", ".\n"),
        date="2024-03-02T09:00:00+02:00",
        headers=(),
    )
    assert thread_of(reading(again, sha256="2" * 64), first).relation == "duplicate"
    other_author = replace(again, author=Address("Jüri Mets", "juri@mets.example"))
    assert thread_of(reading(other_author, sha256="2" * 64), first).relation == "new"


@pytest.mark.parametrize(
    ("message", "letters", "by"),
    [
        (mail(COMMISSION, subject="RE: our letter", text="Dear colleague, thank you", in_reply_to=("<answer-1@ministry.example>",), headers=()), (), "references"),
        (mail(COMMISSION, subject="RE: our letter", references=("<old@x.example>", "<answer-1@ministry.example>"), headers=()), (), "references"),
        (mail(COMMISSION, subject="Vs: 5-4/22-2 Nomination", headers=()), (), "our number"),
        (mail(COMMISSION, subject="Question", headers=()), (replace(LETTER, path=(), their_reference="04.03.2024 nr 5-4/22-2"),), "our number"),
        (mail(STRANGER, subject="Question", text="Teie: 04.03.2024 nr 5-4/22-2\nMeie: 9-1/2-3", headers=()), (), "our number"),
        (mail(COMMISSION, subject="Question", text="we thank you for letter 5-4/22-2 of 4 March", headers=()), (), "our number"),
    ],
)  # fmt: skip
def test_answer_to_our_letter_is_a_reply(message, letters, by):
    """Whoever answers our answer joins its stem as a reply, however the link is told."""
    first = registered(FORWARDED)
    thread = thread_of(reading(replace(message, message_id="<n@ec.europa.eu>", date="2024-03-06T09:00:00+01:00"), letters=letters, sha256="2" * 64),
                       first, answer_of(first[0]), received="2024-03-06T10:01:00+02:00")  # fmt: skip
    assert (thread.relation, thread.entry.number, thread.entry.by) == ("reply", "5-4/22-2", by)


def test_stem_alone_finds_the_initial_letter():
    """People write 5-4/22 for the whole matter."""
    thread = thread_of(
        reading(
            mail(COMMISSION, subject="your ref 5-4/22", message_id="<n@x.example>", headers=(), text="Dear all"),
            sha256="2" * 64,
        ),
        registered(FORWARDED),
    )
    assert (thread.relation, thread.entry.number) == ("follow-up", "5-4/22-1")


def test_sender_names_their_own_earlier_letter():
    """A reminder that names the reference of the registered letter follows it up; another sender's does not."""
    numbered = replace(LETTER, reference="Ares(2024)1234567")
    first = registered(reading(mail(attachments=(PDF,)), [hop(message_id=MESSAGE_ID)], [numbered]))
    reminder = mail(
        COMMISSION,
        subject="Reminder",
        message_id="<r@ec.europa.eu>",
        text="our letter Ares(2024) 1234567 of 28 February",
        headers=(),
    )
    thread = thread_of(reading(reminder, sha256="2" * 64), first)
    assert (thread.relation, thread.entry.by) == ("follow-up", "their reference")
    stranger = replace(reminder, author=STRANGER)
    assert thread_of(reading(stranger, sha256="2" * 64), first).relation == "new"


def test_senders_own_number_is_not_ours():
    """A ministry that numbers its letter 5-4/22-1 as we do has not answered our 5-4/22-1."""
    letter = replace(LETTER, path=(), reference="5-4/22-1", text="Meie: 05.03.2024 nr 5-4/22-1\nLugupeetud minister")
    other = reading(
        mail(STRANGER, subject="Kiri", message_id="<k@m.example>", text="Meie: 05.03.2024 nr 5-4/22-1", headers=()),
        letters=[letter],
        sha256="2" * 64,
    )
    assert thread_of(other, registered(FORWARDED)).relation == "new"


def test_number_in_passing_from_a_stranger_is_only_related():
    """Somebody else who mentions our number in the text does not join that matter."""
    other = reading(
        mail(
            STRANGER,
            subject="Küsimus",
            message_id="<k@m.example>",
            text="ajalehes oli juttu kirjast 5-4/22-1",
            headers=(),
        ),
        sha256="2" * 64,
    )
    thread = thread_of(other, registered(FORWARDED))
    assert (thread.relation, thread.entry, thread.related) == ("new", None, ("5-4/22-1",))


def test_colleague_says_where_it_belongs():
    """A verified colleague's "5-4/22-1 juurde" joins; an unverified one's does not."""
    message = mail(
        text="Palun registreerida 5-4/22-1 juurde", subject="FW: Question", message_id="<q@ministry.example>"
    )
    hops = [hop(STRANGER, subject="Question", sent="2024-03-05T09:00:00", text="Dear all")]
    assert thread_of(reading(message, hops, sha256="2" * 64), registered(FORWARDED)).entry.number == "5-4/22-1"
    unverified = replace(message, headers=())
    assert thread_of(reading(unverified, hops, sha256="2" * 64), registered(FORWARDED)).relation == "new"


@pytest.mark.parametrize(
    ("author", "sent"),
    [
        (Address("HOME COUNTERSMUGGLING CONF", None), "2023-11-07T20:49:00"),  # as Brussels printed it
        (Address("", None), "2023-11-07T21:49:00"),  # as Tallinn printed it
    ],
)
def test_earlier_invitation_in_the_history_is_found(author, sent):
    """The invitation of November was registered when it came: the letter of February follows it up."""
    invitation = reading(
        mail(
            Address("HOME COUNTERSMUGGLING CONF", "home-countersmuggling-conf@ec.europa.eu"),
            subject="Invitation to International Conference",
            message_id="<inv@ec.europa.eu>",
            date="2023-11-07T20:49:12+01:00",
            text="Dear Ms. Paal",
            headers=(),
        ),
        sha256="5" * 64,
    )
    history = hop(author, subject="Invitation to International Conference", sent=sent, text="Dear Ms. Paal")
    read = reading(FORWARDED.message, [*FORWARDED.chain, history], FORWARDED.letters)
    known = registered(invitation, "5-4/101-1", "2023-11-08T09:00:00+02:00")
    thread = thread_of(read, known)
    assert (thread.relation, thread.entry.number, thread.entry.by) == ("follow-up", "5-4/101-1", "history")
    assert thread_of(FORWARDED, known).relation == "new"


def test_nearer_link_beats_the_history():
    """A number given outright decides; what the history names is only related."""
    history = hop(STRANGER, subject="Old matter", sent="2023-05-05T10:00:00", text="x")
    old = registered(
        reading(
            mail(
                STRANGER, subject="Old matter", message_id="<o@m.example>", date="2023-05-05T10:00:00+03:00", headers=()
            ),
            sha256="7" * 64,
        ),
        "5-4/9-1",
        "2023-05-05T11:00:00+03:00",
    )
    message = mail(COMMISSION, subject="RE: 5-4/22-1", message_id="<n@ec.europa.eu>", headers=(), text="Dear all")
    thread = thread_of(
        reading(message, [history], sha256="2" * 64), registered(FORWARDED), old, received="2024-03-06T10:00:00+02:00"
    )
    assert (thread.entry.number, thread.related) == ("5-4/22-1", ("5-4/9-1",))


def test_one_number_in_two_years():
    """Counters begin again each year: the newest entry before the mail is meant."""
    old = registered(FORWARDED, at="2023-02-28T10:00:00+02:00")
    new = registered(
        reading(mail(STRANGER, subject="One", message_id="<1@m.example>", headers=()), sha256="8" * 64),
        at="2024-02-01T10:00:00+02:00",
    )
    late = registered(
        reading(mail(STRANGER, subject="Two", message_id="<2@m.example>", headers=()), sha256="9" * 64),
        at="2025-02-01T10:00:00+02:00",
    )
    asking = reading(
        mail(STRANGER, subject="Teie nr 5-4/22-1", message_id="<q@m.example>", headers=(), text="Tere"), sha256="2" * 64
    )
    thread = thread_of(asking, old, new, late, received="2024-06-01T10:00:00+03:00")
    assert thread.entry.registered == "2024-02-01T10:00:00+02:00"


def test_petition_of_many_is_many_letters():
    """Citizens who enclose the same petition or copy the same words wrote a letter each; the first is only related."""
    words = "Nõuame, et ministeerium vastaks. " * 12
    first = reading(
        mail(STRANGER, subject="Petitsioon", message_id="<1@m.example>", text=words, headers=(), attachments=(PDF,)),
        letters=[LETTER],
    )
    for address in ("juri@mets.example", "juri@maasikas.example"):
        author = Address("Jüri Mets", address)
        other = mail(
            author, subject="Petitsioon", message_id="<2@m.example>", text=words, headers=(), attachments=(PDF,)
        )
        assert thread_of(reading(other, letters=[LETTER], sha256="2" * 64), registered(first)).relation != "duplicate"
        assert (
            thread_of(
                reading(replace(other, attachments=()), sha256="2" * 64),
                registered(reading(replace(first.message, attachments=()))),
            ).relation
            != "duplicate"
        )


def test_two_mails_in_one_minute_are_looked_at():
    """A system that sends two notices under one subject in one minute: neither is lost as the other's copy."""
    one = mail(STRANGER, subject="Teade", message_id="<1@m.example>", text="Esimene teade. " * 20, headers=())
    two = mail(STRANGER, subject="Teade", message_id="<2@m.example>", text="Hoopis teine asi. " * 20, headers=())
    assert thread_of(reading(two, sha256="2" * 64), registered(reading(one))).conflict


def test_letter_that_a_colleague_sends_alone_is_the_commissions():
    """A colleague sends the bare PDF after another has forwarded the mail it came with, or before."""
    bare = reading(
        mail(BIRGIT, subject="kiri ministrile", message_id="<b@ministry.example>", attachments=(PDF,)),
        (),
        [LETTER],
        "2" * 64,
    )
    assert thread_of(bare, registered(FORWARDED)).relation == "duplicate"
    colleague = Correspondent(None, "Birgit Paal", "birgit.paal@ministry.example")
    assert thread_of(FORWARDED, registered(bare, sender=colleague)).relation == "duplicate"


def test_comparison_without_common_keys():
    """Letters that share nothing are others."""
    assert compare(["mid:<1@x>", "doc:1"], ["mid:<2@x>", "doc:2"]) == "other"
    assert compare(["doc:1", "ref:1|2024-01-01"], ["doc:1", "ref:2|2024-01-01"]) == "other"
    assert compare(["ref:1|2024-01-01"], ["ref:1|2024-01-01"], party="other") == "other"
