"""The rule set in force: the published version, built once for each digest.

Invariant: the version in the store decides; `rules/` on disk is its working copy. A message finishes under the version
it began with, because it holds the RuleSet it was given.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mailrouter import ruleset
from mailrouter.settings import Settings
from mailrouter.shell import log
from mailrouter.shell.clock import Clock
from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.store import Store

if TYPE_CHECKING:
    from mailrouter.core.rules import RuleSet


class Rulebook:
    """Gives the RuleSet in force; takes the working copy once where the store has none."""

    def __init__(self, store: Store, clock: Clock, settings: Callable[[], Settings], folder: Path) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._folder = folder
        self._lock = threading.Lock()
        self._current: RuleSet | None = None

    def current(self) -> "RuleSet":
        """The RuleSet in force; Permanent if there is none and the working copy has problems."""
        with self._lock:
            publication = self._store.versions.in_force()
            if publication is None:
                self._current = self._publish_first()
                publication = self._store.versions.in_force()
                assert publication is not None
            if self._current is None or self._current.digest != publication.digest:
                self._current = self.version(publication.digest)
                log.event("service.rules_taken", digest=publication.digest)
            return self._current

    def version(self, digest: str) -> "RuleSet":
        """A stored version, built anew."""
        files = self._store.versions.files(digest)
        if files is None:
            raise Permanent(f"no version of the rules has the digest {digest}; see 'mailrouter rules history'")
        built, problems = ruleset.build(files)
        if built is None:
            raise Permanent(f"the stored rules {digest[:12]} cannot be built by this version: {problems[0]}")
        return built

    def texts_in_force(self) -> dict[str, str]:
        """The texts of the version in force."""
        return self._store.versions.files(self.current().digest) or {}

    def working_copy(self, rules: Path | None = None, templates: Path | None = None) -> dict[str, str]:
        """The texts of the working copy on disk; `rules` and `templates` stand in for the settings' folders."""
        return ruleset.collect(self._folder, self._settings(), rules, templates)

    def working_ruleset(self, rules: Path | None = None, templates: Path | None = None) -> "RuleSet":
        """The working copy (or another folder's rules), built; Permanent with every problem."""
        settings = self._settings()
        built, problems = ruleset.build(self.working_copy(rules, templates))
        if built is None:
            located = ruleset.locate(problems, self._folder, settings, rules, templates)
            raise Permanent("the rules have problems:\n" + "\n".join(str(one) for one in located))
        return built

    def differs(self) -> bool:
        """Whether the working copy differs from the version in force, which nothing that cannot be built comes to be."""
        publication = self._store.versions.in_force()
        return publication is None or ruleset.digest_of(self.working_copy()) != publication.digest

    def _publish_first(self) -> "RuleSet":
        files = self.working_copy()
        built, problems = ruleset.build(files)
        if built is None:
            located = ruleset.locate(problems, self._folder, self._settings())
            shown = "\n".join(str(problem) for problem in located if problem.severity == "error")
            raise Permanent(f"the rules cannot be published, mend them first:\n{shown}")
        self._store.versions.publish_first(built.digest, files, self._clock.iso())
        log.event("service.rules_taken", digest=built.digest)
        return built
