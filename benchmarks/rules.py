"""How fast rules decide: `python benchmarks/rules.py`.

Targets: 10,000 cases a second with 50 rules in one process; under 5 ms a case with 1,000 rules; a backtest of 100,000
stored cases in 30 s on two cores, decoding included, memory flat.
"""

import multiprocessing
import resource
import sys
import time
from pathlib import Path

from mailrouter import ruleset, settings
from mailrouter.core import backtest
from mailrouter.core.case import CASE, MailboxRef, resolve
from mailrouter.core.containers import Limits
from mailrouter.core.reading import read
from mailrouter.core.rules import decide

ROOT = Path(__file__).parent.parent
WORDS = [
    "piirivalve",
    "rändetoetus",
    "julgeolek",
    "päästeamet",
    "küberturve",
    "relvaluba",
    "kodakondsus",
    "viisapoliitika",
    "andmekaitse",
    "hange",
]


def main():
    config, _ = settings.load(ROOT / "config")
    files = ruleset.collect(ROOT / "config", config)
    cases = sample_cases(files)
    print(
        f"{len(cases)} sample cases, {sum(len(CASE.dump_json(case)) for case in cases) // len(cases)} bytes each on average"
    )
    for count in (50, 1000):
        decide_speed(files, cases, count)
    backtest_speed(files, cases, int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)


def sample_cases(files):
    built, _ = ruleset.build(files)
    found = []
    for path in sorted((ROOT / "rules" / "samples").glob("*.eml")):
        reading = read(path.read_bytes(), Limits())
        box = MailboxRef("registry", "info@ministry.example")
        received = reading.message.date or "2024-02-29T13:06:00+02:00"
        found.append(
            resolve(
                reading,
                mailbox=box,
                received=received,
                directory=built.directory,
                domains=built.domains,
                trust=built.trust,
            )
        )
    return found


def many_rules(files, count):
    """The shipped rules and as many more as make `count`, of the kinds that staff write."""
    shipped = sum(
        text.count("\n- rule:") + text.startswith("- rule:")
        for name, text in files.items()
        if name.startswith("rules/")
    )
    kinds = (
        "message.subject: {{contains: {word}{n}}}",
        "letter.subject: {{contains: {{stem: {word}{n}}}}}",
        "letter.text: {{contains: {word}{n}}}",
        "incoming.from: {{domain: office{n}.example}}",
        "letter.author.institution: {word} {n}",
        "message.text: {{contains: {{stem: {word}{n}}}}}",
        "attachments: {{name: {{matches: '(?i){word}{n}.*pdf$'}}, size: {{at_least: 1 kB}}}}",
        "instruction.forward_to: {word} {n}",
        "letter.reference: {{starts_with: '{n}.'}}",
        "letter.addressee.name: {word} {n}",
    )
    text = []
    for n in range(count - shipped):
        condition = kinds[n % len(kinds)].format(word=WORDS[n // len(kinds) % len(WORDS)], n=n)
        text.append(
            f"- rule: made {n}\n  when:\n    all:\n      - sender.verified: true\n      - nature: person\n      - {condition}\n"
            f"      - thread.relation: new\n      - mailbox: registry\n  then:\n    - flag: made{n}\n"
        )
    built, problems = ruleset.build({**files, "rules/99-made.yaml": "".join(text)})
    assert built, [str(problem) for problem in problems if problem.severity == "error"][:5]
    assert len(built.rules) == count, len(built.rules)
    return built


def decide_speed(files, cases, count):
    start = time.perf_counter()
    rules = many_rules(files, count)
    built = time.perf_counter() - start
    stored = [CASE.dump_json(case, by_alias=True) for case in cases]
    print(f"{count} rules (built in {built:.2f} s):")
    for traced in (True, False):
        total, spent, busy = 0, 0.0, 0.0
        while spent < 3:
            fresh = [CASE.validate_json(data) for data in stored]  # no text is shared with the round before
            start, began = time.perf_counter(), time.process_time()
            for case in fresh:
                decide(case, rules, traced=traced)
            spent += time.perf_counter() - start
            busy += time.process_time() - began
            total += len(fresh)
        print(
            f"  {'with' if traced else 'without'} traces: {total / spent:,.0f} cases/s, {spent / total * 1000:.3f} ms a case; "
            f"by processor time {total / busy:,.0f} cases/s, {busy / total * 1000:.3f} ms"
        )


STATE = {}


def prepare(files, changed):
    STATE["old"], _ = ruleset.build(files)
    STATE["new"], _ = ruleset.build(changed)


def part(batch):
    tally = backtest.Tally()
    for data in batch:
        tally.add(backtest.compare(STATE["old"], STATE["new"], CASE.validate_json(data)))
    return tally


def backtest_speed(files, cases, number):
    changed = {
        **files,
        "rules/90-new.yaml": "- rule: new\n  when: {letter.asks: nominate}\n  then:\n    - flag: nominations\n",
    }
    stored = [CASE.dump_json(case, by_alias=True) for case in cases]

    def batches():
        for first in range(0, number, 500):
            yield [stored[index % len(stored)] for index in range(first, min(first + 500, number))]

    start = time.perf_counter()
    total = backtest.Tally()
    with multiprocessing.get_context("spawn").Pool(2, prepare, (files, changed)) as pool:
        for tally in pool.imap(part, batches()):
            total.merge(tally)
    spent = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) // 1024
    print(
        f"backtest of {total.cases:,} cases: {spent:.1f} s on two processes ({used.ru_utime + used.ru_stime:.1f} s of processor "
        f"time), {total.changed:,} changed, peak {peak} MiB a process"
    )


if __name__ == "__main__":
    main()
