"""How well and how fast forward chains are read: `python benchmarks/chain.py [FILE] [options]`.

FILE is a list of cases {id, style, lang, text, html, raw, expected}; see docs/chain.md. A case is *perfect* when the
outer author's words, the number of hops and, in each hop, author, recipients, copies, subject, date, words and kind are
right; spaces at line ends and runs of blank lines are folded, letter case is not. Beside it: quotequail and email-forward-parser.
"""

import argparse
import json
import re
import time
import warnings
from collections import Counter, defaultdict
from pathlib import Path

from mailrouter.core.chain import Chain, Enclosed, Hop, unwind, unwind_text
from mailrouter.core.html import to_text
from mailrouter.core.markers import load
from mailrouter.core.message import Message, parse

DEFAULT = Path(__file__).parent.parent / "../shared/data/chain_dev.json"


def enclosed(message: Message, depth: int = 0) -> tuple[Enclosed, ...]:
    """The mails that a mail encloses as message/rfc822."""
    found = []
    for part in message.parts:
        if part.media_type == "message/rfc822" and depth < 20:
            inner = parse(part.content)
            found.append(Enclosed(inner, enclosed(inner, depth + 1)))
    return tuple(found)


def fold(text: str | None) -> str:
    text = (text or "").replace("\xa0", " ").replace("\u202f", " ")
    text = "\n".join(line.rstrip() for line in text.strip().split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text)


def flat(text: str | None) -> str:
    return " ".join((text or "").split())


def people(found) -> list[tuple[str, str | None]]:
    return [(flat(one.name), one.address) for one in found]


def wanted(found) -> list[tuple[str, str | None]]:
    return [(flat(one["name"]), one["address"]) for one in found]


def moment(hop: Hop, raw: str, iso: str | None) -> bool:
    """The minute is right, and an offset stands exactly where one was printed."""
    if hop.sent is None or iso is None:
        return hop.sent == iso
    offset = re.search(r"[+-]\d{2}:?\d{2}$|Z$|GMT$|UTC$", raw)
    return hop.sent[:16] == iso[:16] and (len(hop.sent) > 19) == bool(offset)


def faults(chain: Chain, expected: dict) -> list[str]:
    """What is wrong, by field; [] for a perfect case."""
    hops = expected["chain"]
    wrong = [] if fold(chain.text) == fold(expected["message"]) else ["message"]
    wrong += [] if chain.forwarded == expected["forwarded"] else ["forwarded"]
    if len(chain.hops) != len(hops):
        return [*wrong, "count"]
    for hop, want in zip(chain.hops, hops, strict=True):
        author = (flat(hop.author.name), hop.author.address) if hop.author else None
        checks = {
            "from": author == wanted([want["from"]])[0],
            "to": people(hop.to) == wanted(want["to"]),
            "cc": people(hop.cc) == wanted(want["cc"]),
            "subject": flat(hop.subject) == flat(want["subject"]),
            "date": moment(hop, want["date_raw"], want["date_iso"]),
            "date_raw": flat(hop.sent_raw) == flat(want["date_raw"]),
            "body": fold(hop.text) == fold(want["body"]),
            "kind": hop.kind == want.get("kind", "forward"),
        }
        wrong += [name for name, right in checks.items() if not right]
    return wrong


def origin(author: tuple[str, str | None] | None, expected: dict) -> bool:
    """Whether the author of the oldest hop is right: the address, or the name where none was printed."""
    if not expected["chain"]:
        return author is None
    want = expected["chain"][-1]["from"]
    if author is None:
        return False
    return author[1] == want["address"] if want["address"] else flat(author[0]) == flat(want["name"])


def read_all(cases: list[dict], without: frozenset[str]) -> list[Chain]:
    words = load(without)
    chains = []
    for case in cases:
        message = parse(case["raw"].encode("utf-8", "surrogateescape"))
        chains.append(unwind(message, enclosed(message), words))
    return chains


