"""What the public may see of the register: `register export --public` as JSON and as a static site.

Only registered letters of public kinds with access Avalik or AK; of private persons initials, with the document's kind
as title, and no addresses, phones or personal codes anywhere (AvTS § 12 (3¹)). Officials are named.
Invariant: a field is shown because it is listed here, never because it exists; a party that is not known to be an
institution is a private person.
"""

import configparser
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from mailrouter.core.language import fold
from mailrouter.core.register import Classification, Correspondent, Entry, function_of, series_of

PUBLIC_ACCESS = ("Avalik", "AK")

_MAIL = re.compile(r"[^\s<>()\[\],;:\"]+\s?@\s?[^\s<>()\[\],;:\"]+")
_PERSONAL_CODE = re.compile(r"(?:PNO[A-Z]{2}-)?(?<!\d)[1-8]\d{10}(?!\d)")
_ACCOUNT = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?\b")
_PHONE = re.compile(
    r"(?<![\w/)-])\+\d{1,3}[\d ()\-]{5,16}\d"  # with a country
    r"|(?i:\b(?:tel|telefon|mob|mobiil|phone|faks|fax|gsm)[a-z]*)[.:\s]{0,3}\+?[\d ()\-]{6,18}\d"
    r"|(?<![\w/().-])(?:5\d{6,7}|5\d{1,3}[ -]\d{3}[ -]?\d{1,4}|[67]\d{2}[ -]?\d{4})(?![\w/-])"  # Estonian, bare
)
_POSTAL = re.compile(r"\b\d{5},? +[A-ZÕÄÖÜŠŽ][\w-]+(?: linn| vald)?|\bLV-\d{4}\b|\bLT-\d{5}\b")


@dataclass(frozen=True, slots=True)
class _Words:
    """data/public.ini."""

    sections: Mapping[str, Mapping[str, str]]

    def __getitem__(self, section: str) -> Mapping[str, str]:
        return self.sections[section]

    def listed(self, section: str) -> frozenset[str]:
        """The words of a section that is one list."""
        return frozenset(self.sections[section]["words"].split())


