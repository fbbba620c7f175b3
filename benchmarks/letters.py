"""Accuracy per field over a folder of letters, and letters per second.

`python benchmarks/letters.py [FOLDER]`: FOLDER holds documents with a NAME.expected.yaml beside each, by default the
project's own corpus. Letter case and white space do not count.
"""

import sys
import time
from collections import Counter
from pathlib import Path

from ruamel.yaml import YAML

from mailrouter.core.documents import to_text
from mailrouter.core.letter import Letter, Party, read_letters

CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "letters"
ROUNDS = 3


def plain(value):
    return " ".join(value.split()).casefold() if isinstance(value, str) else value


def fields(wanted, letter):
    """(field, whether it is right) for every field of the expectation."""
    for name, value in wanted.items():
        read = getattr(letter, name)
        if name in {"author", "addressee"}:
            for part, want in value.items():
                yield f"{name}.{part}", plain(want) == plain(getattr(read, part))
        elif name in {"asks", "events"}:
            yield f"{name} (number)", len(value) == len(read)
            for at, row in enumerate(value):
                for key, want in row.items():
                    yield f"{name}.{key}", at < len(read) and plain(want) == plain(getattr(read[at], key))
        else:
            yield name, plain(value) == plain(read)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS
    pairs = [
        (path.with_name(path.name.removesuffix(".expected.yaml")), path) for path in folder.glob("*.expected.yaml")
    ]
    right, total = Counter(), Counter()
    for document, expected in sorted(pairs):
        text = to_text(document.read_bytes(), "", document.name).text
        letters = read_letters([((document.name,), text)])
        letter = letters[0] if letters else Letter((), Party(), Party())
        for field, good in fields(YAML(typ="safe").load(expected.read_text(encoding="utf-8")), letter):
            total[field] += 1
            right[field] += good
            if not good:
                print(f"wrong: {document.name}: {field}", file=sys.stderr)
    for field in sorted(total):
        print(f"{field:24} {right[field]:4} of {total[field]:4}  {right[field] / total[field]:7.1%}")
    print(
        f"{'all':24} {sum(right.values()):4} of {sum(total.values()):4}  {sum(right.values()) / sum(total.values()):7.1%}"
    )
    contents = [(document.name, document.read_bytes()) for document, _ in pairs]
    start = time.perf_counter()
    for _ in range(ROUNDS):
        for name, content in contents:
            read_letters([((name,), to_text(content, "", name).text)])
    print(f"{ROUNDS * len(contents) / (time.perf_counter() - start):.0f} letters a second, document to fields")


if __name__ == "__main__":
    main()
