"""Functions and series found by their marks, and config/register.yaml checked.

Invariant: a mark names at most one series.
"""

from collections.abc import Iterator

from mailrouter.core.register.entries import Classification, Function, Series
from mailrouter.core.register.patterns import FILE_TOKENS, NUMBER_TOKENS, pattern_problem

Place = tuple[str | int, ...]


def series_of(classification: Classification, mark: str) -> Series | None:
    """The series of this mark ("5-4"); None if there is none.

    Where no series is described at all (no register.yaml), every mark is one, numbered by default.
    """
    wanted = mark.strip()
    if not classification.series:
        return Series(wanted) if wanted else None
    return next((series for series in classification.series if series.mark == wanted), None)


def function_of(classification: Classification, series: Series) -> Function | None:
    """The function that a series belongs to: its own `function`, else the mark's part before the first hyphen."""
    wanted = function_mark(series)
    return next((function for function in classification.functions if function.mark == wanted), None)


def function_mark(series: Series) -> str:
    """The mark of the series' function: "5" for 5-4."""
    return series.function or series.mark.partition("-")[0]


def check_classification(classification: Classification) -> list[tuple[Place, str]]:
    """What is wrong in config/register.yaml: (path in the file, message)."""
    return [*_functions(classification), *_series(classification), *_counters(classification)]


def _functions(classification: Classification) -> Iterator[tuple[Place, str]]:
    seen: set[str] = set()
    for index, function in enumerate(classification.functions):
        if function.mark in seen:
            yield ("functions", index, "mark"), f"function {function.mark!r} stands twice"
        seen.add(function.mark)


def _series(classification: Classification) -> Iterator[tuple[Place, str]]:
    marks: set[str] = set()
    for index, series in enumerate(classification.series):
        place: Place = ("series", index)
        if series.mark in marks:
            yield (*place, "mark"), f"series {series.mark!r} stands twice"
        marks.add(series.mark)
        if classification.functions and function_of(classification, series) is None:
            key = "function" if series.function else "mark"
            yield (*place, key), f"no function {function_mark(series)!r}; name one of 'functions' with 'function:'"
        if problem := pattern_problem(series.pattern, NUMBER_TOKENS):
            yield (*place, "pattern"), problem
        elif "{counter" not in series.pattern:
            yield (*place, "pattern"), "a number without {counter} would be given twice"
        if problem := pattern_problem(series.file, FILE_TOKENS):
            yield (*place, "file"), problem
        if series.first < 1:
            yield (*place, "first"), "a counter begins at 1 or above"
        if series.access == "AK" and not series.access_basis:
            yield (*place, "access"), "AK needs 'access_basis', such as AvTS § 35 lg 1 p 3"


def _counters(classification: Classification) -> Iterator[tuple[Place, str]]:
    """Series that share a counter must agree on how it runs."""
    owners: dict[str, Series] = {}
    for index, series in enumerate(classification.series):
        name = series.counter or series.mark
        first = owners.setdefault(name, series)
        if (first.yearly, first.first) != (series.yearly, series.first):
            message = f"shares the counter {name!r} with series {first.mark!r}, but 'yearly' or 'first' differ"
            yield ("series", index, "counter" if series.counter else "mark"), message
