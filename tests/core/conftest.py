"""Cases and rule sets for the tests of the core, made from the smallest parts."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from mailrouter import ruleset
from mailrouter.core.case import Case, Correspondence, MailboxRef, Sender, Thread, ThreadEntry
from mailrouter.core.instruction import Instruction
from mailrouter.core.letter.letters import Ask, Letter, Party
from mailrouter.core.message import Address, Attachment
from mailrouter.core.people import Person
from mailrouter.core.reading import Mail

GOOD = Path(__file__).parent.parent / "bad_rules" / "_good"


@pytest.fixture
def good_files():
    """The files of a small sound rule set, by their stable names."""
    return {str(path.relative_to(GOOD)): path.read_text("utf-8") for path in sorted(GOOD.rglob("*")) if path.is_file()}


@pytest.fixture
def build_rules(good_files):
    """A rule set with these rules instead of the sound one's, and more templates; problems end the test."""

    def build(rules, **templates):
        kept = {name: text for name, text in good_files.items() if not name.startswith("rules/")}
        more = {f"templates/{name.replace('__', '.')}": text for name, text in templates.items()}
        built, problems = ruleset.build({**kept, **more, "rules/10-test.yaml": rules})
        assert built is not None, [str(problem) for problem in problems if problem.severity == "error"]
        return built

    return build


@pytest.fixture
def now():
    return datetime.fromisoformat("2024-02-29T13:06:00+02:00")


@pytest.fixture
def case():
    """A Commission letter that a colleague passed on with her orders."""
    colleague = Address("Katarina Budrik", "katarina.budrik@ministry.example")
    commission = Address("HOME GLOBAL ALLIANCE", "HOME-GLOBAL-ALLIANCE@ec.europa.eu")
    letter = Letter(
        path=("letter.pdf",),
        author=Party("Ylva Johansson", "Member of the European Commission", "European Commission"),
        addressee=Party("Lauri Läänemets", "Minister of Interior, Estonia", None, "Lauri Läänemets", "minister"),
        dated="2024-02-28",
        language="en",
        asks=(Ask("nominate", "I invite you to nominate a person of contact."),),
        reply_to="HOME-GLOBAL-ALLIANCE@ec.europa.eu",
        text="Fighting migrant smuggling requires our joint resolute action.",
    )
    incoming = Correspondence(
        0,
        commission,
        (Address("", "birgit.paal@ministry.example"),),
        (),
        "Follow-up on Global Alliance",
        "2024-02-29T11:57:00",
        "<one@ec.europa.eu>",
        "Please find enclosed a letter.",
        "European Commission",
        claimed=True,
    )
    attachment = Attachment("letter.pdf", "application/pdf", 120_000, ("letter.pdf",), inline=False)
    mail = Mail(
        message_id="<fw@ministry.example>",
        author=colleague,
        to=(Address("", "info@ministry.example"),),
        cc=(),
        subject="FW: Follow-up on Global Alliance",
        date="2024-02-29T13:05:00+02:00",
        text="Palun registreerida ja suunata ministri nõunikele, küsitakse kontaktisikut.",
        language="et",
        references=("<old@ec.europa.eu>", "<one@ec.europa.eu>"),
        attachments=(attachment,),
    )
    return Case(
        sha256="a" * 64,
        received="2024-02-29T13:06:00+02:00",
        mailbox=MailboxRef("registry", "info@ministry.example"),
        message=mail,
        chain=(),
        sender=Sender("Katarina Budrik", colleague.address, True, True, None, "dmarc=pass"),
        incoming=incoming,
        oldest=incoming,
        forwarder=Person("Katarina Budrik", "katarina.budrik@ministry.example", "nõunik", "välissuhete osakond"),
        letters=(letter,),
        attachments=(attachment,),
        instruction=Instruction(
            True, "Katarina Budrik", ("ministri nõunikud",), None, None, None, False, None, ("Palun registreerida",)
        ),
        nature="person",
        thread=Thread(),
    )


@pytest.fixture
def outside(case):
    """A citizen's mail that came straight to the functional mailbox."""
    author = Address("Mart Murakas", "mart.murakas@post.example")
    mail = replace(
        case.message,
        author=author,
        subject="Teabenõue",
        text="Palun saata koopia.",
        return_path="mart.murakas@post.example",
        references=(),
        message_id="<req@post.example>",
    )
    incoming = Correspondence(
        -1, author, mail.to, (), mail.subject, mail.date, mail.message_id, mail.text, None, claimed=False
    )
    return replace(
        case,
        sha256="b" * 64,
        message=mail,
        sender=Sender(author.name, author.address, True, False, None, "dmarc=pass"),
        incoming=incoming,
        oldest=incoming,
        forwarder=None,
        letters=(),
        attachments=(),
        instruction=None,
    )


@pytest.fixture
def known_entry():
    return ThreadEntry("5-4/22-1", "5-4", "5-4/2024", "5", "Follow-up", "incoming", "Katarina Budrik", "identity")
