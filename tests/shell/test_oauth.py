"""OAuth 2 against a small provider of our own, Dovecot's oauth2 passdb, an SMTP server with XOAUTH2, and msal."""

import base64
import contextlib
import json
import threading
import time
from datetime import date
from urllib.parse import parse_qs, urlsplit

import local_dovecot
import local_smtp
import local_tokens
import pytest
from aiosmtpd.smtp import AuthResult

from mailrouter import settings
from mailrouter.shell import mailboxes, oauth, smtp
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.store.store import Store as RealStore

RAW = b"From: a@ministry.example\r\n\r\nx\r\n"


@pytest.fixture
def provider():
    with local_tokens.token_server() as server:
        yield server


class Store:
    """A token store in memory, with leases as the database's."""

    def __init__(self):
        self.values = {}
        self.owners = {}
        self.log = []
        self.lock = threading.Lock()

    def load(self, name):
        return self.values.get(name)

    def save(self, name, value):
        self.log.append("saved")
        self.values[name] = value

    @contextlib.contextmanager
    def held(self, name, owner, seconds):
        with self.lock:
            got = self.owners.setdefault(name, owner) == owner
        try:
            yield got
        finally:
            if got:
                del self.owners[name]


@pytest.fixture
def given(provider, tmp_path, monkeypatch):
    """Settings of a generic provider whose first refresh token is in a file."""
    monkeypatch.setenv("CLIENT_SECRET", "client-secret")
    file = tmp_path / "refresh"
    file.write_text("first-refresh\n")
    return settings.OAuth(
        provider="generic", token_url=f"{provider.url}/token", client_id="app", client_secret_env="CLIENT_SECRET",
        refresh_token_file=file, scope="mail",
    )  # fmt: skip


def test_a_token_is_fetched_once_and_kept(provider, given):
    """While it lives the same token is given, also to the next run, without asking the provider."""
    store = Store()
    tokens = oauth.source("smtp", given, store)
    assert tokens() == tokens() == "access-0"
    assert oauth.source("smtp", given, store)() == "access-0"
    assert len(provider.exchanges) == 1
    assert provider.exchanges[0]["scope"] == "mail"


def test_a_rotated_refresh_token_is_saved_and_used(provider, given):
    """Each exchange gives a new refresh token and voids the old: the saved one goes on after a restart."""
    store = Store()
    provider.lifetime = 0.2
    for number in range(3):
        assert oauth.source("smtp", given, store)() == f"access-{number}"
        time.sleep(0.25)
    assert [form["refresh_token"] for form in provider.exchanges] == ["first-refresh", "refresh-0", "refresh-1"]


def test_refreshed_before_its_end(provider, given):
    """A token that is about to end is not given out."""
    tokens = oauth.source("smtp", given, Store())
    provider.lifetime = 1.0
    assert tokens() == "access-0"
    time.sleep(0.6)
    assert provider.valid["access-0"] > time.time()
    assert tokens() == "access-1"


