"""A Dovecot of our own: any user name with the password `secret`, Maildir, Drafts and Sent by special use.

Invariant: each test takes a fresh user, so that one server can serve a whole run.
"""

import contextlib
import datetime as dt
import grp
import imaplib
import ipaddress
import itertools
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import local_processes
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "secret"
_BINARIES = ("/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/opt/homebrew/sbin/dovecot")

_CONFIG = """
protocols = imap
base_dir = {home}/run
state_dir = {home}/run
instance_name = mailrouter-test
listen = 127.0.0.1
log_path = /dev/stderr
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
default_client_limit = 2000
default_process_limit = 300
ssl = yes
ssl_cert = <{home}/server.pem
ssl_key = <{home}/server.key
disable_plaintext_auth = no
first_valid_uid = 0
last_valid_uid = 0
mail_location = maildir:~/Maildir
mail_fsync = never
mail_max_userip_connections = 200
maildir_stat_dirs = no
login_greeting = ready
shutdown_clients = yes
{capability}

auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service imap {{
  service_count = 0
  process_limit = 300
}}

{passdb}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    special_use = \\Drafts
    auto = subscribe
  }}
  mailbox "Sent Items" {{
    special_use = \\Sent
    auto = subscribe
  }}
}}
"""
_STATIC = """auth_mechanisms = plain login
passdb {{
  driver = static
  args = password={password}
}}"""
_OAUTH = """auth_mechanisms = xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {home}/oauth2.conf
}}"""
_OAUTH_FILE = """introspection_url = {url}
introspection_mode = post
username_attribute = username
active_attribute = active
active_value = true
"""


@dataclass
class DovecotServer:
    """A running Dovecot; `user()` gives an account that no other test has."""

    host: str
    port: int  # plain and STARTTLS
    tls_port: int
    ca_file: Path
    home: Path
    process: subprocess.Popen
    password: str = PASSWORD
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def user(self, name: str = "user") -> str:
        """A fresh user name; its mailbox is made at first login."""
        return f"{name}{next(self._numbers)}"

    def client(self, user: str) -> imaplib.IMAP4:
        """A second opinion: the standard library's client, logged in, for what a colleague does or a test checks."""
        client = imaplib.IMAP4(self.host, self.port, timeout=20)
        client.login(user, self.password)
        return client

    def deliver(self, user: str, *mails: bytes, folder: str = "INBOX", flags: str = "") -> None:
        """Put mails into a folder, as a delivery would."""
        client = self.client(user)
        marks = f" ({flags.strip('()')})".encode()
        try:
            for start in range(0, len(mails), 200):  # RFC 3502: many mails in one APPEND, twenty times as fast
                tag = client._new_tag()
                literals = (b"%s {%d+}\r\n%s" % (marks, len(mail), mail) for mail in mails[start : start + 200])
                client.send(b'%s APPEND "%s"%s\r\n' % (tag, folder.encode(), b"".join(literals)))
                status, answer = client._command_complete("APPEND", tag)
                assert status == "OK", answer
        finally:
            client.logout()

    def mails(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """Every mail of a folder, in order of UID; [] if there is no such folder."""
        client = self.client(user)
        try:
            if client.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            answer = client.uid("FETCH", "1:*", "(BODY.PEEK[])")[1]
            return [item[1] for item in answer if isinstance(item, tuple)]
        finally:
            client.logout()

    def log(self) -> str:
        """What Dovecot wrote."""
        return (self.home / "dovecot.log").read_text(errors="replace")


@contextlib.contextmanager
def dovecot(*, capability: str = "", introspection_url: str = "") -> Iterator[DovecotServer]:
    """Run a Dovecot 2.3. `capability` is advertised instead of its own; `introspection_url`: only OAuth 2 logs in."""
    binary = next((path for path in (shutil.which("dovecot"), *_BINARIES) if path and Path(path).exists()), None)
    if binary is None:
        local_processes.missing("Dovecot is not installed: apt-get install dovecot-imapd")
    user = local_processes.account()
    with local_processes.directory("mrdc-") as home:
        port, tls_port = local_processes.free_ports(2)
        _certificate(home)
        (home / "oauth2.conf").write_text(_OAUTH_FILE.format(url=introspection_url))
        passdb = (_OAUTH if introspection_url else _STATIC).format(home=home, password=PASSWORD)
        config = home / "dovecot.conf"
        config.write_text(
            _CONFIG.format(
                home=home, user=user.pw_name, group=_group(user.pw_gid), uid=user.pw_uid, gid=user.pw_gid,
                port=port, tls_port=tls_port, passdb=passdb,
                capability=f"imap_capability = {capability}" if capability else "",
            )
        )  # fmt: skip
        arguments = [str(binary), "-F", "-c", str(config)]
        with local_processes.running(arguments, home / "dovecot.log", port) as process:
            yield DovecotServer("127.0.0.1", port, tls_port, home / "server.pem", home, process)


def _group(gid: int) -> str:
    return grp.getgrgid(gid).gr_name


def _certificate(home: Path) -> None:
    """A self-signed certificate for 127.0.0.1; clients trust it as `ca_file`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    (home / "server.pem").write_bytes(certificate.public_bytes(pem))
    (home / "server.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    (home / "server.key").chmod(0o644)  # a throw-away key that another account must read
