"""What a short line is: a person's name, a role, an institution, a way to reach somebody.

Invariant: the print is never changed but for titles taken off a name.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.phrases import phrases

_PARTICLES = frozenset(
    [
        "de",
        "del",
        "della",
        "der",
        "den",
        "van",
        "von",
        "zu",
        "zur",
        "la",
        "le",
        "da",
        "di",
        "dos",
        "du",
        "el",
        "al",
        "bin",
        "ben",
        "af",
        "av",
        "an",
        "ter",
        "ten",
    ]
)
_WORD = re.compile(r"^(?:[^\W\d_]\.)+$|^[^\W\d_]+(?:[-'’.][^\W\d_]+)*\.?$")
_INITIAL = re.compile(
    r"[^\W\d_]\.\s?(?:[^\W\d_]\.|[^\W\d_]+$)"
)  # "Г. С. Кротова", "P. Kask": no "г." or "p." before a name
_DEGREE = re.compile(
    r",?\s+(?:\(?ph\.?\s?d\.?\)?|ll\.?m\.?|m\.?sc\.?|csc\.?|mba|mpa|dr\.?|jr\.?|esq\.?|mp|mep|obe|cbe|kc|qc|m\.d\.)$",
    re.IGNORECASE,
)
_SERVICE = re.compile(r"^(?:\((?:ret|res)\.?\)|i\.\s?g\.|a\.\s?d\.)\s+", re.IGNORECASE)
_PHONE = re.compile(r"(?:\+|\b00)\d[\d\s()./-]{6,}|\b\d{3}\s?\d{4}\b|\b\d{2,3}[ -]\d{2,3}[ -]\d{2,4}\b")
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_POSTAL = re.compile(
    r"(?<!nr )(?<!nr\. )(?<!no )(?<!no\. )(?<!№ )(?<![\d./-])\b(?:[A-Z]{1,2}-)?(?!(?:19|20)\d\d\b)\d{4,6}\b(?!\s?[./-]\d)|\bP\.? ?O\.? ?Box\b",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"^(?!.*\b(?:nr|no|№)\b)[^\W\d].{2,40}\s(?!(?:19|20)\d\d\b)\d{1,4}(?!\d)(?:[-/ ]?\w{1,3})?(?:,.*)?$|^\d{1,4},?\s(?:rue|avenue|av\.|bd|boulevard|place|quai|ul\.|[A-ZÀ-Ž]).{3,40}$"
)
_TAIL_CONTACT = re.compile(
    r"\s+(?:tel|phone|fax|e-?mail|mob)\b.*$|\s+(?:[^\W\d_]+\.?\s){0,4}(?:[^\W\d_]+),?\s\d+\s[A-Z]{1,2}-\d{4}.*$",
    re.IGNORECASE,
)
_CONTACT_SIGN = re.compile(r"tel|phone|fax|mail|mob|-\d{4}", re.IGNORECASE)  # without one there is no such contact


_LONGEST_CONTACT = 130
_REGISTERED = re.compile(
    r"\b(?:registrikood|reg\.?\s?kood|registry code|company code|kodas|kods|reg\.?\s?nr\.?|y-tunnus|krs|siret)\s*:?\s*[\d-]{6,}"
)
_LEAD_WORDS = 2  # of a role before a name; more only where a title parts them


@dataclass(frozen=True, slots=True)
class NamedLine:
    """A line that names a person, perhaps with the role and institution behind a comma."""

    name: str
    role: str | None = None
    institution: str | None = None


@lru_cache(maxsize=2048)
def without_titles(text: str) -> str:
    """A name without the titles and ranks before it and the degrees behind it."""
    previous = None
    while previous != text:
        previous = text
        match = phrases().title.match(flat(text))
        initial = match and len(match.group().strip(" .")) == 1 and _INITIAL.match(text)
        if match and match.end() < len(text) and not initial:
            text = text[match.end() :].lstrip(" .")
        text = _without_rank(_DEGREE.sub("", text))
    return text.strip(" ,;:")


def _without_rank(text: str) -> str:
    """A line without the rank it begins with, if a name follows."""
    match = phrases().rank.match(flat(text))
    if match is None or match.end() == len(text):
        return text
    rest = _SERVICE.sub("", text[match.end() :])
    return rest if is_name(without_titles(rest.partition(",")[0])) else text


def has_title(text: str) -> bool:
    """Whether the line begins with a person's title, or with a rank before a name."""
    match = phrases().title.match(flat(text))
    return bool(match and match.end() < len(text)) or _without_rank(text) != text


