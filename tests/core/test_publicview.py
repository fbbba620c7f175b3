"""The public sees the register, and of private persons nothing that names them."""

import json
from dataclasses import fields, replace

import pytest

from mailrouter.core.publicview import initials, is_private, public_entries, public_json, public_site, scrub
from mailrouter.core.register import Classification, Correspondent, Entry, Function, Relation, Responsible, Series

CLASSES = Classification((Function("5", "EL otsustusprotsess"),), (Series("5-4", "Kirjavahetus", "5"),))
COMMISSION = Correspondent(
    "European Commission, DG Migration and Home Affairs", "HOME GLOBAL ALLIANCE", "home-global-alliance@ec.europa.eu"
)
KATARINA = Responsible(
    "Katarina Budrik", "katarina.budrik@ministry.example", "Euroopa Liidu ja välissuhete osakond", "nõunik"
)
LETTER = Entry(
    "incoming", "Follow-up on Global Alliance", "5", "5-4", "5-4/22-1", 22, 1, "2024-02-29T13:06:00+02:00", "5-4/2024",
    sender=COMMISSION, responsible=KATARINA, sender_date="2024-02-28", arrival="e-post", message="a" * 64,
    relations=(Relation("reply", "5-4/22-2"),), note="käsitleda kiiresti", due="2024-03-29",
)  # fmt: skip
PLANTED = "Mari Maasikas, 48001085718, mari.maasikas@post.example, +372 5123 4567, Kase tn 5-3, 10115 Tallinn"
LEAKS = ("mari", "maasika", "48001085718", "@", "5123", "4567", "kase", "10115", "tallinn")


def everything(entry: Entry) -> str:
    """All that the public could get of an entry."""
    return (public_json([entry], CLASSES) + "".join(public_site([entry], CLASSES, "Siseministeerium").values())).lower()


def test_seed_letter_is_shown_as_its_page():
    """What the ministry's own page shows, officials named, institution and display name of the sender."""
    (shown,) = public_entries([LETTER], CLASSES)
    assert (shown["number"], shown["registered"], shown["kind"]) == ("5-4/22-1", "2024-02-29", "Sissetulev kiri")
    assert (shown["title"], shown["access"], shown["file"]) == ("Follow-up on Global Alliance", "Avalik", "5-4/2024")
    assert (shown["function"], shown["series"]) == ("5 EL otsustusprotsess", "5-4 Kirjavahetus")
    assert shown["sender"] == "European Commission, DG Migration and Home Affairs (HOME GLOBAL ALLIANCE)"
    assert shown["responsible"] == {"name": "Katarina Budrik", "unit": "Euroopa Liidu ja välissuhete osakond"}


def test_officials_addresses_and_notes_are_not_shown():
    """No address, note, digest or due date leaves the house."""
    text = everything(LETTER)
    assert "@" not in text
    assert "kiiresti" not in text
    assert "a" * 64 not in text


@pytest.mark.parametrize("name", [field.name for field in fields(Entry)])
@pytest.mark.parametrize("access", ["Avalik", "AK"])
def test_personal_data_in_any_field_is_not_shown(name, access):
    """A private person's data planted in one field after the other is never in the output."""
    person = Correspondent(None, "Mari Maasikas", "mari.maasikas@post.example")
    private = replace(
        LETTER,
        sender=person,
        access=access,
        access_basis="AvTS § 35 lg 1 p 12",
        private=True,
        responsible=KATARINA,
        title="Maasika küsimus",
    )
    planted = {
        "sender": Correspondent(None, PLANTED, PLANTED),
        "recipients": (person, Correspondent(None, PLANTED, PLANTED)),
        "relations": (Relation("related", PLANTED),),
        "responsible": replace(KATARINA, email=PLANTED, job=PLANTED),
        "counter": 48001085718,
        "suffix": 48001085718,
    }
    fixed = {"direction", "number", "registered", "access", "state", "private", "confirmed", "kind"}
    entry = private if name in fixed else replace(private, **{name: planted.get(name, PLANTED)})
    text = everything(entry)
    assert "sissetulev kiri" in text
    assert [leak for leak in LEAKS if leak in text] == []


@pytest.mark.parametrize(
    "entry",
    [
        replace(LETTER, sender=Correspondent(None, "Mari Maasikas", "mari@maasikas.example"), title="Mari Maasikase avaldus"),
        replace(LETTER, sender=Correspondent("FIE Mari Maasikas", "Mari Maasikas", None), title="Maasikas", private=False),
        replace(LETTER, direction="outgoing", sender=None, recipients=(Correspondent(None, "Maasikas, Mari", "m@m.example"),), title="Vastus Mari Maasikale"),
        replace(LETTER, sender=Correspondent(None, "mari.maasikas@post.example", "mari.maasikas@post.example")),
    ],
)  # fmt: skip
def test_unmarked_private_person_is_protected_too(entry):
    """Whoever is not known to be an institution is a private person, whether or not the entry says so."""
    text = everything(entry)
    assert "maasika" not in text
    assert "mari" not in text.replace("märgukiri", "")


