"""py3langid's model of languages, walked fast.

Invariant: the answer is the one that py3langid gives. This module loads a number library: it is imported when the first
language is asked for, by what reads mails alone. The library's own file takes half a second to unpack, of which a reading
child would spend most of its start: data/languages.npz has our languages' part of it (`pack`), the numbers unchanged.
"""

import io
import math
import unicodedata
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

_FILE = "data/languages.npz"
_REACH = 6  # bytes: the longest feature; a test compares with the library's own walk
_Numbers = npt.NDArray[Any]


class Model:
    """py3langid's model, walked for all bytes of a text at once.

    A state of its automaton says which of the features ends here: it depends on the last `_REACH` bytes alone, so the
    states of all places are found together, in that many steps, and not one after the other.
    """

    def __init__(self, packed: bytes) -> None:
        with np.load(io.BytesIO(packed), allow_pickle=False) as trained:
            self._moves = trained["moves"]  # rows of 256 next states
            self._rows = trained["rows"].astype(np.intp) << 8  # the row of each state
            self._features = trained["features"].astype(np.intp)  # the one that a state says was seen; -1 for none
            # Scores by feature and language; features are taken from it by rows, which must lie together.
            self._table = np.ascontiguousarray(trained["table"], dtype=np.float32)
            self._bias = trained["bias"]
            self._languages = tuple(trained["languages"].tolist())
        self._first = self._moves[self._rows[0] + np.arange(256)]  # the state after one byte, after two:
        self._pairs = self._moves[(self._rows[self._first][:, None] + np.arange(256)).ravel()]

    @property
    def languages(self) -> frozenset[str]:
        """The languages that it chooses among, by the library's names."""
        return frozenset(self._languages)

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


def load() -> Model:
    """The model of our languages."""
    return Model((files("mailrouter.core") / _FILE).read_bytes())


def pack(languages: Iterable[str]) -> bytes:
    """Of the installed library's model what `Model` uses, for some languages (by the library's names).

    It is written into data/languages.npz when the library has a better model or `LANGUAGES` changes; a test compares.
    """
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - nothing else needs the library

    trained = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    trained.set_languages(languages)
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        moves=np.asarray(trained.tk_nextmove, dtype=np.uint32),
        rows=np.asarray(trained.tk_row, dtype=np.uint32),
        features=np.asarray(trained.tk_output, dtype=np.int32),
        table=np.asarray(trained.nb_ptc),
        bias=np.asarray(trained.nb_pc),
        languages=np.array(trained.nb_classes),
    )
    return packed.getvalue()
