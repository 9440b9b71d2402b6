#!/usr/bin/env python3
"""One command that measures Spark, prints the tables, and fails if a row could not be measured."""

import argparse
import json
import os
import subprocess
import sys

from harness import content, data, directus, factory, fresh, jobs, library, redis, report
from harness import schema, server, soak, visitors
from harness.errors import BenchError, NotAvailable
from harness.stack import Stack
from harness.suite import Absent, Workload, measure, say

ROOT = os.path.dirname(data.BENCH)
NOT_FAIR = "the figures would mean nothing: a write must be durable when it is answered"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, prog="bench/run.sh")
    parser.add_argument("--peers", action="store_true", help="measure Directus and BullMQ as well")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--seconds", type=int, default=3, help="length of one run (default 3)")
    parser.add_argument("--only", default="", help="names of workloads, separated by commas")
    parser.add_argument("--strict", action="store_true", help="fail as well if a row falls short")
    parser.add_argument("--soak", type=int, metavar="MINUTES",
                        help="instead of measuring: mixed load, memory and queues watched")
    parser.add_argument("--spark", default=os.path.join(ROOT, "build/release/bin/spark"))
    parser.add_argument("--out", default=os.path.join(ROOT, "build/bench"))
    parser.add_argument("--peers-dir", help="folder of installed peers (default OUT/peers)")
    parser.add_argument("--blueprint", help="library data of the articles")
    parser.add_argument("--duplicates", type=int, default=100_000, metavar="ARTICLES",
                        help="articles of the largest duplicate scan (default 100,000)")
    parser.add_argument("--similarity", type=float,
                        help="from which the duplicate scan flags (default: the site's)")
    parser.add_argument("--links", type=int, default=10_000, metavar="ARTICLES",
                        help="articles, and targets, of link insertion (default 10,000)")
    given = parser.parse_args()
    if given.duplicates < 8 * 100 or given.links < 100:
        parser.error("--duplicates is at least 800, --links at least 100")
    if given.rounds < 1 or given.seconds < 1:
        parser.error("--rounds and --seconds are at least 1")
    return given


