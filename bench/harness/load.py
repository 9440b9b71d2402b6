"""Load generators: wrk against an HTTP server, pgbench against PostgreSQL."""

import dataclasses
import json
import os
import re
import shutil
import subprocess

from . import data, pg, proc
from .errors import BenchError, NotAvailable
from .stack import http_request

CONNECTIONS = 64
SAMPLE_REQUESTS = 40
SEQUENCES_PER_RUN = 1_000_000


@dataclasses.dataclass
class Sample:
    """What one run of one contestant gave."""

    rate: float | None = None
    server_us: float | None = None
    postgres_us: float | None = None
    client_us: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    requests: int = 0
    # Figures that are neither a rate nor a cost per request, by name.
    values: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Request:
    method: str
    path: str
    token: str = ""
    body: str = ""
    host: str = "127.0.0.1"

    def line(self):
        return "\t".join((self.method, self.host, self.path, self.token, self.body))


class HttpLoad:
    """wrk with one list of requests against one server; knows the length of every right answer.

    The first run compares each answer. In those after it wrk counts statuses and bytes, which must
    sum up to answers as long as those of the first run.

    check(request, body) raises AssertionError when the sampled answer is not what was asked for.
    """

    runs = 0

    def __init__(self, name, port, pid, requests, out_dir, postgres, check, status=200,
                 warm_seconds=1, connections=CONNECTIONS):
        if not shutil.which("wrk"):
            raise BenchError("wrk is not installed (Debian: wrk)")
        self.name, self.port, self.pid = name, port, pid
        self.requests, self.postgres = requests, postgres
        self.check, self.status = check, status
        self.length = None
        self.whole_length = None
        self.warm_seconds, self.connections = warm_seconds, connections
        self.file = os.path.join(out_dir, name.replace(" ", "-").replace("/", "-") + ".requests")
        with open(self.file, "w", encoding="ascii") as file:
            file.writelines(request.line() + "\n" for request in requests)

    def prepare(self):
        """Asks for a sample and checks each answer fully; learns the one length that all share."""
        step = max(1, len(self.requests) // SAMPLE_REQUESTS)
        lengths = set()
        seed = self.next_seed()
        for number, request in enumerate(self.requests[::step][:SAMPLE_REQUESTS]):
            body = request.body.replace("@SEQUENCE@", f"{seed + number:010d}")
            status, answer = http_request(self.port, request.method, request.path,
                                          request.token or None, body or None, request.host)
            if status != self.status:
                raise NotAvailable(f"{request.method} {request.path[:60]} answered {status}: "
                                   f"{answer[:160].decode(errors='replace')}")
            try:
                self.check(request, answer)
            except (AssertionError, KeyError, TypeError, ValueError) as error:
                raise NotAvailable(f"{request.method} {request.path[:60]} gave a wrong answer: "
                                   f"{error!r}") from error
            lengths.add(len(answer))
        if len(lengths) != 1 or lengths == {0}:
            raise NotAvailable(f"answers that should have one length have {sorted(lengths)}")
        self.length = lengths.pop()

    @classmethod
    def next_seed(cls):
        """Sequence numbers of a run start where no earlier run of any contestant has been."""
        cls.runs += 1
        return cls.runs * SEQUENCES_PER_RUN

    def run(self, seconds, stop_after=0):
        env = dict(os.environ, BENCH_REQUESTS=self.file, BENCH_STATUS=str(self.status),
                   BENCH_LENGTH=str(self.length), BENCH_SEED=str(self.next_seed()),
                   BENCH_STOP=str(stop_after),
                   BENCH_CHECK="each" if stop_after or not self.whole_length else "sum")
        before = proc.cpu_seconds(self.pid), self.postgres.cpu_seconds()
        report, client = self.run_wrk(env, seconds)
        after = proc.cpu_seconds(self.pid), self.postgres.cpu_seconds()
        if report["bad"] or report["socket_errors"]:
            raise NotAvailable(
                f"{report['bad']} wrong answers of {report['ok'] + report['bad']} (status up to "
                f"{report['bad_status']}, length up to {report['bad_length']}, not {self.length}), "
                f"{report['socket_errors']} socket errors")
        if report["ok"] == 0:
            raise NotAvailable("not one answer")
        self.check_bytes(report)
        micro = 1e6 / report["ok"]
        return Sample(rate=report["ok"] / report["seconds"],
                      server_us=(after[0] - before[0]) * micro,
                      postgres_us=(after[1] - before[1]) * micro,
                      client_us=client * micro,
                      p50_ms=report["p50_us"] / 1000, p99_ms=report["p99_us"] / 1000,
                      requests=report["ok"])

    def check_bytes(self, report):
        """Learns how long an answer is with its head; then holds later runs to it.

        What the connections were reading when the time was over counts as bytes only.
        """
        if not self.whole_length:
            self.whole_length = round(report["bytes"] / report["ok"])
        expected = report["ok"] * self.whole_length
        if abs(report["bytes"] - expected) > self.connections * self.whole_length:
            raise NotAvailable(f"{report['ok']} answers of {self.whole_length} bytes are {expected} "
                               f"bytes, not {report['bytes']}")

    def run_wrk(self, env, seconds):
        """The summary that bench.lua prints, and the CPU seconds of wrk itself."""
        command = ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}", "--timeout", "10s",
                   "-s", os.path.join(data.BENCH, "wrk", "bench.lua"),
                   f"http://127.0.0.1:{self.port}"]
        before = os.times()
        child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True)
        try:
            out, err = child.communicate(timeout=float(seconds) + 60)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            raise NotAvailable("wrk did not end in time") from None
        after = os.times()
        client = (after.children_user - before.children_user
                  + after.children_system - before.children_system)
        lines = [line for line in err.splitlines() if line.startswith("{")]
        if child.returncode != 0 or not lines:
            raise NotAvailable(f"wrk failed: {(err or out).strip()[-200:]}")
        return json.loads(lines[-1]), client