@cache
def _words() -> _Words:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=(";",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # keys keep their case: the documented way
    parser.read_string(files("mailrouter.core").joinpath("data/public.ini").read_text(encoding="utf-8"))
    return _Words({name: dict(parser[name]) for name in parser.sections()})


def public_entries(entries: Iterable[Entry], classification: Classification) -> list[dict[str, Any]]:
    """What the public sees of each entry that it may see, with the keys of `register list`; order kept."""
    return [_public(entry, classification) for entry in entries if is_public(entry)]


def is_public(entry: Entry) -> bool:
    """Whether the public may know of an entry: registered under a number that stands, of a public kind and access."""
    return bool(
        entry.number
        and entry.registered
        and entry.confirmed
        and entry.access in PUBLIC_ACCESS
        and entry.kind in _words()["kinds"]
    )


def public_json(entries: Iterable[Entry], classification: Classification) -> str:
    """The public view as one JSON array."""
    return json.dumps(public_entries(entries, classification), ensure_ascii=False, indent=1)


def public_site(entries: Iterable[Entry], classification: Classification, institution: str) -> dict[str, str]:
    """The public view as a static site: file name → HTML. `index.html` lists all, newest first; each has its page."""
    shown = public_entries(entries, classification)
    names = _page_names(shown)
    by_number = {entry["number"]: name for entry, name in zip(shown, names, strict=True)}
    pages = {name: _entry_page(entry, by_number, institution) for entry, name in zip(shown, names, strict=True)}
    return {"index.html": _list_page(shown, names, institution), **pages}


def _public(entry: Entry, classification: Classification) -> dict[str, Any]:
    """One entry, field by field."""
    words = _words()
    parties = [party for party in (entry.sender, *entry.recipients) if party is not None]
    private = entry.private or any(is_private(party) for party in parties)
    clean = _cleaner([party.name for party in parties if private])
    series = series_of(classification, entry.series)
    function = function_of(classification, series) if series else None
    responsible = entry.responsible
    return {
        "number": clean(entry.theirs or entry.number),
        "registered": (entry.registered or "")[:10],
        "direction": entry.direction,
        "kind": words["directions"][entry.direction],
        "title": words["kinds"][entry.kind] if private else clean(entry.title),
        "function": f"{function.mark} {function.title}".strip() if function else clean(entry.function),
        "series": f"{series.mark} {series.title}".strip() if series else clean(entry.series),
        "file": clean(entry.file),
        "access": entry.access,
        "access_basis": clean(entry.access_basis) if entry.access == "AK" else None,
        "access_from": clean(entry.access_from) if entry.access == "AK" else None,
        "access_until": clean(entry.access_until) if entry.access == "AK" else None,
        "sender": _party(entry.sender, private=entry.private),
        "recipients": [_party(party, private=entry.private) for party in entry.recipients],
        "sender_reference": None if private else clean(entry.sender_reference),
        "sender_date": _day(entry.sender_date),
        "arrival": None if private else clean(entry.arrival),
        "responsible": {"name": scrub(responsible.name), "unit": scrub(responsible.unit)} if responsible else None,
        "state": entry.state,
        "answered": _day(entry.answered),
        "relations": [{"kind": relation.kind, "number": clean(relation.number)} for relation in entry.relations],
    }


def _day(value: str | None) -> str | None:
    """An ISO day, or nothing: whatever else stands there is not shown."""
    return value[:10] if value and re.fullmatch(r"\d{4}-\d\d-\d\d.*", value, re.DOTALL) else None


def is_private(party: Correspondent) -> bool:
    """Whether a party is a private person, as far as is known: no institution, and no company's name."""
    words = _words().listed("legal forms")
    if party.institution:
        return party.institution.split()[0] == "FIE"  # a sole trader bears the person's own name
    parts = party.name.split()
    return len(parts) < 2 or not (parts[0] in words or parts[-1].rstrip(",;") in words)


def _party(party: Correspondent | None, *, private: bool) -> str | None:
    """A party as the public sees it: the institution with its display name, or a person's initials."""
    if party is None:
        return None
    if private or is_private(party):
        return initials(party.name)
    name = scrub(party.name)
    if party.institution and name and fold(name) not in fold(party.institution):
        return f"{scrub(party.institution)} ({name})"
    return scrub(party.institution or name)


def initials(name: str) -> str:
    """A name's initials in spoken order: Mari-Liis Maasikas → "M.-L. M."; "eraisik" where there is no name to shorten."""
    if "@" in name or any(map(str.isdigit, name)):
        return _words()["withheld"]["person"]
    last, comma, first = name.partition(",")
    words = re.findall(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*", f"{first} {last}" if comma else name)
    if not words:
        return _words()["withheld"]["person"]
    return " ".join("-".join(f"{part[0].upper()}." for part in re.split(r"[-'’]", word) if part) for word in words[:4])


def scrub(text: str) -> str:
    """A text without e-mail and postal addresses, phone numbers, personal codes and bank accounts."""
    withheld = _words()["withheld"]["text"]
    for pattern in (_MAIL, _ACCOUNT, _PERSONAL_CODE, _PHONE, _street(), _POSTAL):
        text = pattern.sub(withheld, text)
    marks = re.escape(withheld)
    return re.sub(rf"{marks}(?:[\s,;.]*{marks})+", withheld, text)


@cache
def _street() -> re.Pattern[str]:
    words = "|".join(re.escape(word) for word in sorted(_words().listed("streets"), key=len, reverse=True))
    name, house = r"[A-ZÕÄÖÜŠŽ][\w'’-]*(?: [A-ZÕÄÖÜŠŽ]?[\w'’-]+){0,2}", r"\d{1,4}[a-zA-Z]?(?:\s?[-/]\s?\d{1,4})?"
    names = r"[A-ZÕÄÖÜŠŽ][\w'’-]*(?: [A-ZÕÄÖÜŠŽ][\w'’-]*){0,2}"
    return re.compile(
        rf"\b{name} (?:{words})\.? {house}\b|\b\w+(?:straße|strasse|gatan|vej) {house}\b|\b{house},? (?i:{words})\.? {names}"
    )


def _cleaner(names: Sequence[str]) -> Callable[[str | None], str]:
    """`scrub` that takes these persons' names out too, in any case form."""
    stems = {fold(word) for name in names for word in re.findall(r"[^\W\d_]{3,}", name)}

    def clean(text: str | None) -> str:
        def word(match: re.Match[str]) -> str:
            folded = fold(match[0])
            known = any(
                folded.startswith(stem[: max(3, len(stem) - 1)]) and len(folded) <= len(stem) + 5 for stem in stems
            )
            return "…" if known else match[0]

        cleaned = scrub(text or "")
        return re.sub(r"[^\W\d_]{3,}", word, cleaned) if stems else cleaned

    return clean


# The site. Plain HTML without scripts: it is served from a file store, and must be read by screen readers.

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #bbb}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.5rem}dt{font-weight:600}dd{margin:0}a{color:#00458a}"
)


def _page_names(shown: Sequence[Mapping[str, Any]]) -> list[str]:
    """A file name for each entry: its number and day; a running number where a series gives one number again."""
    names: list[str] = []
    taken: dict[str, int] = {}
    for entry in shown:
        slug = re.sub(r"[^\w.-]+", "_", f"{entry['number']}_{entry['registered']}").strip("._")
        taken[slug] = taken.get(slug, 0) + 1
        names.append(f"{slug}_{taken[slug]}.html" if taken[slug] > 1 else f"{slug}.html")
    return names


def _list_page(shown: Sequence[Mapping[str, Any]], names: Sequence[str], institution: str) -> str:
    labels = _words()["labels"]
    columns = ("number", "registered", "kind", "title", "party", "access")
    heads = [labels.get(column, f"{labels['sender']} / {labels['recipients']}") for column in columns]
    rows = []
    for entry, name in sorted(zip(shown, names, strict=True), key=lambda item: item[0]["registered"], reverse=True):
        party = entry["sender"] or ", ".join(entry["recipients"])
        cells = [
            f'<a href="{escape(name)}">{escape(entry["number"])}</a>',
            _date(entry["registered"]),
            *map(escape, (entry["kind"], entry["title"], party or "", entry["access"])),
        ]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    header = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    table = f"<table><thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return _page(f"Dokumendiregister | {institution}", table)


def _entry_page(entry: Mapping[str, Any], pages: Mapping[str, str], institution: str) -> str:
    items = []
    for key, label in _words()["labels"].items():
        shown = _value(key, entry[key], pages)
        if shown:
            items.append(f"<dt>{escape(label)}</dt><dd>{shown}</dd>")
    back = '<p><a href="index.html">Dokumendiregister</a></p>'
    return _page(f"{entry['number']} | Dokumendiregister | {institution}", f"<dl>{''.join(items)}</dl>{back}")


def _value(key: str, value: Any, pages: Mapping[str, str]) -> str:
    """One field as HTML; "" for nothing."""
    if not value:
        return ""
    if key == "relations":
        return "<br>".join(_relation(relation, pages) for relation in value)
    if key == "responsible":
        value = f"{value['name']} ({value['unit']})" if value["unit"] else value["name"]
    elif key == "state":
        value = _words()["states"][value]
    elif key == "recipients":
        value = ", ".join(value)
    elif key in {"registered", "sender_date", "answered"}:
        value = _date(value)
    return escape(str(value))


def _relation(relation: Mapping[str, str], pages: Mapping[str, str]) -> str:
    number = escape(relation["number"])
    target = pages.get(relation["number"])
    link = f'<a href="{escape(target)}">{number}</a>' if target else number
    return f"{escape(_words()['relations'][relation['kind']])}: {link}"


def _date(iso: str) -> str:
    """An ISO day as registers print it: 29.02.2024."""
    return ".".join(reversed(iso[:10].split("-")))


def _page(title: str, body: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="et"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )
