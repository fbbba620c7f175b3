"""py3langid's model of languages, walked fast.

Invariant: the answer is the one that py3langid gives. This module loads a number library: it is imported when the first
language is asked for, by what reads mails alone.
"""

import math
import unicodedata
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from py3langid.langid import MODEL_FILE, LanguageIdentifier

_REACH = 6  # bytes: the longest feature; a test compares with the library's own walk
_Numbers = npt.NDArray[Any]


class _Trained(Protocol):
    """What is used of py3langid's identifier: its automaton over bytes and its table of scores."""

    tk_nextmove: Any  # rows of 256 next states
    tk_row: Any  # the row of each state
    tk_output: Any  # the feature that a state says was seen; -1 for none
    nb_ptc: Any  # scores by feature and language
    nb_pc: Any
    nb_classes: list[str]


class Model:
    """py3langid's model, walked for all bytes of a text at once.

    A state of its automaton says which of the features ends here: it depends on the last `_REACH` bytes alone, so the
    states of all places are found together, in that many steps, and not one after the other.
    """

    def __init__(self, trained: _Trained) -> None:
        self._moves = np.asarray(trained.tk_nextmove)
        self._rows = np.asarray(trained.tk_row).astype(np.intp) << 8
        self._features = np.asarray(trained.tk_output)
        self._first = self._moves[self._rows[0] + np.arange(256)]  # the state after one byte, after two:
        self._pairs = self._moves[(self._rows[self._first][:, None] + np.arange(256)).ravel()]
        self._table = np.ascontiguousarray(trained.nb_ptc, dtype=np.float32)
        self._bias = np.asarray(trained.nb_pc)
        self._languages = tuple(trained.nb_classes)

    def best(self, text: str) -> tuple[str, float]:
        """The likeliest language and its probability, as py3langid's `rank` has them."""
        content = unicodedata.normalize("NFC", text.lower() if text.isupper() else text)
        encoded = np.frombuffer(content.encode("utf-8", errors="surrogatepass"), dtype=np.uint8)
        features, counts = self._seen(encoded)
        if not len(features):
            return self._languages[0], 1 / len(self._languages)
        scores = np.log1p(counts.astype(np.float32)) @ self._table.take(features, axis=0) + self._bias
        scores *= 1.0 / math.sqrt(len(encoded))
        np.exp(scores - scores.max(), out=scores)
        scores /= scores.sum()
        at = int(scores.argmax())
        return self._languages[at], float(scores[at])

    def _seen(self, encoded: _Numbers) -> tuple[_Numbers, _Numbers]:
        """The features of a text, and how often each is seen."""
        places = encoded.astype(np.intp)
        states = self._first.take(places)
        states[1:] = self._pairs.take((places[:-1] << 8) + places[1:])
        for _ in range(_REACH - 2):
            states[1:] = self._moves.take(self._rows.take(states[:-1]) + places[1:])
        found = self._features.take(states)
        found.sort()
        found = found[found.searchsorted(0) :]
        edges = np.ones(len(found) + 1, dtype=bool)  # where another feature begins
        np.not_equal(found[1:], found[:-1], out=edges[1:-1])
        at = edges.nonzero()[0]
        return found[at[:-1]], at[1:] - at[:-1]


def load(languages: Iterable[str]) -> Model:
    """The model, choosing among some languages (the library's names for them). It takes half a second and 60 MB."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(languages)
    return Model(identifier)
