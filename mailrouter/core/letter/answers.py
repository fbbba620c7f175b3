"""The mailbox to answer to, from the letter's words alone.

Invariant: the address stands in the text that asks; letterhead, executor and data-protection addresses never count,
but for a private person's own.
"""

from collections.abc import Sequence

from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.layout import Layout
from mailrouter.core.letter.letters import Ask, Party
from mailrouter.core.letter.names import mailboxes
from mailrouter.core.letter.phrases import phrases

_LATIN = {
    ord(letter): latin
    for letter, latin in zip(
        "абвгдежзийклмнопрстуфхцчшщъыьэюя",
        [
            "a",
            "b",
            "v",
            "g",
            "d",
            "e",
            "zh",
            "z",
            "i",
            "i",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "f",
            "kh",
            "ts",
            "ch",
            "sh",
            "shch",
            "",
            "y",
            "",
            "e",
            "iu",
            "ia",
        ],
        strict=True,
    )
}  # Russian names as mailboxes write them, by their likely parts


def answer_mailbox(sentences: Sequence[str], asks: Sequence[Ask], author: Party, layout: Layout) -> str | None:
    """The address that the text names for the answer, as printed; None if it names none."""
    asked = {ask.text for ask in asks}
    best: tuple[int, str] | None = None
    for sentence in sentences:
        boxes = mailboxes(sentence)
        folded = flat(sentence)
        if not boxes or phrases().protection.search(folded):
            continue
        score = (
            1
            + 3 * (sentence in asked)
            + 2 * bool(phrases().answer.search(folded))
            - 3 * bool(phrases().further.search(folded))
        )
        if score > 0 and (best is None or score > best[0]):
            best = score, _best_box(sentence, boxes)
    if best:
        return best[1]
    private = bool(author.name) and not author.institution and not author.role
    if private and asks:
        own = [box for line in (*layout.tail, *layout.head) for box in mailboxes(line.text) if _own(box, author)]
        return own[0] if own else None
    return None


def _best_box(sentence: str, boxes: Sequence[str]) -> str:
    """The address in a sentence of several that stands behind words of an answer, and not of further questions."""
    start = 0
    for box in boxes if len(boxes) > 1 else ():
        at = sentence.index(box, start)
        clause = flat(sentence[start:at])
        if phrases().answer.search(clause) and not phrases().further.search(clause):
            return box
        start = at + len(box)
    return boxes[0]


def _own(box: str, author: Party) -> bool:
    """Whether an address looks like the person's: it carries a part of the name."""
    local = flat(box.partition("@")[0])
    name = flat(author.name or "").translate(_LATIN)
    return any(part in local for part in name.replace("-", " ").split() if len(part) > 2)
