"""Notes that a mail gateway puts above mail from outside: found, listed, taken out of the text.

Known by their words in many languages, unknown wordings by place and shape. Invariant: only whole lines go, and none
that begins with a greeting; a sentence about outside mail among an author's other words stays.
"""

import re

from mailrouter.core.markers import Vocabulary, fold

_HEAD = re.compile(r"[^\w\[]*(?P<head>[^\W\d_]{3,}(?:[ -][^\W\d_]+){0,2})\s?[:!]")
_TAG = re.compile(
    r"\s*[\[<(*]{1,3}\s*(?:external|extern|externe|välis\w*|ext|outside)\b[^\])>*]{0,40}[\])>*]{1,3}\s*\|?\s*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*([-_=*~–—#+])(?:\s?\1){2,}\s*\|?\s*$")
_LONGEST = 700  # characters of a banner
_LINES = 6  # lines that a banner is wrapped over at most


def take_banners(text: str, vocabulary: Vocabulary) -> tuple[str, tuple[str, ...]]:
    """The text without its banners, and the banners, each on one line without rules and cell borders."""
    if not text or not _possible(text, vocabulary):
        return text, ()
    lines = text.split("\n")
    kept: list[str] = []
    found: list[str] = []
    at = 0
    fresh = True  # at the start of a paragraph
    top = True  # nothing of the author's has been seen
    while at < len(lines):
        if not lines[at].strip():
            kept.append(lines[at])
            at, fresh = at + 1, True
            continue
        size = _banner_size(lines, at, vocabulary, top=top) if fresh or top else 0
        if size:
            found.append(_plain(lines[at : at + size]))
            at += size
            if kept and not kept[-1].strip():
                kept.pop()
                fresh = True
            continue
        kept.append(lines[at])
        at, fresh, top = at + 1, False, False
    return ("\n".join(kept).strip("\n"), tuple(found)) if found else (text, ())


def _possible(text: str, vocabulary: Vocabulary) -> bool:
    """Whether there can be a banner at all: known words anywhere, or a loud or tagged first paragraph."""
    head = text.lstrip()[:200]
    first = head.split("\n", 1)[0]
    if _TAG.match(first) or _RULE.match(first):
        return True
    match = _HEAD.match(head)
    if match is not None and match["head"].isupper():
        return True
    if vocabulary.warned.search(fold(text)) is not None:
        return True
    return "]" in text and any(_TAG.match(line) for line in text.split("\n") if "]" in line)


def _plain(lines: list[str]) -> str:
    return " ".join(" ".join(line for line in lines if not _RULE.match(line)).replace("|", " ").split())


def _banner_size(lines: list[str], at: int, vocabulary: Vocabulary, *, top: bool) -> int:
    """How many lines from `at` on are a banner, 0 if none: its paragraph, or the first lines of it."""
    end = at
    while end < len(lines) and end - at < _LINES and lines[end].strip():
        end += 1
    if end < len(lines) and lines[end].strip():
        end = at + 1
    whole = _is_banner(lines[at:end], vocabulary, top=top)
    for size in range(1, end - at):
        begun = lines[at : at + size]
        rest = fold(" ".join(lines[at + size : end]))
        warns = any(word in rest for word in (*vocabulary.shields, *vocabulary.banners))
        ended = not whole or begun[-1].rstrip().endswith((".", "!", "|", "]", ")", "*"))
        if ended and not warns and not _RULE.match(lines[at + size]) and _is_banner(begun, vocabulary, top=top):
            return size
    return _grown(lines, end) - at if whole else 0


def _grown(lines: list[str], end: int) -> int:
    """The end of a banner with the rule that closes it."""
    return end + 1 if end < len(lines) and _RULE.match(lines[end]) else end


def _is_banner(lines: list[str], vocabulary: Vocabulary, *, top: bool) -> bool:
    if _TAG.match(lines[0]) and len(lines) == 1:
        return True
    text = _plain(lines)
    if not 12 <= len(text) <= _LONGEST:
        return False
    folded = fold(text)
    if folded.startswith(vocabulary.greetings):
        return False
    known = next((folded.find(phrase) for phrase in vocabulary.banners if phrase in folded), -1)
    match = _HEAD.match(text)
    loud = match is not None and match["head"].isupper()
    headed = loud or text.startswith("[") or (match is not None and match.end() <= 30)
    shields = sum(stem in folded for stem in vocabulary.shields)
    celled = lines[-1].rstrip().endswith("|") or (len(lines) > 2 and bool(_RULE.match(lines[0])))
    if known >= 0:
        return headed or celled or (top and (shields > 0 or known <= 45))
    return top and loud and (celled or shields >= 2 or (shields == 1 and len(text.split()) <= 40 and "!" in text[:40]))