class Run:
    """One run of the bench from the first process to the report."""

    def __init__(self, given):
        self.given = given
        os.makedirs(given.out, exist_ok=True)
        self.out = os.path.abspath(given.out)
        self.peers_dir = os.path.abspath(given.peers_dir or os.path.join(self.out, "peers"))
        self.only = [name for name in given.only.split(",") if name]
        self.stack = Stack(given.spark, self.out)
        self.directus = None
        self.absent = None
        self.measured = []
        self.load_at_start = os.getloadavg()

    def wants(self, name):
        return not self.only or name in self.only

    def prepare(self):
        if self.given.peers:
            self.install_peers()
        say("starting PostgreSQL and Redis")
        self.stack.start_backends()
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            if self.stack.postgres.value(f"show {setting}") != "on":
                raise BenchError(f"PostgreSQL runs with {setting} off; {NOT_FAIR}")
        self.redis_pid = int(redis.info(self.stack.redis_url)["process_id"])
        self.stack.command("migrate", "--pack")
        say(f"seeding {data.POSTS:,} posts")
        data.seed(self.stack.postgres)
        self.tokens = self.make_tokens()
        if self.given.peers and self.wants_directus():
            say("starting Directus on a copy of the data")
            self.directus = directus.Directus(self.peers_dir, self.stack)
            self.directus.start(self.stack)

    def wants_directus(self):
        return any(self.wants(name) for name in
                   ("get", "list", "list_sdk", "relation", "nested", "count", "post", "post_nested"))

    def install_peers(self):
        """A folder named by hand is taken as it is."""
        if not self.given.peers_dir:
            say("installing the peers")
            subprocess.run([os.path.join(data.BENCH, "peers", "install.sh"), self.peers_dir],
                           check=True, stdout=sys.stderr)
        with open(os.path.join(self.peers_dir, "bullmq_noop.mjs"), "w", encoding="utf-8") as copy:
            copy.write(data.read("peers", "bullmq_noop.mjs"))

    def make_tokens(self):
        """One site-scoped token a site, made as an operator would make it."""
        tokens = {}
        for site in range(1, data.SITES + 1):
            try:
                answer = json.loads(self.stack.command(
                    "token", "create", "--site", data.site_id(site), "--json"))
                tokens[site] = answer["token"]
            except (BenchError, ValueError, KeyError) as error:
                self.absent = f"spark token create: {error}"
                return {}
        return tokens

    def start_server(self):
        if self.absent:
            return
        try:
            self.stack.start_server()
            self.stack.wait_for_server()
        except NotAvailable as error:
            self.absent = str(error)
            self.stack.stop_server()

    def measure(self, workload):
        if not self.wants(workload.name):
            return
        say(f"{workload.name}: {workload.title}")
        self.measured.append((workload,
                              measure(workload, self.given.rounds, self.given.seconds)))

    def measure_content(self):
        self.start_server()
        found = content.Content(self.stack, self.tokens, self.out, self.directus, self.absent)
        try:
            if any(self.wants(name) for name in ("get", "list")):
                found.prepare_pgbench()
            for name, build in found.builders():
                if self.wants(name):
                    self.measure(build())
        finally:
            found.stop()
        if self.directus:
            self.directus.stop()

    def build(self, make):
        """A contestant of Spark, or what stands for it while the server cannot run."""
        return Absent(self.absent) if self.absent else make()

    def measure_server(self):
        stack, tokens, out = self.stack, self.tokens, self.out
        if self.wants("form"):
            self.measure(self.forms())
        for name, title, make in (
                ("pageview", "POST /api/track/pageview, accepted",
                 lambda: server.pageviews(stack, out)),
                ("event", "POST /api/track/event, accepted",
                 lambda: visitors.events(stack, out)),
                ("fresh_rows", "GET /items/leads/{id}, 100,000 rows loaded a moment ago",
                 lambda: fresh.FreshRows(stack, tokens, out)),
                ("articles", "articles generated and stored, 2 workers",
                 lambda: jobs.Articles(stack, self.blueprint()))):
            if self.wants(name):
                self.measure(Workload(name, title, {"spark": self.build(make)}))
                stack.stop_workers()
        self.measure_factory()
        stack.stop_server()
        for name, title, make in (
                ("memory", "resident memory of the server, idle and after 10,000 requests",
                 lambda: server.Memory(stack, tokens, out)),
                ("start", "exec to the first answered request",
                 lambda: server.Start(stack, tokens))):
            if self.wants(name):
                self.measure(Workload(name, title, {"spark": self.build(make)}))
        if self.wants("schema"):
            self.measure(Workload("schema", "500 collections: 125 applied, the next read, memory",
                                  {"spark": self.build(lambda: schema.Schema(stack, tokens))},
                                  rounds=1, is_warm=True))

    def forms(self):
        if not self.absent:
            return visitors.forms(self.stack, self.out)
        return Workload("form", "POST /api/forms/submit, durable", {"spark": Absent(self.absent)})

    def measure_factory(self):
        """Minutes, not seconds, and from a state that is made for it: once, or a few times."""
        stack, given = self.stack, self.given
        headlines = factory.Headlines(stack)
        source = library.demo(ROOT)
        links = factory.Links(stack, source, given.links, given.links)
        for workload in (
                Workload("headlines", "85,000 headlines generated and stored",
                         {"spark": headlines, "psql": factory.HeadlinesInserted(headlines)},
                         rounds=3),
                Workload("duplicates", f"duplicate scan of {given.duplicates:,} articles as a job",
                         {"spark": factory.Duplicates(stack, source, given.duplicates, self.out,
                                                    given.similarity),
                          "bodies_read": factory.BodiesRead(stack, factory.DUPLICATES_SITE)},
                         rounds=1, is_warm=True),
                Workload("links", f"links into {given.links:,} articles as a job",
                         {"spark": links, "sql": factory.BodiesUpdated(links)},
                         rounds=1, is_warm=True)):
            if not self.wants(workload.name):
                continue
            if self.absent:
                workload.contestants = {"spark": Absent(self.absent)}
            self.measure(workload)

    def blueprint(self):
        return self.given.blueprint or os.path.join(ROOT, "demo", "blueprint.json")

    def measure_jobs(self):
        """Spark's own settings first; then BullMQ beside it at equal jobs in flight."""
        own = jobs.NoopJobs(self.stack, None, 2, self.redis_pid)
        self.measure(Workload("jobs", "no-op jobs, 2 workers, default settings", {"spark": own}))
        for in_flight, workers in ((1, 1), (10, 1), (100, 1), (10, 2), (100, 2)):
            name = f"jobs_{in_flight}" if workers == 1 else f"jobs_{workers}x{in_flight}"
            pair = {"spark": jobs.NoopJobs(self.stack, in_flight, workers, self.redis_pid)}
            if self.given.peers:
                pair["bullmq"] = jobs.BullJobs(self.stack, self.peers_dir, in_flight, workers,
                                               self.redis_pid)
            self.measure(Workload(name, f"no-op jobs, {in_flight} in flight in {workers} "
                                        f"worker{'s' if workers > 1 else ''}", pair))

    def report(self):
        targets = json.loads(data.read("targets.json"))
        facts = report.conditions(self.stack, redis.info(self.stack.redis_url),
                                  directus.ENVIRONMENT if self.directus else None,
                                  self.given.rounds, self.given.seconds, self.load_at_start)
        print(report.text(facts, self.measured, targets))
        path = os.path.join(self.out, "report.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(report.as_json(facts, self.measured, targets) + "\n")
        say(f"written: {os.path.relpath(path)}")
        return self.status(targets)

    def status(self, targets):
        """0 only if every contestant of every workload was measured."""
        if any(result.reason for _, results in self.measured for result in results.values()):
            say("failed: not every workload could be measured")
            return 1
        by_name = {workload.name: results for workload, results in self.measured}
        short = [target for target in targets if target["workload"] in by_name
                 and report.judge(target, by_name[target["workload"]])[3] == "short"]
        if short:
            say(f"{len(short)} targets fall short")
        return 1 if short and self.given.strict else 0

    def soak(self):
        self.start_server()
        if self.absent:
            raise BenchError(self.absent)
        return 0 if soak.Soak(self.stack, self.tokens, self.out).run(self.given.soak) else 1

    def main(self):
        try:
            self.prepare()
            if self.given.soak:
                return self.soak()
            self.measure_content()
            self.measure_server()
            self.measure_jobs()
            return self.report()
        finally:
            if self.directus:
                self.directus.stop()
            self.stack.stop()


def main():
    try:
        return Run(arguments()).main()
    except BenchError as error:
        say(f"bench: {error}")
        return 1
    except subprocess.CalledProcessError as error:
        say(f"bench: {error.cmd[0]} failed with status {error.returncode}")
        return 1
    except KeyboardInterrupt:
        say("bench: stopped")
        return 130


if __name__ == "__main__":
    sys.exit(main())