@lru_cache(maxsize=2048)
def is_name(text: str) -> bool:
    """Whether the words are a person's name: two to five capitalised words, none of a role or an institution."""
    words = text.split()
    if not 2 <= len(words) <= 5 or len(text) > 50 or not words[0][0].isupper():
        return False
    if not all(_WORD.match(word) and (word[0].isupper() or _joins(word)) for word in words):
        return False
    folded = flat(text)
    known = phrases()
    if _COMPANY.search(text) or known.marking.fullmatch(folded):
        return False
    return not any(pattern.search(folded) for pattern in (known.not_name, known.role, known.institution))


@lru_cache(maxsize=2048)
def named_line(text: str) -> NamedLine | None:
    """The person that a line names: "Mari Maasikas", "Mr Lauri LÄÄNEMETS, Minister of Interior, Estonia"."""
    text = without_contact(text)
    bare = without_titles(text)
    if is_name(bare):
        return NamedLine(bare)
    for separator in (",", " – ", " - ", " | ", "("):
        name, found, rest = bare.partition(separator)
        rest = rest.strip(" )")
        if found and is_name(without_titles(name)) and (is_role(rest) or is_institution(rest) or has_title(text)):
            return NamedLine(without_titles(name), *role_and_institution(rest))
    office, comma, last = bare.rpartition(", ")
    if not comma:
        return _role_before(bare) or _role_behind(bare)
    second = _role_before(last) if is_role(office) else None
    if second:  # "Osastopäällikkö, ylijohtaja Ilmari Pöyhtäri"
        return NamedLine(second.name, f"{office}, {second.role}")
    return _role_behind(bare)


def _role_before(bare: str) -> NamedLine | None:
    """A role and the name behind it: "Ministrui Ants Leppik", "Director General Kadri Lepik"."""
    words = bare.split()
    found: NamedLine | None = None
    for count in range(1, min(len(words) - 1, 7)):
        lead, rest = " ".join(words[:count]), " ".join(words[count:])
        if count > _LEAD_WORDS and not (has_title(rest) or is_role(words[count - 1])):
            continue
        roles = is_role(lead) and (is_role(words[0]) or is_role(words[count - 1]) or count > _LEAD_WORDS)
        if lead.endswith(":"):
            break
        if _JOINS_NAMES.fullmatch(flat(words[count - 1])):
            continue  # "Head of IT Procurement"
        name = without_titles(rest)
        if roles and 2 <= len(name.split()) <= 3 and is_name(name):
            named = NamedLine(name, lead)
            if name == rest or not is_role(words[count]):
                return named
            found = found or named
    return found


def _role_behind(bare: str) -> NamedLine | None:
    """A name and the role behind it: "Mari Maasikas osakonnajuhataja"."""
    words = bare.split()
    for count in (2, 3, 4):
        rest = " ".join(words[count:])
        if rest and is_name(" ".join(words[:count])) and rest[0].islower() and is_role(rest):
            return NamedLine(" ".join(words[:count]), *role_and_institution(rest))
    return None


def outranks(text: str, other: str) -> bool:
    """Whether the first names a whole institution and the other a part of one, such as a department."""
    return bool(phrases().whole_institution.search(flat(text))) and not phrases().whole_institution.search(flat(other))


