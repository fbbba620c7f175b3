"""Conditions on mail addresses: their domain."""

from typing import Any

from mailrouter.core.conditions.interface import Facts, Site, Test, operator, texts_of
from mailrouter.core.conditions.text import text_getter
from mailrouter.core.paths import names

_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


@operator("domain", takes=("text", "record"), schema=_SCHEMA)
def domain(wanted: Any, site: Site) -> Test | None:
    """The address is in this domain, not below it: `domain: ec.europa.eu`. Of a list: in one of them."""
    domains = frozenset(_domains(wanted, site))
    return _on_domain(site, lambda found: found in domains) if domains else None


@operator("subdomain", takes=("text", "record"), schema=_SCHEMA)
def subdomain(wanted: Any, site: Site) -> Test | None:
    """The address is in this domain or anywhere below it: `subdomain: europa.eu`. Of a list: of one of them."""
    domains = _domains(wanted, site)
    below = tuple(f".{item}" for item in domains)
    return _on_domain(site, lambda found: found in domains or found.endswith(below)) if domains else None


def _domains(wanted: Any, site: Site) -> list[str]:
    result = []
    for text in texts_of(wanted, site):
        bare = text.removeprefix("@").casefold().strip(".")
        if "@" in bare or not bare or any(c.isspace() for c in bare):
            site.problem(f"'{text}' is no domain; write it as 'ec.europa.eu'")
            continue
        result.append(bare)
    return result


def _on_domain(site: Site, met: Any) -> Test | None:
    get = text_getter(site.field, names)
    if get is not None and not names(site.field.record or str):
        site.problem(f"'{site.field.key}' has no address; name one of its parts")
        return None

    def check(value: Any, _: Facts) -> bool:
        texts = [value] if get is None else get(value)
        return any(met(text.rpartition("@")[2].casefold().rstrip(".")) for text in texts if "@" in text)

    return Test(check, cost=3)
