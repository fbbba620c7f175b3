"""Conditions on mail addresses: their domain."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mailrouter.core.conditions.interface import Facts, Lookup, Site, Test, operator, texts_of
from mailrouter.core.conditions.text import text_getter
from mailrouter.core.paths import names

_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


@operator("domain", takes=("text", "record"), schema=_SCHEMA)
def domain(wanted: Any, site: Site) -> Test | None:
    """The address is in this domain, not below it: `domain: ec.europa.eu`. Of a list: in one of them."""
    domains = frozenset(_domains(wanted, site))
    return _on_domain(site, "domain", lambda found: (found,), domains) if domains else None


@operator("subdomain", takes=("text", "record"), schema=_SCHEMA)
def subdomain(wanted: Any, site: Site) -> Test | None:
    """The address is in this domain or anywhere below it: `subdomain: europa.eu`. Of a list: of one of them."""
    domains = frozenset(_domains(wanted, site))
    return _on_domain(site, "subdomain", _with_those_above, domains) if domains else None


def _with_those_above(domain: str) -> list[str]:
    """A domain and all that it lies below: mail.ec.europa.eu, ec.europa.eu, europa.eu, eu."""
    return [domain, *(domain[at + 1 :] for at, character in enumerate(domain) if character == ".")]


def _domains(wanted: Any, site: Site) -> list[str]:
    result = []
    for text in texts_of(wanted, site):
        bare = text.removeprefix("@").casefold().strip(".")
        if "@" in bare or not bare or any(c.isspace() for c in bare):
            site.problem(f"'{text}' is no domain; write it as 'ec.europa.eu'")
            continue
        result.append(bare)
    return result


def _on_domain(site: Site, way: str, meant: Callable[[str], Iterable[str]], domains: frozenset[str]) -> Test | None:
    """A value's address is in one of the `domains`, which are compared with those `meant` by its own."""
    get = text_getter(site.field, names)
    if get is not None and not names(site.field.record or str):
        site.problem(f"'{site.field.key}' has no address; name one of its parts")
        return None

    def keys(values: Sequence[Any], _: Facts) -> list[str]:
        texts = values if get is None else [text for value in values for text in get(value)]
        found = [text.rpartition("@")[2].casefold().rstrip(".") for text in texts if "@" in text]
        return [key for domain in found for key in meant(domain)]

    return Test(lambda value, facts: not domains.isdisjoint(keys((value,), facts)), None, 3, Lookup(way, keys, domains))