def role_and_institution(text: str) -> tuple[str | None, str | None]:
    """A role with an institution behind a comma, taken apart; a unit or a country stays with the role."""
    head, comma, rest = text.partition(",")
    if (
        comma
        and is_role(head)
        and phrases().whole_institution.search(flat(rest))
        and not is_role(rest.partition(",")[0])
    ):
        return head.strip(), rest.strip()
    if is_role(text) or not is_institution(text):
        return text.strip() or None, None
    return None, text.strip()


@lru_cache(maxsize=2048)
def is_role(text: str) -> bool:
    """Whether the words are a role: a word of a role, before any institution ("Head of the Agency")."""
    folded = flat(text)
    role, institution = phrases().role.search(folded), phrases().institution.search(folded)
    if role is None or len(text) > 130:
        return False
    return institution is None or role.start() <= institution.start() or _ends_in_role(folded)


_JOINS_NAMES = re.compile(r"(?:of|the|for|des|den|dem|to|fur|pour|ja|du|de|des|der|von|la|et|and|och)")


def _ends_in_role(folded: str) -> bool:
    """Whether a role stands last, behind the institution's name in its genitive: "Riigikogu liige"."""
    words = folded.split()
    joined = any(_JOINS_NAMES.fullmatch(word) for word in words)
    return not joined and 1 < len(words) < 9 and bool(phrases().role.fullmatch(words[-1]))


_FORM = r"(?:AS|OÜ|MTÜ|SA|TÜ|KÜ|SIA|UAB|VšĮ|GmbH|AG|e\.\s?V\.|AB|Oy|Oyj|ry|Ltd\.?|LLC|Inc\.?|PLC|S\.A\.|B\.V\.|sp\. z o\.o\.|ООО|АО)"
_COMPANY = re.compile(rf"^{_FORM}\s(?=\S*[^\W\d_])|\s{_FORM}$")  # its legal form, at the begin or the end


def _joins(word: str) -> bool:
    """Whether a small word is a name's: "van", "d’ESTRÉVILLE"."""
    return word.lower() in _PARTICLES or bool(re.match(r"[dlo]['’][^\W\d_a-z]", word))


_ON_BEHALF = re.compile(
    r"\b(?:volitusel|ülesandel|nimel)$|^(?:on behalf of|im auftrag|pour le|p\.\s?o\.)\b", re.IGNORECASE
)
_OF_NUMBERS = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}|\bnr\.?\s?\S*\d")  # a title that cites a decision


@lru_cache(maxsize=2048)
def is_institution(text: str) -> bool:
    """Whether the words name an institution and no role."""
    if _OF_NUMBERS.search(text) or _ON_BEHALF.search(text):
        return False
    named = phrases().institution.search(flat(text)) or _COMPANY.search(text)
    return bool(named) and not is_role(text) and len(text) < 130


def without_contact(text: str) -> str:
    """A line of a letterhead without the telephone or address printed beside it."""
    return (_TAIL_CONTACT.sub("", text) if _CONTACT_SIGN.search(text) else text).strip()


@lru_cache(maxsize=2048)
def is_contact(text: str) -> bool:
    """Whether a line says how to reach somebody: address, telephone, mailbox, web."""
    folded = flat(text)
    label = phrases().labels["contact"].match(folded)
    if label and re.match(r"\s*[:.]?\s*(?:\S*\d|\S+@|www|$)", folded[label.end() :]):
        return True
    if _REGISTERED.search(folded) and len(text) < _LONGEST_CONTACT:
        return True
    signs = (_PHONE, _URL, _MAIL, _POSTAL)
    hits = sum(bool(sign.search(text)) for sign in signs)
    return hits >= 2 or (hits == 1 and len(text) < 60) or bool(_STREET.match(text) and len(text) < 60)


def mailboxes(text: str) -> list[str]:
    """The mail addresses in a text, as printed."""
    return [match.group().rstrip(".'-") for match in _MAIL.finditer(text)] if "@" in text else []