def test_many_nodes_one_refresher(provider, given):
    """Eight nodes want a token at once: one exchange, or the refresh token would be used twice and void."""
    store = Store()
    provider.delay_seconds = 0.3
    found = []
    threads = [threading.Thread(target=lambda: found.append(oauth.source("smtp", given, store)())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["access-0"] * 8
    assert len(provider.exchanges) == 1


def test_leases_of_the_real_store(provider, given, store_url):
    """The database's leases and secrets serve as the store, on both databases."""
    store = RealStore(store_url, None)
    try:
        assert oauth.source("smtp", given, store.leases)() == "access-0"
        assert oauth.source("smtp", given, store.leases)() == "access-0"
    finally:
        store.close()


def test_a_new_refresh_token_from_staff_is_noticed(provider, given):
    """After a refusal staff put a new token into the file: it is used, not the saved one."""
    store = Store()
    tokens = oauth.source("smtp", given, store)
    assert tokens() == "access-0"
    provider.refresh = "given-anew"
    given.refresh_token_file.write_text("given-anew")
    assert tokens() == "access-1"
    assert provider.exchanges[-1]["refresh_token"] == "given-anew"


def test_a_revoked_refresh_token_names_the_remedy_not_the_secret(provider, given):
    """Staff read what to do; no secret is told."""
    provider.refresh = "another"
    with pytest.raises(Permanent, match="put the new refresh token into") as refused:
        oauth.source("smtp", given, Store())()
    assert "first-refresh" not in str(refused.value)


def test_a_wrong_client_secret_names_the_setting_not_the_secret(provider, given, monkeypatch):
    """The variable is named, its value is not, even where the provider repeats it."""
    monkeypatch.setenv("CLIENT_SECRET", "wr0ng")
    with pytest.raises(Permanent, match="CLIENT_SECRET") as refused:
        oauth.source("smtp", given, Store())()
    assert "wr0ng" not in str(refused.value)


@pytest.mark.parametrize(
    "failure", [(503, {}), (429, {"error": "slow_down"}), (400, {"error": "temporarily_unavailable"})]
)
def test_a_provider_in_trouble_is_temporary(provider, given, failure):
    """The provider's own troubles pass."""
    provider.failure = failure
    with pytest.raises(Temporary):
        oauth.source("smtp", given, Store())()


def test_a_provider_in_trouble_does_not_stop_a_living_token(provider, given, monkeypatch):
    """A token that still lives is used on while the provider is down."""
    monkeypatch.setattr(oauth, "USABLE_SECONDS", 0.1)
    tokens = oauth.source("smtp", given, Store())
    provider.lifetime = 2.0
    assert tokens() == "access-0"
    provider.failure = (503, {})
    time.sleep(1.1)
    assert tokens() == "access-0"
    time.sleep(1.0)
    with pytest.raises(Temporary):
        tokens()


def test_no_provider_is_temporary(given):
    """Nobody listens: later."""
    gone = given.model_copy(update={"token_url": "http://127.0.0.1:9/token"})
    with pytest.raises(Temporary, match="cannot be reached"):
        oauth.source("smtp", gone, Store())()


@pytest.mark.parametrize("url", ["http://provider.example/token", "file:///etc/passwd", "", None])
def test_secrets_go_only_over_tls(given, url):
    """RFC 6749 § 3.2: a token endpoint without TLS is refused before anything is sent."""
    with pytest.raises(Permanent, match="https"):
        oauth.source("smtp", given.model_copy(update={"token_url": url}), Store())()


def test_client_credentials_without_a_refresh_token(provider, given):
    """Without a refresh token the application speaks for itself."""
    tokens = oauth.source("smtp", given.model_copy(update={"refresh_token_file": None}), Store())
    assert tokens() == "access-0"
    assert provider.exchanges[0]["grant_type"] == "client_credentials"


def test_dovecot_takes_the_token(provider, given):
    """XOAUTH2 logs in to Dovecot's oauth2 passdb; a token that was revoked in mid-run is replaced at the next try."""
    store = Store()
    with local_dovecot.dovecot(introspection_url=f"{provider.url}/introspect") as server:
        provider.user = server.user()
        mailbox = settings.Mailbox(
            name="registry", address="registry@ministry.example",
            imap=settings.Imap(host=server.host, port=server.port, tls=False, user=provider.user, oauth=given, timeout_seconds=10),
        )  # fmt: skip
        tokens = oauth.source("mailbox:registry", given, store)
        box = mailboxes.connect(mailbox, tokens)
        assert box.append("INBOX", RAW) == 1
        box.close()
        provider.valid.clear()
        with pytest.raises(Permanent, match="oauth") as refused:
            mailboxes.connect(mailbox, tokens)
        assert "access-0" not in str(refused.value)
        box = mailboxes.connect(mailbox, tokens)
        assert box.state("INBOX").exists == 1
        box.close()
    assert [form["refresh_token"] for form in provider.exchanges] == ["first-refresh", "refresh-0"]


def test_smtp_takes_the_token(provider, given):
    """XOAUTH2 logs in to SMTP; a refused token is replaced at the next try."""

    class XOAuth2:
        async def auth_XOAUTH2(self, server, args):  # noqa: N802 - aiosmtpd looks it up by this name
            said = base64.b64decode(args[1]).decode()
            user, token = (
                said.split("\x01")[0].removeprefix("user="),
                said.split("\x01")[1].removeprefix("auth=Bearer "),
            )
            good = user == "registry" and provider.introspect({"token": token})[1]["active"]
            return AuthResult(success=good, handled=False)

    with local_smtp.smtp_sink(
        authenticator=lambda *_: AuthResult(success=False, handled=False), mechanisms=XOAuth2()
    ) as sink:
        out = settings.Smtp(host=sink.host, port=sink.port, user="registry", oauth=given, timeout_seconds=5)
        tokens = oauth.source("smtp", given, Store())

        def send():
            results = []
            mail = smtp.Envelope("a@ministry.example", ("b@x.example",), RAW, "k")
            smtp.send(out, [mail], before_data=lambda _: True, done=results.append, token=tokens)
            return results[0].outcomes[0].state

        assert send() == "accepted"
        provider.valid.clear()
        with pytest.raises(Permanent, match="oauth"):
            send()
        assert send() == "accepted"
        assert len(sink.mails) == 2


class Microsoft:
    """Microsoft's endpoints as msal asks them, answered by our provider."""

    def __init__(self, provider):
        self.provider = provider
        self.asked = []

    def get(self, url, **_):
        self.asked.append(url)
        base = url.partition("/v2.0/")[0]
        return _Response(200, {
            "token_endpoint": f"{base}/oauth2/v2.0/token", "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        })  # fmt: skip

    def post(self, url, data=None, **_):
        self.asked.append(url)
        form = data if isinstance(data, dict) else {key: one[0] for key, one in parse_qs(data or "").items()}
        return _Response(*self.provider.token(dict(form)))

    def close(self):
        pass


class _Response:
    def __init__(self, status, answer):
        self.status_code = status
        self.text = json.dumps(answer)
        self.headers = {"Content-Type": "application/json"}

    def raise_for_status(self):
        if self.status_code >= 400:
            raise OSError(self.status_code)


@pytest.fixture
def microsoft(monkeypatch):
    monkeypatch.setenv("CLIENT_SECRET", "client-secret")
    return settings.OAuth(
        provider="microsoft", tenant="ministry.example", client_id="app", client_secret_env="CLIENT_SECRET"
    )


def test_microsoft_client_credentials(provider, microsoft):
    """msal asks the tenant's endpoint with the application's secret and Outlook's scope."""
    http = Microsoft(provider)
    assert oauth.source("smtp", microsoft, Store(), http)() == "access-0"
    assert urlsplit(http.asked[-1]).path == "/ministry.example/oauth2/v2.0/token"
    form = provider.exchanges[0]
    assert (form["grant_type"], form["scope"]) == ("client_credentials", "https://outlook.office365.com/.default")


def test_microsoft_refuses_the_secret(provider, microsoft, monkeypatch):
    """An expired secret names the variable, never its value."""
    monkeypatch.setenv("CLIENT_SECRET", "expired-s3cret")
    with pytest.raises(Permanent, match="CLIENT_SECRET") as refused:
        oauth.source("smtp", microsoft, Store(), Microsoft(provider))()
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (None, None),
        ("2024-06-01", None),
        ("2024-03-20", "in 20 days"),
        ("2024-02-29", "in 0 days"),
        ("2024-02-28", "ended on 2024-02-28"),
        ("soon", "no date"),
    ],
)
def test_the_end_of_a_secret_is_warned_of(microsoft, end, words):
    """Days before a client secret ends staff are told, and after that as well."""
    warning = oauth.expires_soon(microsoft.model_copy(update={"client_secret_expires": end}), date(2024, 2, 29))
    assert (words is None and warning is None) or words in warning
