"""Accuracy per field and per letter over a folder of letters, and letters per second.

`python benchmarks/letters.py [FOLDER]`: FOLDER holds documents with a NAME.expected.yaml beside each, or a NAME.json for
NAME.pdf; by default the project's own corpus. Letter case and white space do not count. Wrong fields go to stderr.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path

from ruamel.yaml import YAML

from mailrouter.core.documents import to_text
from mailrouter.core.letter import Letter, Party, read_letters

SUFFIX = ".expected.yaml"
DOCUMENTS = {".pdf", ".docx", ".odt", ".txt", ".html", ".eml"}
CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "letters"
ROUNDS = 3


def plain(value):
    return " ".join(value.split()).casefold() if isinstance(value, str) else value


def fields(wanted, letter):
    """(field, the values that are right, the value read) for every field of the expectation; "_…" are notes.

    `_alternatives` may give further values by a field's path: "author.institution", "asks.0.text".
    """
    further = wanted.get("_alternatives") or {}
    for name, value in wanted.items():
        if name.startswith("_"):
            continue
        read = getattr(letter, name)
        if name in {"author", "addressee"}:
            for part, want in (value or {}).items():
                yield f"{name}.{part}", [want, *further.get(f"{name}.{part}", ())], getattr(read, part)
        elif name in {"asks", "events"}:
            yield f"{name} (number)", [len(value)], len(read)
            for at, row in enumerate(value):
                for key, want in row.items():
                    found = getattr(read[at], key) if at < len(read) else "(none)"
                    yield f"{name}.{key}", [want, *further.get(f"{name}.{at}.{key}", ())], found
        else:
            yield name, [value, *further.get(name, ())], read


def pairs_of(folder):
    """(document, its expected fields) of a folder."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        yield path.with_name(path.name.removesuffix(SUFFIX)), YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    for path in sorted(folder.glob("*.json")):
        documents = [other for other in sorted(folder.glob(f"{path.stem}.*")) if other.suffix in DOCUMENTS]
        if documents:
            yield documents[0], json.loads(path.read_text(encoding="utf-8"))


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS
    pairs = list(pairs_of(folder))
    right, total, letters_right = Counter(), Counter(), Counter()
    for document, expected in pairs:
        text = to_text(document.read_bytes(), "", document.name).text
        letters = read_letters([((document.name,), text)])
        letter = letters[0] if letters else Letter((), Party(), Party())
        for field, want, read in fields(expected, letter):
            good = plain(read) in map(plain, want)
            total[field] += 1
            right[field] += good
            total[document.name] += 1
            letters_right[document.name] += good
            if not good:
                print(f"wrong: {document.name}: {field}: wanted {want[0]!r}, read {read!r}", file=sys.stderr)
    print_table(right, letters_right, total)
    contents = [(document.name, document.read_bytes()) for document, _ in pairs]
    start = time.perf_counter()
    for _ in range(ROUNDS):
        for name, content in contents:
            read_letters([((name,), to_text(content, "", name).text)])
    print(f"{ROUNDS * len(contents) / (time.perf_counter() - start):.0f} letters a second, document to fields")


def print_table(right, letters_right, total):
    """The share of right fields: of letters that have wrong ones, of each kind of field, and of all."""
    for name, count in letters_right.items():
        if count < total[name]:
            print(f"{name:40} {count:4} of {total[name]:4}  {count / total[name]:7.1%}")
    for field in sorted(set(total) - set(letters_right)):
        print(f"{field:24} {right[field]:4} of {total[field]:4}  {right[field] / total[field]:7.1%}")
    good, count = sum(right.values()), sum(total[name] for name in letters_right)
    print(f"{'all':24} {good:4} of {count:4}  {good / count:7.1%}")


if __name__ == "__main__":
    main()
