"""Workloads: who takes part in each, and the interleaved rounds in which they are measured."""

import dataclasses
import statistics
import sys

from .errors import BenchError, NotAvailable


WARM_SECONDS = 1


@dataclasses.dataclass
class Workload:
    """A row of the report. Contestants run in turn, round by round: a noisy minute hits all.

    before(name) is called ahead of every run, after(name, sample) behind it: to bring the tables
    into the same state, and to prove that what was answered was done.
    """

    name: str
    title: str
    contestants: dict
    before: object = None
    after: object = None
    # The most rounds that are worth their time, and whether the first of them counts already.
    rounds: int = 0
    is_warm: bool = False


class Absent:
    """Takes the place of a contestant that cannot be measured, and says why."""

    def __init__(self, reason):
        self.reason = reason

    def run(self, seconds):
        raise NotAvailable(self.reason)


@dataclasses.dataclass
class Result:
    """Median of the rounds of one contestant, or the reason why there is none."""

    samples: list = dataclasses.field(default_factory=list)
    reason: str = ""

    def median(self, field):
        values = [getattr(sample, field) for sample in self.samples]
        values = [value for value in values if value is not None]
        return statistics.median(values) if values else None

    def value(self, name):
        values = [sample.values[name] for sample in self.samples if name in sample.values]
        return statistics.median(values) if values else None

    def spread(self):
        rates = [sample.rate for sample in self.samples if sample.rate is not None]
        return (min(rates), max(rates)) if rates else None


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure(workload, rounds, seconds):
    """{contestant: Result}. Who fails once is out, with the reason; the others go on."""
    results = {name: Result() for name in workload.contestants}
    rounds = min(rounds, workload.rounds or rounds)
    first = 1 if workload.is_warm else 0
    for number in range(first, rounds + 1):
        for name, contestant in workload.contestants.items():
            if results[name].reason:
                continue
            try:
                if number == first and hasattr(contestant, "prepare"):
                    contestant.prepare()
                if workload.before:
                    workload.before(name)
                warm = getattr(contestant, "warm_seconds", WARM_SECONDS)
                sample = contestant.run(seconds if number else warm)
                if workload.after:
                    workload.after(name, sample)
            except BenchError as error:
                results[name] = Result(reason=str(error))
                say(f"  {workload.name} {name}: not available: {error}")
                continue
            if number > 0:
                results[name].samples.append(sample)
                say(f"  {workload.name} {number}/{rounds} {name}: {describe(sample)}")
    return results


def describe(sample):
    parts = [f"{sample.rate:,.0f} /s"] if sample.rate is not None else []
    return ", ".join(parts + [f"{name} {value:,.3g}" for name, value in sample.values.items()])

