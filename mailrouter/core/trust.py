"""Whether the author that a mail names really wrote it, as far as our own servers said so.

Invariant: only the topmost Authentication-Results of an authserv-id of ours is believed, and only if the mail came from
nowhere outside after it was stamped (RFC 8601 § 5, § 7.1); whatever is unclear, double or broken is not verified.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mailrouter.core.headers import parse_addresses
from mailrouter.core.message import Address

Header = tuple[str, str]

_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128")
)


@dataclass(frozen=True, slots=True)
class Trust:
    """mailrouter.yaml's `trust`: who is believed about who wrote a mail.

    `hosts` are our own relays between the server that checks and the mailbox: names, ".domains", addresses or networks.
    """

    authserv_ids: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    internal: Literal["authentication-results", "x-ms-authas", "own-domains"] = "authentication-results"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the author is verified, and by what, or why not: for the person who asks."""

    verified: bool
    why: str


@dataclass(frozen=True, slots=True)
class _Result:
    """One resinfo of RFC 8601 § 2.2: `dkim=pass header.d=x.example`."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...]

    def values(self, *names: str) -> list[str]:
        return [value for name, value in self.properties if name in names]


def verify(headers: Sequence[Header], author: Address | None, trust: Trust, own_domains: Sequence[str]) -> Verdict:
    """Whether `author` (the mail's From) is verified. `headers` are the mail's own, in their order, topmost first."""
    domain = _domain(author)
    if author is None or not domain:
        return Verdict(False, "the mail names no author's address")
    double = _several_authors(headers)
    if double:
        return Verdict(False, double)
    if domain in {own.lower().rstrip(".") for own in own_domains}:
        if trust.internal == "own-domains":
            return Verdict(True, f"{domain} is our own domain, and our server refuses unauthenticated senders of it")
        if trust.internal == "x-ms-authas":
            return _authenticated_as(headers)
    return _by_results(headers, domain, trust)


def _domain(author: Address | None) -> str:
    address = author.address if author else None
    return (address or "").rpartition("@")[2].lower().rstrip(".") if "@" in (address or "") else ""


def _several_authors(headers: Sequence[Header]) -> str | None:
    """RFC 7489 § 6.6.1: a mail with several authors has no one author to verify."""
    fields = [value for name, value in headers if name.lower() == "from"]
    if len(fields) > 1:
        return f"the mail has {len(fields)} From headers"
    if fields and len({address for _, address in parse_addresses(fields[0]) if address}) > 1:
        return "the From header names several authors"
    return None


def _authenticated_as(headers: Sequence[Header]) -> Verdict:
    """Exchange stamps how the sender logged in and removes the header from what comes in from outside."""
    found = [value.strip().lower() for name, value in headers if name.lower() == "x-ms-exchange-organization-authas"]
    if found and set(found) == {"internal"}:
        return Verdict(True, "X-MS-Exchange-Organization-AuthAs: Internal")
    said = ", ".join(dict.fromkeys(found)) or "absent"
    return Verdict(False, f"X-MS-Exchange-Organization-AuthAs is {said}")


def _by_results(headers: Sequence[Header], domain: str, trust: Trust) -> Verdict:
    ours = {name.lower() for name in trust.authserv_ids}
    for place, (name, value) in enumerate(headers):
        if name.lower() != "authentication-results":
            continue
        server = _server(value)
        if server not in ours:
            continue
        outside = _from_outside(headers[:place], trust.hosts)
        if outside:
            return Verdict(False, f"the results of {server} stand below a Received from {outside}, outside trust.hosts")
        results = _results(value)
        if results is None:
            return Verdict(False, f"the results of {server} cannot be read")
        return _judge(results, domain, server)
    return Verdict(False, "no Authentication-Results of a server in trust.authserv_ids")


def _judge(results: Sequence[_Result], domain: str, server: str) -> Verdict:
    dmarc = [each for each in results if each.method == "dmarc"]
    for each in dmarc:
        named = [value.lower().rpartition("@")[2] for value in each.values("header.from")]
        if each.result == "pass" and named and set(named) != {domain}:
            return Verdict(False, f"{server}: dmarc=pass is for {', '.join(named)}, not for {domain}")
    said = {each.result for each in dmarc}
    if said == {"pass"}:
        return Verdict(True, f"{server}: dmarc=pass for {domain}")
    if said - {"none", "bestguesspass"}:  # it was checked and did not pass; what else passed does not heal that
        return Verdict(False, f"{server}: dmarc={'/'.join(sorted(said))} for {domain}")
    for each in results:
        if each.result != "pass":
            continue
        if each.method == "dkim":
            signers = each.values("header.d") or each.values("header.i")
        elif each.method == "spf":
            signers = each.values("smtp.mailfrom", "smtp.mail")
        else:
            continue
        if signers and all(_aligned(signer, domain) for signer in signers):
            return Verdict(True, f"{server}: {each.method}=pass for {signers[0]}, aligned with {domain}")
    return Verdict(False, f"{server}: neither dmarc nor an aligned dkim or spf passed for {domain}")


def _aligned(signer: str, domain: str) -> bool:
    """RFC 7489 § 3.1, relaxed: the same domain, or one is below the other; a bare top-level domain is nobody's."""
    other = signer.lower().rpartition("@")[2].strip(".")
    if "." not in other or "." not in domain:
        return False
    return other == domain or domain.endswith("." + other) or other.endswith("." + domain)


def _from_outside(above: Sequence[Header], hosts: Sequence[str]) -> str | None:
    """The host outside `hosts` that a Received header in `above` took the mail from; None if there is none."""
    for name, value in above:
        if name.lower() != "received":
            continue
        sources = _sources(value)
        if not sources:
            return "an unnamed host"
        for source in sources:
            if not any(_is_host(source, host) for host in hosts):
                return source
    return None


def _sources(received: str) -> list[str]:
    """Who a Received header says the mail came from: the name given, and what the server saw itself in brackets.

    The name is the client's own claim (RFC 5321 § 4.1.4), so that what the server saw must be ours too. Handed over
    inside one host, there is no "from": then the host itself.
    """
    match = re.match(r"\s*from\s+(\S+)(?:\s*\(([^()]{0,500})\))?", received, re.IGNORECASE)
    if not match:
        by = re.match(r"\s*(?:\([^()]{0,500}\)\s*)?by\s+(\S+)", received, re.IGNORECASE)
        return [by[1].strip("[];").lower()] if by else []
    found = [match[1].strip("[];").lower()]
    seen = match[2] or ""
    name = re.match(r"\s*([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]*)", seen)
    address = re.search(r"(?:IPv6:)?([0-9A-Fa-f:.]{3,45})(?=\]|\s*$|[;\s])", seen[name.end() :] if name else seen)
    if name:
        found.append(name[1].lower())
    elif address and not _is_private(address[1]):
        found.append(address[1].lower())
    return found


def _is_private(text: str) -> bool:
    """RFC 1918, 4193 and loopback: no host outside has such an address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE)


def _is_host(source: str, host: str) -> bool:
    wanted = host.lower().rstrip(".")
    try:
        return ipaddress.ip_address(source.removeprefix("ipv6:")) in ipaddress.ip_network(wanted, strict=False)
    except (ValueError, TypeError):
        pass
    return source.rstrip(".") == wanted or (wanted.startswith(".") and source.rstrip(".").endswith(wanted))


def _server(value: str) -> str:
    """The authserv-id that a header begins with; its version may follow (RFC 8601 § 2.2). "" if there is none.

    Of a header that is broken further on the id counts still: nothing below a broken header of ours is believed.
    """
    segments = _segments(value)
    if segments is None:
        match = re.match(r"\s*([^\s;=\"()]{1,255})\s*[;(\s]", value)
        return match[1].lower().rstrip(".") if match else ""
    words = segments[0]
    named = len(words) == 1 or (len(words) == 2 and words[1].isdigit())
    return words[0].lower().rstrip(".") if named else ""


def _results(value: str) -> list[_Result] | None:
    """The resinfos of a header; None if it is broken: an open quote or comment could hide anything."""
    segments = _segments(value)
    if segments is None:
        return None
    results: list[_Result] = []
    for words in segments[1:]:
        pairs = _pairs(words)
        if not pairs:
            continue
        method, result = pairs[0]
        results.append(_Result(method.partition("/")[0], result.lower(), tuple(pairs[1:])))
    return results


def _pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    """`name = value` pairs, white space around the sign allowed; words that stand alone ("none") are left out."""
    signs = (place for place in range(1, len(words) - 1) if words[place] == "=")
    return [(words[place - 1].lower(), words[place + 1]) for place in signs]


_LEXEME = re.compile(r'"((?:[^"\\]|\\.){0,4000})"|([;=])|([^\s;="()]+)|(\s+)', re.DOTALL)


def _segments(value: str) -> list[list[str]] | None:
    """Words between the semicolons, comments left out, quoted strings as one word; None if it is broken."""
    segments: list[list[str]] = [[]]
    place = 0
    glued = False  # a value may be quoted in part: "mari"@x.example
    while place < len(value):
        if value[place] == "(":
            place = _after_comment(value, place)
            if place < 0:
                return None
            glued = False
            continue
        match = _LEXEME.match(value, place)
        if not match:
            return None
        place = match.end()
        quoted, sign, word, _space = match.groups()
        if sign == ";":
            segments.append([])
        elif sign:
            segments[-1].append("=")
        elif quoted is not None or word is not None:
            text = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) if quoted is not None else word
            if glued:
                segments[-1][-1] += text
            else:
                # A quoted "=" is a word, not the sign.
                segments[-1].append(text if text != "=" else "'='")
        glued = quoted is not None or word is not None
    return segments


def _after_comment(value: str, place: int) -> int:
    """Where the comment that begins here ends; comments nest (RFC 5322 § 3.2.2). -1 if it never does."""
    depth = 0
    while place < len(value):
        mark = value[place]
        if mark == "\\":
            place += 1
        depth += (mark == "(") - (mark == ")")
        place += 1
        if depth == 0:
            return place
    return -1