def test_private_letter_has_kind_and_initials():
    """Initials as sender, the document's kind as title."""
    person = Correspondent(None, "Mari-Liis Maasikas", "m@m.example")
    (shown,) = public_entries([replace(LETTER, sender=person, kind="information-request")], CLASSES)
    assert (shown["title"], shown["sender"]) == ("Teabenõue", "M.-L. M.")


def test_institutions_title_is_scrubbed():
    """Addresses, phones and codes go out of an institution's title too; its figures stay."""
    titled = replace(
        LETTER, title="Ares(2024)1234567: küsimus 48001085718, tel 5123 4567, a.b@c.example, aruanne 2023/24"
    )
    (shown,) = public_entries([titled], CLASSES)
    assert shown["title"].startswith("Ares(2024)1234567: küsimus [andmed eemaldatud]")
    assert shown["title"].endswith("aruanne 2023/24")
    assert "5123" not in shown["title"]


@pytest.mark.parametrize(
    "entry",
    [
        replace(LETTER, access="Majasisene"),
        replace(LETTER, access="Piiratud"),
        replace(LETTER, number=None),
        replace(LETTER, registered=None),
        replace(LETTER, confirmed=False),
        replace(LETTER, kind="draft-answer"),
    ],
)
def test_what_is_not_public_is_not_there(entry):
    """Other access, proposals, drafts and unregistered documents are not in the list at all."""
    assert public_entries([entry], CLASSES) == []


def test_site_links_its_pages():
    """The list links each entry's page, relations link public entries only; everything is escaped."""
    answer = replace(
        LETTER,
        direction="outgoing",
        number="5-4/22-2",
        sender=None,
        recipients=(COMMISSION,),
        title="<b>Answer</b>",
        relations=(Relation("initial", "5-4/22-1"),),
    )
    pages = public_site([LETTER, answer], CLASSES, "Siseministeerium")
    assert set(pages) == {"index.html", "5-4_22-1_2024-02-29.html", "5-4_22-2_2024-02-29.html"}
    assert 'href="5-4_22-2_2024-02-29.html"' in pages["index.html"]
    assert 'vastusdokument: <a href="5-4_22-2_2024-02-29.html">5-4/22-2</a>' in pages["5-4_22-1_2024-02-29.html"]
    assert "<b>" not in "".join(pages.values())
    assert "29.02.2024" in pages["index.html"]
    alone = public_site([LETTER], CLASSES, "Siseministeerium")
    assert 'href="5-4_22-2' not in "".join(alone.values())


def test_one_number_twice_has_two_pages():
    """A series that gives the same number again loses no page."""
    assert len(public_site([LETTER, LETTER], CLASSES, "Siseministeerium")) == 3


def test_json_is_json():
    """The export is one array."""
    assert [entry["number"] for entry in json.loads(public_json([LETTER], CLASSES))] == ["5-4/22-1"]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Mari Maasikas", "M. M."),
        ("Maasikas, Mari", "M. M."),
        ("õnne pärn", "Õ. P."),
        ("", "eraisik"),
        ("mari@m.example", "eraisik"),
    ],
)
def test_initials(name, short):
    """Names are shortened in the order in which they are spoken."""
    assert initials(name) == short


@pytest.mark.parametrize(
    ("party", "private"),
    [
        (Correspondent(None, "Puhas Paber OÜ", None), False),
        (Correspondent(None, "AS Paber", None), False),
        (Correspondent(None, "Mari Maasikas", None), True),
        (Correspondent(None, "", "m@m.example"), True),
        (Correspondent("Metsaamet", "Mari Maasikas", None), False),
    ],
)
def test_who_is_private(party, private):
    """Companies are told by their legal form; the rest without an institution are persons."""
    assert is_private(party) is private


@pytest.mark.parametrize(
    "text",
    [
        "+372 600 0111", "tel 612 5008", "Tel: +372 612-5008", "5123 4567", "51234567", "mob. 5555555", "a.b@c.example", "a.b @ c.example", "48001085718",
        "PNOEE-48001085718", "EE38 2200 2210 2014 5685", "Kase tn 5-3", "Pärnu mnt 139c", "Vabaduse puiestee 2", "10115 Tallinn", "Hauptstraße 12", "12 Rue Royale",
    ],
)  # fmt: skip
def test_scrubbed(text):
    """Phones, addresses, codes and accounts are taken out of running text."""
    assert scrub(f"algus {text} lõpp") == "algus [andmed eemaldatud] lõpp"


@pytest.mark.parametrize(
    "text",
    ["5-4/22-1", "Ares(2024)1234567", "29.02.2024", "aastatel 2021-2027", "EL 2021/2121", "5. märts 2024", "14-13.1/67-1", "AvTS § 35 lg 1 p 3", "7.1-3/26/2336-1", "COM(2024) 570"],
)  # fmt: skip
def test_not_scrubbed(text):
    """References, dates and laws stay."""
    assert scrub(f"algus {text} lõpp") == f"algus {text} lõpp"
