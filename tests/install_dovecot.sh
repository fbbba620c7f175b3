#!/bin/sh
# Installs Debian's dovecot-imapd for the scenario tests, where it may.
if [ -x /usr/sbin/dovecot ] || command -v dovecot >/dev/null 2>&1; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1; then echo "NOTE: no apt-get here; the Dovecot tests will be skipped" >&2; exit 0; fi
if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else
  echo "NOTE: not root and no passwordless sudo; the Dovecot tests will be skipped" >&2; exit 0; fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq >/dev/null 2>&1
$as_root apt-get install -y -qq --no-install-recommends dovecot-imapd >/dev/null 2>&1 ||
  echo "NOTE: dovecot-imapd could not be installed; the Dovecot tests will be skipped" >&2
exit 0
