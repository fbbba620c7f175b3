"""The signature block: who signs a letter, as what.

Invariant: names are without titles, roles as printed; the first signer counts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mailrouter.core.letter.broken import whole_names
from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.layout import Line
from mailrouter.core.letter.letters import Party
from mailrouter.core.letter.marks import labelled
from mailrouter.core.letter.names import (
    is_contact,
    is_institution,
    is_name,
    is_role,
    named_line,
    role_and_institution,
)
from mailrouter.core.letter.phrases import labels_at, phrases
from mailrouter.core.letter.places import is_place

_LONGEST = 20  # lines under a leave that may be the signer's


def signature(tail: Sequence[Line], closing: Line | None) -> Party:
    """The first signer of the block under the closing: name without titles, role, institution."""
    lines = [
        line if text == line.text else replace(line, text=text)
        for line in whole_names(tail[:_LONGEST])
        for text in _signature_texts(line)
    ]
    rest = _behind_closing(closing)
    if rest:
        lines.insert(0, Line(rest, flat(rest), False, 0, False))
    for at, line in enumerate(lines[:12]):
        if ends_signature(line):
            break
        named = named_line(line.text)
        if named is None:
            continue
        below = lines[at + 1 :]
        role, institution = _role_below(below, named.role, named.institution)
        before = lines[at - 1].text if at else ""
        if (
            (role is None or (not named.role and below[0].gap and role == below[0].text))
            and before
            and is_role(before)
            and not named_line(before)
        ):
            role = before
        return Party(name=named.name, role=role, institution=institution)
    institution = next(
        (line.text for line in lines[:4] if is_institution(line.text) and not is_contact(line.text)), None
    )
    return Party(institution=institution)


_SIGNED_NOTE = re.compile(
    r"^\s*[(/\[]?\s*(?:allkirjastatud digitaalselt|digitaalselt allkirjastatud|digiallkirjastatud|electronically signed|e-signed|signed|sign[ée] [ée]lectroniquement|gez\.|s[äa]hk[öo]isesti allekirjoitettu|digitally signed|s/|/s/)\s*[)/\]]?\s*",
    re.IGNORECASE,
)


_SIGNED_BY = re.compile(r"(?:\b(?:by|par|von|durch)|[:,])\s+(?P<name>[^\W\d_][^,:;]{4,60})$")


def _signature_texts(line: Line) -> Iterator[str]:
    """A signature's line without the note that it was signed; a line that is only the note is left out."""
    by = _SIGNED_BY.search(line.text) if phrases().signed.search(line.folded) else None
    if by and named_line(by["name"]):
        yield by["name"]
        return
    rest = _SIGNED_NOTE.sub("", line.text, count=1)
    if rest != line.text and not rest:
        return
    yield rest if named_line(rest) else line.text


def _behind_closing(closing: Line | None) -> str:
    """What stands on the closing's own line behind it: "Lugupidamisega (allkirjastatud digitaalselt) Mari …"."""
    if closing is None:
        return ""
    match = phrases().closing.match(closing.folded)
    if match is None or len(closing.text) > 110:
        return ""
    rest = _SIGNED_NOTE.sub("", closing.text[match.end() :].lstrip(" ,"), count=1)
    return rest if named_line(rest) else ""


def ends_signature(line: Line) -> bool:
    """Whether the signature block is over: annexes, copies, the executor, the e-signature's line."""
    kinds = ("annex", "copy", "executor")
    ends = labels_at(line.folded)
    return bool(ends) and (bool(labelled(line, kinds)) or any(ends.get(kind) == len(line.folded) for kind in kinds))


def _role_below(lines: Sequence[Line], role: str | None, institution: str | None) -> tuple[str | None, str | None]:
    """The role and the institution in the lines under a name."""
    for at, line in enumerate(lines[:5]):
        text = line.text
        if (
            ends_signature(line)
            or is_contact(text)
            or phrases().to_open.match(line.folded)
            or phrases().signed.search(line.folded)
        ):
            break
        other = named_line(text)
        if other and other.role and at == 0 and not line.gap and role is None and is_role(text):
            role = text  # "Komendant Główny Straży Granicznej": whose words of an institution look like a name
            continue
        if other:
            unknown = at == 0 and role is None and not line.gap and is_name(text)  # two names stand apart
            return (text if unknown else role), institution
        if line.gap and (role or at > 1):
            break
        if role and runs_on(role, text):
            role = f"{role} {text}"
        elif role is None and is_role(text):
            role, found = role_and_institution(text)
            institution = institution or found
        elif institution is None and is_institution(text):
            institution = text
        elif role is None and at == 0 and _unknown_role(text):
            role = text
    return role, institution


_UNIT = re.compile(r"\b(?:section|unit|division|team|desk|abteilung|referat|service|yksikko|nodala|skyrius|отдел)\b")


_LONG_ROLE = 10  # letters of a single word that is rather a role than a place: "Kriminalkommissarie"


def _unknown_role(text: str) -> bool:
    """Whether a line right under the name may be a role that no list knows: in small letters, or of several words."""
    if len(text.split()) == 1 and len(text) >= _LONG_ROLE and text.isalpha() and not is_place(text):
        return True
    plain = text[0].isalpha() and not re.search(r"\d", text) and len(text) < 60
    return plain and (
        text[0].islower() or (len(text.split()) > 1 and not _UNIT.search(flat(text)) and not is_place(text))
    )


def runs_on(role: str, text: str) -> bool:
    """Whether a role continues on the next line: it ends with a joining word or the next begins with one."""
    joined = re.search(
        r"(?:,|\b(?:and|of|for|the|et|de|des|ja|und|fur|für|на|по|и|european|united|national|federal))$", role.lower()
    )
    return bool(joined) or bool(re.match(r"(?:and|of|for|et|de|des|du|und|für|ja)\s", text))