def report(cases: list[dict], chains: list[Chain], *, show: int, only: str) -> None:
    tallies: dict[str, dict[str, Counter]] = {"style": defaultdict(Counter), "lang": defaultdict(Counter)}
    total, kinds = Counter(), Counter()
    for case, chain in zip(cases, chains, strict=True):
        wrong = faults(chain, case["expected"])
        author = (chain.hops[-1].author.name, chain.hops[-1].author.address) if chain.hops and chain.hops[-1].author else None
        marks = {"n": 1, "perfect": not wrong, "count": "count" not in wrong, "sender": origin(author, case["expected"])}
        kinds.update(set(wrong))
        total.update(marks)
        for key in tallies:
            tallies[key][case[key]].update(marks)
        if wrong and show and (only in case["id"]):
            show -= 1
            explain(case, chain, wrong)
    print(f"{'':14}{'cases':>6}{'perfect':>9}{'hops':>8}{'sender':>8}")
    for name, tally in [("all", total), *sorted(tallies["style"].items()), *sorted(tallies["lang"].items())]:
        share = [100 * tally[key] / tally["n"] for key in ("perfect", "count", "sender")]
        print(f"{name:14}{tally['n']:>6}{share[0]:>8.1f}%{share[1]:>7.1f}%{share[2]:>7.1f}%")
    print("wrong fields:", dict(kinds.most_common()))


def explain(case: dict, chain: Chain, wrong: list[str]) -> None:
    print("=" * 100, f"\n{case['id']} {case['lang']} WRONG: {wrong}")
    print(case["text"][:1500] if not case["html"] else to_text(case["html"])[:1500])
    print("--- message", repr(chain.text[:200]), "wanted", repr(case["expected"]["message"][:200]))
    for hop in chain.hops:
        print("--- got   ", hop.kind, hop.author, hop.to, hop.cc, repr(hop.subject), repr(hop.sent_raw), hop.sent, repr(hop.text[:200]))
    for want in case["expected"]["chain"]:
        print("--- wanted", json.dumps(want, ensure_ascii=False)[:900])


def rate(read, texts: list[str]) -> float:
    """Texts a second of processor time, the best of three rounds."""
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        for text in texts:
            read(text)
        best = max(best, len(texts) / (time.process_time() - start))
    return best


def compare(cases: list[dict]) -> None:
    """The public parsers over the same cases: number of hops and oldest author, and speed over the same texts."""
    warnings.simplefilter("ignore")
    import quotequail  # noqa: PLC0415  (only where it is compared)
    from emailforwardparser.forward_parser import get_forwarded_metadata  # noqa: PLC0415

    def quail(text: str):
        chain, rest = [], text
        while rest and len(chain) < 10:
            found = quotequail.unwrap(rest)
            if not found or not found.get("from"):
                break
            chain.append(found)
            rest = found.get("text") or ""
        return chain

    plain = [case for case in cases if case["text"] and not case["html"]]
    texts = [case["text"] for case in plain]
    for name, author in (
        ("quotequail", lambda case: oldest(quail(case["text"]))),
        ("email-forward-parser", lambda case: forwarded(get_forwarded_metadata, case)),
    ):
        counts = senders = 0
        for case in plain:
            try:
                number, sender = author(case)
            except Exception:
                number, sender = 0, ""
            hops = case["expected"]["chain"]
            counts += number == len(hops)
            want = (hops[-1]["from"]["address"] or hops[-1]["from"]["name"]) if hops else ""
            senders += (want in (sender or "")) if hops else not sender
        print(f"{name}: hops {100 * counts / len(plain):.1f} %, oldest author {100 * senders / len(plain):.1f} % of {len(plain)} plain texts")
    ours = rate(lambda text: unwind_text(text, "x"), texts)
    print(f"chains a second: mailrouter {ours:.0f}, quotequail {rate(quail, texts):.0f}")


def oldest(chain: list[dict]) -> tuple[int, str]:
    return len(chain), chain[-1]["from"] if chain else ""


def forwarded(read, case: dict) -> tuple[int, str]:
    found = read(case["text"], parse(case["raw"].encode()).subject)
    if not found.forwarded:
        return 0, ""
    return 1, found.email.from_.address or found.email.from_.name or ""


