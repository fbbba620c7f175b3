"""The texts that make a rule set: where they lie, their stable names, and the digest over them.

Invariant: the digest covers every text; equal digests are equal texts.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mailrouter.core.outcomes import Problem
from mailrouter.settings import Settings

INSTITUTION = "config/institution.yaml"
_CONFIG = ("people", "register", "nominations", "deadlines")


def collect(
    folder: Path, settings: Settings, rules: Path | None = None, templates: Path | None = None
) -> dict[str, str]:
    """Every source file's text by a stable name: "rules/10-x.yaml", "templates/y.txt.j2", "config/people.yaml" and so on.

    `folder` is the folder of settings; `rules` and `templates` stand in for the settings' own folders. What is not there
    is left out; bytes that are no UTF-8 stay recognisable, so that `build` can say so.
    """
    found = {name: file for name, file in _files(folder, settings, rules, templates).items() if file.is_file()}
    texts = {name: file.read_bytes().decode("utf-8", "surrogateescape") for name, file in found.items()}
    return texts | {INSTITUTION: institution_text(settings)}


def _files(folder: Path, settings: Settings, rules: Path | None, templates: Path | None) -> dict[str, Path]:
    """Stable name → where it lies, sorted by name."""
    found = {f"config/{name}.yaml": folder / f"{name}.yaml" for name in _CONFIG}
    where = rules or settings.rules
    found |= {f"rules/{file.name}": file for pattern in ("*.yaml", "*.yml") for file in sorted(where.glob(pattern))}
    found |= {f"templates/{file.name}": file for file in sorted((templates or settings.templates).glob("*.j2"))}
    return dict(sorted(found.items()))


def institution_text(settings: Settings) -> str:
    """mailrouter.yaml's `institution` and `trust`, which are published with the rules, as canonical JSON."""
    data = {
        "institution": settings.institution.model_dump(mode="json"),
        "trust": settings.trust.model_dump(mode="json"),
    }
    return json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1)


def locate(
    problems: list[Problem], folder: Path, settings: Settings, rules: Path | None = None, templates: Path | None = None
) -> list[Problem]:
    """The problems with the files' real paths, as an editor opens them; relative to the working directory if below it."""
    files = _files(folder, settings, rules, templates)
    return [replace(problem, file=_shown(files.get(problem.file), problem.file)) for problem in problems]


def _shown(file: Path | None, name: str) -> str:
    if file is None:
        return name
    try:
        return str(file.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(file)


def digest_of(files: Mapping[str, str]) -> str:
    """SHA-256 over names and texts, in the order of names."""
    total = hashlib.sha256()
    for name in sorted(files):
        for part in (name, files[name]):
            data = part.encode("utf-8", "surrogateescape")
            total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()