class PgbenchLoad:
    """pgbench -M prepared with a script of its own or -S; latency is not of interest here."""

    ALONE = ("select count(*) = 0 from pg_stat_activity"
             " where application_name = 'pgbench' and backend_type = 'client backend'")

    @staticmethod
    def initialize(postgres, scale):
        proc.run([pg.program("pgbench"), "-i", "-q", "-s", str(scale), postgres.url])

    def __init__(self, name, postgres, options, clients, script=None):
        self.name, self.postgres = name, postgres
        self.command = [pg.program("pgbench"), "-n", "-M", "prepared", "-c", str(clients),
                        "-j", "1", *options]
        if script:
            self.command += ["-f", script]

    def run(self, seconds):
        before = self.postgres.cpu_seconds()
        start = os.times()
        out = proc.run(self.command + ["-T", str(seconds), self.postgres.url])
        end = os.times()
        # A backend counts once: alive below the postmaster, or among those it has waited for.
        # Between the two it would be missed, so wait for pgbench's own to be gone.
        proc.wait_until(self.alone, 10, "pgbench's backends do not end")
        cpu = self.postgres.cpu_seconds() - before
        done = re.search(r"actually processed: (\d+)", out)
        rate = re.search(r"tps = ([0-9.]+) \(without initial connection time\)", out)
        failed = re.search(r"failed transactions: (\d+)", out)
        if not done or not rate or (failed and int(failed.group(1)) > 0):
            raise NotAvailable(f"pgbench: {out.strip()[-200:]}")
        count = max(1, int(done.group(1)))
        client = (end.children_user - start.children_user
                  + end.children_system - start.children_system)
        return Sample(rate=float(rate.group(1)), postgres_us=cpu * 1e6 / count,
                      client_us=client * 1e6 / count, requests=count)

    def alone(self):
        return self.postgres.value(self.ALONE) == "t"
