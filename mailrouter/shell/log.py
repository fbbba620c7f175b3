"""The log: one canonical line per unit of work, from a closed list of events, on stderr.

Where nobody has set its form, as in commands that are no service, only warnings are written, for people to read.

Invariant: no body, subject, address of a person or secret is ever a field; mails are named by digest, effects by key.
"""

import logging
import sys
from typing import Any

EVENTS = frozenset(
    {
        "service.started",
        "service.stopped",
        "service.settings_kept",  # new settings refused, the old ones stay
        "service.settings_taken",
        "service.rules_taken",
        "service.rules_refused",
        "service.tick_failed",
        "mailbox.polled",
        "mailbox.failing",
        "mailbox.recovered",
        "mailbox.new_epoch",
        "mail.settled",
        "mail.held",
        "mail.same",
        "mail.failed",
        "effect.done",
        "effect.waits",
        "effect.given_up",
        "effect.unknown",
        "lease.lost",
        "token.refreshed",
        "token.expiring",
        "mail.erased",
        "bounce.linked",
        "sent.found",
    }
)


def configure(form: str, *, quiet: bool = False) -> None:
    """Set the log's form, "json" or "console"; `quiet` lets only warnings through, for commands that are no service."""
    import structlog  # noqa: PLC0415 - slow to load, and most commands have nothing to log

    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=_stderr,
        cache_logger_on_first_use=False,
    )


def _stderr(*_names: Any) -> Any:
    """Today's stderr, whatever it was when the process began."""
    import structlog  # noqa: PLC0415 - as above

    return structlog.PrintLogger(sys.stderr)


def event(name: str, /, *, warning: bool = False, **fields: Any) -> None:
    """Write one line; the name must be in EVENTS."""
    if name not in EVENTS:
        raise ValueError(f"the log has no event '{name}'; add it to EVENTS")
    import structlog  # noqa: PLC0415 - as above

    if not structlog.is_configured():
        configure("console", quiet=True)
    logger = structlog.get_logger()
    (logger.warning if warning else logger.info)(name, **fields)
