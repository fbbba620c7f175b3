"""Names as colleagues and letters write them, and the entries that they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.core.message import Address
from mailrouter.core.people import (
    Directory,
    Found,
    Group,
    Institution,
    NotFound,
    Person,
    Role,
    Unit,
    check_directory,
    expand,
    find,
    find_role,
    institution_of,
    nominative,
    person_by_email,
)


def _person(name, local, **more):
    return Person(name=name, email=f"{local}@ministry.example", **more)


DIRECTORY = Directory(
    people=(
        _person("Katarina Budrik", "katarina.budrik", job="nõunik", unit="Euroopa Liidu ja välissuhete osakond"),
        _person("Mari Tamm", "mari.tamm", job="osakonnajuhataja", unit="õigusosakond"),
        _person("Mari Lepp", "mari.lepp"),
        _person("Jaan Kukk", "jaan.kukk", job="nõunik"),
        _person("Anna Mägi-Saar", "anna.magi-saar"),
        _person("Lauri Läänemets", "minister"),
        _person("Tarmo Oja", "tarmo.oja"),
        _person("Peeter Põld", "peeter.pold", valid_until="2024-01-31"),
        _person("Toomas Rebane", "toomas.rebane"),
        _person("Liis Põder", "liis.poder"),
        _person("Kristjan Jõgi", "kristjan.jogi"),
    ),
    groups=(
        Group("ministri nõunikud", ("Toomas Rebane", "Liis Põder"), ("minister's advisers",)),
        Group("asekantslerid", ("Jaan Kukk", "office@partner.example")),
    ),
    roles=(
        Role("minister", "Lauri Läänemets", ("Minister of Interior", "siseminister")),
        Role("kantsler", "Tarmo Oja", ("Secretary General",)),
    ),
    units=(
        Unit("õigusosakond", head="Mari Tamm", also=("Legal Department",)),
        Unit("pressitalitus", email="press@ministry.example"),
    ),
    institutions=(
        Institution("European Commission, DG HOME", addresses=("home-global-alliance@ec.europa.eu",)),
        Institution("European Commission", domains=("ec.europa.eu",)),
        Institution("European Union", domains=("europa.eu",)),
    ),
)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Katarina Budrik", "Katarina Budrik"),
        ("Katarina Budrikule", "Katarina Budrik"),
        ("Budrikut", "Katarina Budrik"),
        ("Katarinale", "Katarina Budrik"),
        ("BUDRIK Katarina", "Katarina Budrik"),
        ("K. Budrikule", "Katarina Budrik"),
        ("nõunik Katarina Budrikuga", "Katarina Budrik"),
        ("katarina budrikule", "Katarina Budrik"),
        ("Катарине Будрик", "Katarina Budrik"),
        ("katarina.budrik@MINISTRY.example", "Katarina Budrik"),
        ("Mägi-Saarele", "Anna Mägi-Saar"),
        ("Magi-Saarele", "Anna Mägi-Saar"),
        ("Läänemetsale", "Lauri Läänemets"),
        ("Laanemetsa", "Lauri Läänemets"),
        ("Mr Lauri LÄÄNEMETS", "Lauri Läänemets"),
        ("Mari Tammele", "Mari Tamm"),
        ("Tamme", "Mari Tamm"),
        ("Lepale", "Mari Lepp"),
        ("Kukele", "Jaan Kukk"),
        ("Kukke", "Jaan Kukk"),
        ("Jaanile", "Jaan Kukk"),
        ("Rebasele", "Toomas Rebane"),
        ("Rebast", "Toomas Rebane"),
        ("Põdrale", "Liis Põder"),
        ("Podralt", "Liis Põder"),
        ("Jõele", "Kristjan Jõgi"),
        ("Põllule", "Peeter Põld"),
        ("ministri nõunikele", "ministri nõunikud"),
        ("ministri nõunikud", "ministri nõunikud"),
        ("the minister's advisers", "ministri nõunikud"),
        ("Euroopa Liidu ja välissuhete osakonda", "Euroopa Liidu ja välissuhete osakond"),
        ("välissuhete osakonnale", "Euroopa Liidu ja välissuhete osakond"),
        ("õigusosakonda", "õigusosakond"),
        ("Legal Department", "õigusosakond"),
        ("ministrile", "Lauri Läänemets"),
        ("siseministrile", "Lauri Läänemets"),
        ("kantslerile", "Tarmo Oja"),
        ("Secretary General", "Tarmo Oja"),
    ],
)
def test_name_in_any_form_means_one_entry(written, name):
    """Case endings, missing diacritics, initials, posts before names and other alphabets do not hide an entry."""
    found = find(DIRECTORY, written)
    assert isinstance(found, Found), found
    assert found.name == name


@pytest.mark.parametrize(
    "written",
    [
        "Kalle Sepale",
        "Peeter Budrikule",
        "kantselei",
        "osakonda",
        "",
        "...",
        "Siim",
        "Mari Tammik",
        "Anna Saar",
        "Jaan Kukkonen",
    ],
)
def test_strangers_and_generic_words_mean_nobody(written):
    """A given name before a known surname makes it another person."""
    assert isinstance(find(DIRECTORY, written), NotFound)


def test_name_that_several_have_is_not_chosen():
    """Both candidates are named."""
    found = find(DIRECTORY, "Marile")
    assert found == NotFound("Marile", ("Mari Tamm", "Mari Lepp"))


def test_entry_that_has_ended_is_not_found_any_more():
    """Validity counts on the day that is asked about."""
    assert isinstance(find(DIRECTORY, "Peeter Põld", on="2024-01-31"), Found)
    assert isinstance(find(DIRECTORY, "Peeter Põld", on="2024-02-01T10:00:00"), NotFound)


def test_two_people_of_one_name_are_ambiguous():
    """Even the full name does not decide then."""
    twins = Directory(people=(_person("Jaan Tamm", "jaan.tamm"), _person("Jaan Tamm", "jaan.tamm2")))
    assert isinstance(find(twins, "Jaan Tammele"), NotFound)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Pekka Virtanen", "Pekka Virtaselle"),
        ("Jānis Bērziņš", "Jānim Bērziņam"),
        ("Vytautas Petrauskas", "Vytautui Petrauskui"),
        ("Anna Petrova", "Анне Петровой"),
        ("Ivan Petrov", "Ивану Петрову"),
    ],
)
def test_other_languages_decline_names_too(name, written):
    """Finnish, Latvian, Lithuanian and Russian forms of a full name."""
    found = find(Directory(people=(_person(name, "x"),)), written)
    assert isinstance(found, Found), found
    assert found.name == name


def test_group_is_expanded_to_its_members_once():
    """An address stands for itself; who is in two groups is named once."""
    addresses, missing = expand(
        DIRECTORY, ["ministri nõunikud", "Liis Põder", "asekantslerid", "x@y.example", "Siim Susi"]
    )
    assert [address.address for address in addresses] == [
        "toomas.rebane@ministry.example",
        "liis.poder@ministry.example",
        "jaan.kukk@ministry.example",
        "office@partner.example",
        "x@y.example",
    ]
    assert missing == (NotFound("Siim Susi"),)


def test_unit_is_reached_by_its_address_or_its_head():
    """A unit without an address of its own is reached through its head, one without a head through its people."""
    reached = {name: expand(DIRECTORY, [name])[0] for name in ("pressitalitus", "õigusosakond", "välissuhete osakond")}
    assert reached["pressitalitus"] == (Address("pressitalitus", "press@ministry.example"),)
    assert [address.name for address in reached["õigusosakond"]] == ["Mari Tamm"]
    assert [address.name for address in reached["välissuhete osakond"]] == ["Katarina Budrik"]


@pytest.mark.parametrize(
    ("printed", "role"),
    [
        ("Minister of Interior, Estonia", "minister"),
        ("Lauri Läänemets, Minister of Interior, Estonia", "minister"),
        ("Minister of the Interior of the Republic of Estonia", "minister"),
        ("Siseminister", "minister"),
        ("Lauri Läänemets\nsiseminister", "minister"),
        ("Mr Lauri LÄÄNEMETS", "minister"),
        ("Lugupeetud siseminister", "minister"),
        ("siseministrile", "minister"),
        ("Secretary General", "kantsler"),
        ("Deputy Minister of Interior", None),
        ("Deputy Secretary General", None),
        ("Adviser to the Minister of Interior", None),
        ("Minister of Finance", None),
        ("Prime Minister", None),
        ("asekantsler", None),
        ("", None),
    ],
)
def test_printed_post_is_our_role(printed, role):
    """A deputy's or another minister's post is not ours."""
    found = find_role(DIRECTORY, printed)
    assert (found.name if found else None) == role


@pytest.mark.parametrize(
    ("address", "institution"),
    [
        ("HOME-GLOBAL-ALLIANCE@ec.europa.eu", "European Commission, DG HOME"),
        ("someone@ec.europa.eu", "European Commission"),
        ("someone@cab.ec.europa.eu", "European Commission"),
        ("someone@consilium.europa.eu", "European Union"),
        ("someone@notec.europa.eu.example", None),
        ("someone@xeuropa.eu", None),
        (None, None),
        ("", None),
    ],
)
def test_address_belongs_to_the_nearest_institution(address, institution):
    """An address beats a domain, the longer domain the shorter; look-alikes belong to none."""
    found = institution_of(DIRECTORY, address)
    assert (found.name if found else None) == institution


def test_person_is_known_by_address():
    """Case is ignored; nobody has no address."""
    assert person_by_email(DIRECTORY, "Mari.Tamm@ministry.example").name == "Mari Tamm"
    assert person_by_email(DIRECTORY, None) is None
    assert person_by_email(DIRECTORY, "") is None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Mari Tammele", "Mari Tamm"),
        ("Peeter Kasele", "Peeter Kask"),
        ("Ylva Johanssonile", "Ylva Johansson"),
        ("Toomas Rebasele", "Toomas Rebane"),
        ("Tarmole", "Tarmo"),
        ("Andresele", "Andres"),
        ("Katarina Budrikut", "Katarina Budrik"),
        ("Anna Mägi-Saarele", "Anna Mägi-Saar"),
        ("õigusosakonnale", "õigusosakond"),
        ("ministri nõunikele", "ministri nõunikud"),
        ("Jaan Kukk", "Jaan Kukk"),
        ("", ""),
    ],
)
def test_unknown_name_is_shown_in_the_nominative(written, name):
    """What the directory lacks still reads as a name."""
    assert nominative(written) == name


def test_problems_of_a_directory_have_their_places():
    """Each mistake is told once, with the path of what to mend."""
    wrong = Directory(
        people=(
            _person("Mari Tamm", "mari.tamm"),
            _person("mari tamm", "mari2"),
            Person("Jaan Kukk", "MARI.TAMM@ministry.example", valid_from="2024-02-30"),
            _person("Liis Põder", "liis", valid_from="2024-05-01", valid_until="2024-04-01"),
        ),
        groups=(Group("nõunikud", ("Mari Tamm", "Kalle Sepp", "x@y.example")), Group("tühi", ())),
        roles=(Role("minister", "Eikeegi"),),
        units=(Unit("osakond", head="Eikeegi", also=("nõunikud",)),),
        institutions=(Institution("A", domains=("a.example",)), Institution("B", domains=("A.example",))),
    )
    assert {place for place, _ in check_directory(wrong)} == {
        ("people", 1, "name"),
        ("people", 2, "email"),
        ("people", 2, "valid_from"),
        ("people", 3, "valid_until"),
        ("groups", 0, "members", 1),
        ("groups", 1, "members"),
        ("units", 0, "head"),
        ("units", 0, "also", 0),
        ("institutions", 1, "domains", 0),
    }


def test_sound_directory_has_no_problems():
    """Nothing is invented."""
    assert check_directory(DIRECTORY) == []


@given(st.text(max_size=60))
def test_any_text_can_be_looked_up(text):
    """No name, however odd, breaks the lookup."""
    assert isinstance(find(DIRECTORY, text), Found | NotFound)
    find_role(DIRECTORY, text)
    nominative(text)
    institution_of(DIRECTORY, text)


@pytest.mark.parametrize("person", DIRECTORY.people, ids=lambda person: person.name)
def test_every_full_name_finds_its_own_entry(person):
    """A name as it stands in the directory always means its entry."""
    assert find(DIRECTORY, person.name) == Found("person", person.name, (Address(person.name, person.email),))