def hostile() -> None:
    """Seconds for 300 KB of what makes readers slow, and how time grows from 100 KB to 1 MB."""
    def size(unit: str, count: int) -> str:
        return (unit * (count // len(unit) + 1))[:count]

    units = {
        "From:": "From:\n", "From: one line": "From: a ", "From: a@b": "From: a <a@b.example>\n", ">": ">", "> lines": "> \n", ">>> growing": "",
        "On … wrote:": "On Mon, 1 Jan 2024 at 10:00, A <a@b.example> wrote:\n", "On … one line": "On Mon wrote: ",
        "dashes": "-", "labels alone": "From\n", "cells": "a\tb@c.example\n", "arrows": ">>> A <a@b.example> 1.2.2024 10:00 >>>\n", "ruled": "---- On 1 Jan 2024 10:00 A <a@b.example> wrote ---\n", "dash lines": "-----x-----\n", "colons": "a: b\n", "<": "<", "To: lists": "To: a@b.example, ", "@": "a@", "1:": "1:", "spaces": " ", "tabs": "\t", "*": "*", "[": "[", "(": "(", "Re:": "Re: ", '"': '"', "=?": "=?utf-8?q?",
    }
    slowest = 0.0
    for name, unit in units.items():
        text = size(unit, 300_000) if unit else "\n".join(">" * n + " x" for n in range(770))
        start = time.process_time()
        unwind_text(text, "Subject")
        unwind_text("From: A <a@b.example>\nSent: Monday, 1 January 2024 10:00\nTo: b@b.example\nSubject: " + text, "Subject")
        spent = time.process_time() - start
        slowest = max(slowest, spent / 2)
        if spent > 0.5:
            print(f"  slow: {name} {spent / 2:.2f} s")
    print(f"hostile 300 KB: slowest {slowest:.2f} s")
    block = "From: A <a@b.example>\nSent: Monday, 1 January 2024 10:00\nTo: B <b@b.example>\nSubject: FW: x\n\nHello there\nwords\n\n"
    html = "<div><p>Hello</p><blockquote type=cite><table><tr><td>From:</td><td>A</td></tr></table></blockquote></div>"
    for name, unit, read in (("text", block, lambda text: unwind_text(text, "x")), ("html", html, to_text)):
        small = min(_timed(read, size(unit, 100_000)) for _ in range(3))
        large = min(_timed(read, size(unit, 1_000_000)) for _ in range(3))
        print(f"growth 100 KB → 1 MB, {name}: {small * 1000:.0f} ms → {large * 1000:.0f} ms, {large / small:.1f} times")


def _timed(read, text: str) -> float:
    start = time.process_time()
    read(text)
    return time.process_time() - start


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("file", nargs="?", type=Path, default=DEFAULT)
    options.add_argument("--without-language", action="append", default=[], metavar="CODE", help='leave its words out; "all"; "each": every case without its own language')
    options.add_argument("--show", type=int, default=0, help="print that many imperfect cases")
    options.add_argument("--only", default="", help="of those whose id holds this")
    options.add_argument("--style", default="", help="only cases of this style")
    options.add_argument("--speed", action="store_true", help="only speed")
    options.add_argument("--quick", action="store_true", help="accuracy only")
    chosen = options.parse_args()
    cases = json.loads(chosen.file.read_text(encoding="utf-8"))
    cases = [case for case in cases if chosen.style in case["style"]]
    if not chosen.speed:
        if chosen.without_language == ["each"]:
            chains = [read_all([case], frozenset({case["lang"]}))[0] for case in cases]
        else:
            from mailrouter.core.markers import languages  # noqa: PLC0415

            without = languages() if chosen.without_language == ["all"] else frozenset(chosen.without_language)
            chains = read_all(cases, without)
        report(cases, chains, show=chosen.show, only=chosen.only)
    if not chosen.quick:
        compare(cases)
        hostile()


if __name__ == "__main__":
    main()
