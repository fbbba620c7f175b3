"""Access tokens by OAuth 2 (RFC 6749): client credentials at Microsoft 365, refresh tokens at any other provider.

Invariant: one node refreshes at a time, a refresh token that was exchanged for a new one is saved before anything else
happens, and no secret is in any message.
"""

import hashlib
import ipaddress
import json
import secrets
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

from mailrouter import settings
from mailrouter.shell.errors import Permanent, Temporary

EARLY_SECONDS: Final = 300.0  # refreshed before its end; nodes' clocks may differ by a minute
USABLE_SECONDS: Final = 30.0  # a token that lives this long still opens a connection while the provider is down
LEASE_SECONDS: Final = 90.0  # longer than one exchange can take
TIMEOUT_SECONDS: Final = 30.0
WARN_DAYS: Final = 30
_WAIT_SLICE_SECONDS: Final = 0.25
_DEFAULT_LIFETIME_SECONDS: Final = 3600  # RFC 6749 § 5.1: expires_in is recommended, not required
# RFC 6749 § 5.2: only a person can mend these.
_FOR_GOOD: Final = frozenset(
    {
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_request",
    }
)


class TokenStore(Protocol):
    """Where tokens are kept between runs and nodes, and who may refresh (store/leases.py)."""

    def load(self, name: str) -> str | None:
        """What was saved last under this name."""
        ...

    def save(self, name: str, value: str) -> None:
        """Save at once."""
        ...

    def held(self, name: str, owner: str, seconds: float) -> AbstractContextManager[bool]:
        """Hold the lease of this name for a block; yields whether it was got."""
        ...


class Http(Protocol):
    """What msal needs of an HTTP client (requests.Session has it)."""

    def get(self, url: str, **options: Any) -> Any:
        """GET."""
        ...

    def post(self, url: str, **options: Any) -> Any:
        """POST."""
        ...

    def close(self) -> None:
        """Close."""
        ...


@dataclass(frozen=True, slots=True)
class _Tokens:
    """What is saved. `seed` is the digest of the refresh token that staff gave, so that a new one is noticed."""

    access: str = ""
    renew: float = 0.0  # seconds since 1970, from which on another is fetched
    expires: float = 0.0  # seconds since 1970
    refresh: str = ""
    seed: str = ""


def source(name: str, oauth: settings.OAuth, store: TokenStore, http: Http | None = None) -> "TokenSource":
    """Access tokens for `name`, such as "mailbox:registry"; `http` replaces msal's own HTTP client."""
    return TokenSource(name, oauth, store, http)


def expires_soon(oauth: settings.OAuth, today: date, days: int = WARN_DAYS) -> str | None:
    """A warning when the client secret ends within `days`, has ended, or its date cannot be read; else None."""
    if not oauth.client_secret_expires:
        return None
    remedy = "make a new one and set client_secret_expires"
    try:
        end = date.fromisoformat(oauth.client_secret_expires)
    except ValueError:
        return f"client_secret_expires {oauth.client_secret_expires!r} is no date such as 2026-12-31"
    left = (end - today).days
    if left < 0:
        return f"the client secret of {oauth.client_id} ended on {end}: {remedy}"
    return f"the client secret of {oauth.client_id} ends on {end}, in {left} days: {remedy}" if left <= days else None


def forget(token: Callable[[], str] | None, refused: str) -> None:
    """A server refused this token: its source, if it is one of ours, fetches another at the next try."""
    if isinstance(token, TokenSource):
        token.drop(refused)


