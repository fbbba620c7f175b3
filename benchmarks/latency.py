"""From a mail's arrival to its forward's acceptance: python benchmarks/latency.py [--count 500]

The service runs with IDLE and a poll a minute away; mails are appended one by one, each after the one before was
forwarded and a random pause. The clock runs from the answer to APPEND to the SMTP server's having stored the forward.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "servers"))
sys.path.insert(0, str(Path(__file__).parent))

import local_dovecot
import local_smtp
import made_mails
import service


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--count", type=int, default=500)
    given = options.parse_args()
    chance = random.Random(1)
    times = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as place,
        local_dovecot.dovecot() as dovecot,
        local_smtp.smtp_sink() as sink,
    ):
        user = dovecot.user("bench")
        service.configure(Path(place), dovecot, sink, [user], workers=1)
        dovecot.deliver(user, made_mails.mail(0))
        command = [sys.executable, "-m", "mailrouter", "run", "--config", str(Path(place) / "config")]
        with (Path(place) / "log").open("w") as log:
            running = subprocess.Popen(command, stderr=log, env={**os.environ, service.PASSWORD: dovecot.password})
        try:
            sink.wait(1, 120)  # it is at work
            client = dovecot.client(user)
            for number in range(1, given.count + 1):
                time.sleep(chance.uniform(0.1, 0.9))
                client.append("INBOX", "", None, made_mails.mail(number * 4))
                begun = time.monotonic()
                sink.wait(number + 1, 30)
                times.append(time.monotonic() - begun)
            client.logout()
        finally:
            running.terminate()
            running.wait(30)
    times.sort()
    middle, late = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(f"{len(times)} mails: p50 {middle:.2f} s, p99 {late:.2f} s, longest {times[-1]:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
