"""Reference numbers: the initial letter's, its replies' and follow-ups'.

What a number costs, by the kind of series (published behaviour of the Delta document system):

    individualising   initial: new counter, suffix 1        joins: the same stem, highest suffix + 1, counter unchanged
    fresh             every document: new counter, no suffix
    same              initial: new counter, no suffix       joins: the same number again

A document joins only within its own series; the answer to a letter in another series starts there anew and is
related. Invariant: nothing is allocated here; the store locks `counter_name` and hands the value in.
"""

from dataclasses import dataclass
from datetime import date

from mailrouter.core.outcomes import Hold
from mailrouter.core.register.entries import Entry, Series
from mailrouter.core.register.patterns import fill_pattern


@dataclass(frozen=True, slots=True)
class Numbering:
    """What a document is registered under. `stem` is what later replies and follow-ups find their siblings by."""

    number: str
    counter: int | None
    suffix: int | None
    file: str
    stem: str


def file_mark(series: Series, registered: date) -> str:
    """The mark of the series' file on that day: "5-4/2024"."""
    return fill_pattern(series.file, {"series": series.mark, "year": registered.year}, 4)


def counter_name(series: Series, registered: date) -> str:
    """The name of the counter that the series draws from on that day: "5-4@2024"; one per year if it resets yearly.

    Series with the same `counter` share it.
    """
    name = series.counter or series.mark
    return f"{name}@{registered.year}" if series.yearly else name


def format_number(
    series: Series, counter: int, suffix: int | None, registered: date, *, file: str | None = None
) -> str:
    """A number as the series prints it, the suffix appended: "5-4/22-1", "1-2/23-031".

    `file` is the file's mark where it is not the one of `registered`: a year in it is {file_year}.
    """
    mark = file_mark(series, registered) if file is None else file
    values: dict[str, str | int] = {
        "series": series.mark,
        "file": mark,
        "file_year": _file_year(series, mark, registered),
        "year": registered.year,
        "counter": counter,
    }
    number = fill_pattern(series.pattern, values, 2)
    return number if suffix is None else f"{number}-{suffix}"


def _file_year(series: Series, mark: str, registered: date) -> int:
    """The year in a file's mark; the year of registration where the mark has none."""
    for year in range(registered.year, registered.year - 100, -1):
        if mark == file_mark(series, registered.replace(year=year, day=1)):
            return year if "{year" in series.file else registered.year
    return registered.year


def joins(series: Series, related: Entry | None) -> bool:
    """Whether a document of this series takes its number from `related` (a registered one of the same series)."""
    return related is not None and related.series == series.mark and series.numbering != "fresh"


def needs_counter(series: Series, related: Entry | None) -> bool:
    """Whether a new counter value must be allocated, so that the store locks the counter only then."""
    return not joins(series, related)


def next_number(
    series: Series,
    registered: date,
    *,
    related: Entry | None = None,
    highest_suffix: int | None = None,
    counter_value: int | None = None,
) -> Numbering | Hold:
    """The number of a document registered on `registered`; `related` is the entry that it answers or follows.

    `highest_suffix` is the highest one under `related.stem`; `counter_value` the freshly allocated value where
    `needs_counter` says so (ValueError without it). A reply to a letter that has no number is refused: Hold
    "unregistered".
    """
    if related is not None and not related.number:
        return Hold("unregistered", f"{related.title!r} is not registered: register it before anything that joins it")
    if related is not None and joins(series, related):
        return _joined(series, related, highest_suffix)
    if counter_value is None:
        raise ValueError(f"series {series.mark} needs a value of its counter")
    file = _file(series, registered, related)
    suffix = 1 if series.numbering == "individualising" else None
    return Numbering(
        number=format_number(series, counter_value, suffix, registered, file=file),
        counter=counter_value,
        suffix=suffix,
        file=file,
        stem=f"{counter_name(series, registered)}#{counter_value}",
    )


def _joined(series: Series, related: Entry, highest_suffix: int | None) -> Numbering:
    """The number of what joins `related`: its stem is taken from its number, whatever pattern or year it was made by."""
    number = related.number or ""
    suffix: int | None = related.suffix
    if series.numbering == "individualising":
        stem = number.removesuffix(f"-{related.suffix}") if related.suffix is not None else number
        # An initial letter that was given no suffix counts as the first.
        suffix = max(highest_suffix or 0, related.suffix or 1) + 1
        number = f"{stem}-{suffix}"
    return Numbering(number, related.counter, suffix, related.file, related.stem or f"{series.mark}#{related.number}")


def _file(series: Series, registered: date, related: Entry | None) -> str:
    """A reply lies in its letter's file (a fresh number does not change that)."""
    if related is not None and related.series == series.mark and related.file:
        return related.file
    return file_mark(series, registered)
