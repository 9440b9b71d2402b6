#!/usr/bin/env python3
"""Two builds of Spark in turn on one machine: bench/compare.py OLD NEW prints rate and CPU of both, as a ratio."""

import argparse
import contextlib
import os
import sys

from harness import content, data, jobs, requests, server, visitors
from harness.errors import BenchError
from harness.load import HttpLoad
from harness.suite import Workload, measure, say

from bench import ROOT, Run

HTTP = ("get", "list", "list_sdk", "relation", "ping", "post", "pageview", "event", "form")
JOBS = ("jobs", "articles")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, prog="bench/compare.py")
    parser.add_argument("old", help="the binary before")
    parser.add_argument("new", nargs="?", default=os.path.join(ROOT, "build/release/bin/spark"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--only", default=",".join(HTTP + JOBS))
    parser.add_argument("--out", default=os.path.join(ROOT, "build/bench"))
    return parser.parse_args()


class Build:
    """A stack of its own for one binary, with the workloads over it."""

    def __init__(self, given, name, binary):
        given = argparse.Namespace(**vars(given), spark=binary, peers=False, peers_dir=None,
                                   blueprint=None)
        given.out = os.path.join(given.out, name)
        self.name = name
        self.run = Run(given)
        self.run.prepare()
        if self.run.absent:
            raise BenchError(f"{name}: {self.run.absent}")
        self.run.start_server()

    def contestant(self, workload):
        """Only Spark of the workload; its peers are for bench/run.sh."""
        run, stack = self.run, self.run.stack
        if workload == "jobs":
            return jobs.NoopJobs(stack, None, 2, run.redis_pid)
        if workload == "articles":
            return jobs.Articles(stack, run.blueprint())
        if workload in ("pageview", "event"):
            return (server.pageviews if workload == "pageview" else visitors.events)(stack, run.out)
        if workload == "form":
            return visitors.forms(stack, run.out).contestants["spark"]
        found = content.Content(stack, run.tokens, run.out)
        build, check = {
            "get": (requests.get_requests, requests.get_check),
            "list": (lambda tokens: requests.list_requests(tokens, requests.LIST_FIELDS), requests.list_check),
            "list_sdk": (lambda tokens: requests.list_requests(tokens, requests.LIST_FIELDS, sdk=True),
                         requests.list_check),
            "relation": (lambda tokens: requests.list_requests(tokens, requests.RELATION_FIELDS),
                         requests.relation_check),
            "ping": (requests.ping_requests, requests.ping_check),
            "post": (lambda tokens: requests.post_requests(tokens, found.text), requests.post_check),
        }[workload]
        return HttpLoad(f"spark-{workload}", stack.port, stack.server.pid, build(run.tokens), run.out,
                        run.stack.postgres, check)

    def stop(self):
        self.run.stack.stop_workers()
        self.run.stack.stop_server()
        self.run.stack.stop()


def show(workload, results):
    old, new = results["old"], results["new"]
    if old.reason or new.reason:
        print(f"{workload:10} not measured: {old.reason or new.reason}")
        return
    pairs = [("rate", old.median("rate"), new.median("rate"))]
    pairs += [(f"{part} us", old.median(f"{part}_us"), new.median(f"{part}_us")) for part in ("server", "postgres")]
    pairs += [(name, old.value(name), new.value(name)) for name in sorted(old.samples[0].values)]
    shown = [f"{name} {before:,.4g} → {after:,.4g} ({after / before:.2f})"
             for name, before, after in pairs if before and after]
    print(f"{workload:10} {'   '.join(shown)}", flush=True)


def main():
    given = arguments()
    say(f"load average {os.getloadavg()[0]:.1f}")
    builds = []
    try:
        for name, binary in (("old", given.old), ("new", given.new)):
            say(f"{name}: {binary}")
            builds.append(Build(given, name, binary))
        for workload in given.only.split(","):
            contestants = {build.name: build.contestant(workload) for build in builds}
            show(workload, measure(Workload(workload, workload, contestants), given.rounds, given.seconds))
            for build in builds:
                build.run.stack.stop_workers()
    finally:
        for build in builds:
            with contextlib.suppress(BenchError):
                build.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