class TokenSource:
    """Call it for an access token; safe from several threads."""

    def __init__(self, name: str, oauth: settings.OAuth, store: TokenStore, http: Http | None) -> None:
        self._name = f"oauth:{name}"
        self._oauth = oauth
        self._store = store
        self._http = http
        self._owner = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._tokens = _Tokens()

    def __call__(self) -> str:
        """A token that lives long enough to log in. Temporary or Permanent if there is none."""
        with self._lock:
            if not self._fresh(self._tokens):
                self._tokens = self._load()
            if not self._fresh(self._tokens):
                self._tokens = self._renew()
            return self._tokens.access

    def drop(self, token: str) -> None:
        """A server refused this token: the next call fetches another."""
        with self._lock:
            stored = self._load()
            if stored.access == token:
                self._save(replace(stored, access="", renew=0.0, expires=0.0))
            self._tokens = _Tokens()

    def _renew(self) -> _Tokens:
        """Refresh, or wait for the node that does."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            with self._store.held(self._name, self._owner, LEASE_SECONDS) as got:
                tokens = self._load()
                if self._fresh(tokens):
                    return tokens
                if got:
                    return self._exchange(tokens)
            if time.monotonic() > deadline:
                if tokens.expires > time.time() + USABLE_SECONDS:
                    return tokens
                raise Temporary(f"{self._name}: another node has been refreshing the token for {TIMEOUT_SECONDS:.0f} s")
            time.sleep(_WAIT_SLICE_SECONDS)

    def _exchange(self, old: _Tokens) -> _Tokens:
        try:
            new = (
                _microsoft(self._oauth, self._http)
                if self._oauth.provider == "microsoft"
                else _generic(self._oauth, old)
            )
        except Temporary:
            if old.access and old.expires > time.time() + USABLE_SECONDS:
                return old
            raise
        self._save(new)
        return new

    def _fresh(self, tokens: _Tokens) -> bool:
        seed = _seed(self._oauth)
        return bool(tokens.access) and tokens.renew > time.time() and seed in {"", tokens.seed}

    def _load(self) -> _Tokens:
        try:
            return _Tokens(**json.loads(self._store.load(self._name) or "{}"))
        except (ValueError, TypeError):
            return _Tokens()

    def _save(self, tokens: _Tokens) -> None:
        self._store.save(self._name, json.dumps(asdict(tokens)))


# -- Microsoft 365 --


def _microsoft(oauth: settings.OAuth, http: Http | None) -> _Tokens:
    """Client credentials (RFC 6749 § 4.4) by msal; no refresh token is involved."""
    import msal  # noqa: PLC0415 - takes a second to import, and only Microsoft 365 needs it

    if not oauth.tenant:
        raise Permanent("oauth.tenant is missing: the directory (tenant) id of the Microsoft 365 organisation")
    secret = _client_secret(oauth)
    if not secret:
        raise Permanent(f"no client secret: {_secret_place(oauth)}")
    try:
        application = msal.ConfidentialClientApplication(
            oauth.client_id,
            client_credential=secret,
            authority=f"https://login.microsoftonline.com/{urllib.parse.quote(oauth.tenant, safe='')}",
            instance_discovery=False,  # the authority is known
            http_client=http,
            timeout=None if http else TIMEOUT_SECONDS,
        )
        answer = application.acquire_token_for_client(scopes=[oauth.scope])
    except (OSError, ValueError) as error:  # requests' errors are OSErrors; msal says ValueError to a wrong tenant
        text = _clean(str(error), secret)
        raise Temporary(f"Microsoft 365 gives no token for {oauth.client_id}: {text}") from None
    return _tokens(answer, oauth, secret, _Tokens())


# -- any provider --


def _generic(oauth: settings.OAuth, old: _Tokens) -> _Tokens:
    """A refresh token (RFC 6749 § 6), or client credentials where none was given."""
    url = oauth.token_url or ""
    if not _confidential(url):
        raise Permanent(f"oauth.token_url {url!r} must begin with https://")
    seed = _seed(oauth) or old.seed
    refresh = old.refresh if old.refresh and old.seed == seed else _first_refresh_token(oauth)
    secret = _client_secret(oauth)
    form = {"client_id": oauth.client_id, "scope": oauth.scope}
    form |= (
        {"grant_type": "refresh_token", "refresh_token": refresh} if refresh else {"grant_type": "client_credentials"}
    )
    if secret:
        form["client_secret"] = secret
    return _tokens(_post(url, form), oauth, secret, replace(old, refresh=refresh, seed=seed))


def _post(url: str, form: Mapping[str, str]) -> Mapping[str, Any]:
    """The answer's JSON, also of a refusal; Temporary if the endpoint is not there or not itself."""
    body = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(url, body, {"Accept": "application/json"})  # noqa: S310 - see _confidential
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - as above
            text = response.read(1_000_000)
    except urllib.error.HTTPError as error:
        with error:
            text = error.read(1_000_000)
        if error.code == 429 or error.code >= 500:
            raise Temporary(f"{url} answers {error.code}: try later") from None
    except OSError as error:
        raise Temporary(f"{url} cannot be reached: {error}") from None
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Temporary(f"{url} answers no JSON object")
    return answer


def _confidential(url: str) -> bool:
    """RFC 6749 § 3.2: TLS; plain HTTP only to this very machine."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        return True
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


# -- what both have --


def _tokens(answer: Mapping[str, Any], oauth: settings.OAuth, secret: str, old: _Tokens) -> _Tokens:
    """The tokens in an answer (RFC 6749 § 5.1), or its error (§ 5.2) with the remedy."""
    if answer.get("access_token"):
        lifetime = float(answer.get("expires_in") or _DEFAULT_LIFETIME_SECONDS)
        early = min(EARLY_SECONDS, lifetime / 2)  # short-lived ones at half their life, not at every call
        now = time.time()
        refresh = str(answer.get("refresh_token") or old.refresh)  # RFC 6749 § 6: a new one replaces the old
        return _Tokens(str(answer["access_token"]), now + lifetime - early, now + lifetime, refresh, old.seed)
    code = str(answer.get("error", "no access_token"))
    said = _clean(f"{code}: {answer.get('error_description', '')}", secret, old.refresh)
    if code not in _FOR_GOOD:
        raise Temporary(f"no token for {oauth.client_id} ({said})")
    remedy = f"look at client_id, scope and {_secret_place(oauth)}"
    if code == "invalid_grant":
        remedy = f"have the account consent again and put the new refresh token into {oauth.refresh_token_file}"
    raise Permanent(f"no token for {oauth.client_id} ({said}): {remedy}")


def _clean(text: str, *hidden: str) -> str:
    for one in hidden:
        text = text.replace(one, "***") if one else text
    return " ".join(text.split())[:300]


def _client_secret(oauth: settings.OAuth) -> str:
    given = settings.Credentials(password_env=oauth.client_secret_env, password_file=oauth.client_secret_file)
    return given.password() or ""


def _secret_place(oauth: settings.OAuth) -> str:
    return f"the client secret in {oauth.client_secret_env or oauth.client_secret_file or 'client_secret_env'}"


def _first_refresh_token(oauth: settings.OAuth) -> str:
    path: Path | None = oauth.refresh_token_file
    if path is None:
        return ""
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise Permanent(f"refresh_token_file {path} cannot be read: {error.strerror}") from None


def _seed(oauth: settings.OAuth) -> str:
    """The digest of the refresh token that staff gave; "" if it cannot be read, so that a saved one goes on."""
    try:
        first = _first_refresh_token(oauth)
    except Permanent:
        return ""
    return hashlib.sha256(first.encode()).hexdigest()[:16] if first else ""
