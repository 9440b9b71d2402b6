#!/usr/bin/env python3
"""Two builds of Spark on one machine: bench/instructions.py OLD NEW prints the server's instructions for a request.

callgrind counts them, so a busy machine does not change the figure. One thread; kernel and PostgreSQL are not in it.
"""

import argparse
import contextlib
import glob
import http.client
import os
import re
import subprocess
import sys

import compare
from harness.errors import BenchError
from harness.suite import say

WARM, COUNTED, RUNS = 200, 600, 3


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="bench/instructions.py")
    parser.add_argument("old", help="the binary before")
    parser.add_argument("new", nargs="?", default=os.path.join(compare.ROOT, "build/release/bin/spark"))
    parser.add_argument("--only", default=",".join(compare.HTTP))
    parser.add_argument("--out", default=os.path.join(compare.ROOT, "build/bench"))
    return parser.parse_args()


class Counted:
    """A server under callgrind, in a stack of its own."""

    def __init__(self, given, name, binary):
        folder = os.path.join(os.path.abspath(given.out), name)
        os.makedirs(folder, exist_ok=True)
        self.counts = os.path.join(folder, "callgrind.out")
        for old in glob.glob(self.counts + "*"):
            os.remove(old)
        wrapper = os.path.join(folder, "spark")
        with open(wrapper, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n"
                       f'[ "$1" = server ] || exec "{os.path.abspath(binary)}" "$@"\n'
                       f'exec valgrind -q --tool=callgrind --callgrind-out-file="{self.counts}" '
                       f'"{os.path.abspath(binary)}" "$@"\n')
        os.chmod(wrapper, 0o755)
        given = argparse.Namespace(**dict(vars(given), rounds=1, seconds=1))
        self.build = compare.Build(given, name, wrapper)
        self.stack = self.build.run.stack
        self.sequence = 0

    def since_last(self):
        """Instructions since the call before."""
        # valgrind names its pipes after the server's HOST.
        subprocess.run(["callgrind_control", "--dump", str(self.stack.server.pid)], check=True,
                       env=dict(os.environ, HOST="127.0.0.1"), stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        dumps = glob.glob(self.counts + ".*")
        if not dumps:
            raise BenchError("callgrind_control dumped nothing")
        with open(max(dumps, key=lambda name: int(name.rsplit(".", 1)[1])), encoding="utf-8") as file:
            return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M)[1])

    def send(self, requests, count):
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=120)
        for number in range(count):
            request = requests[number * 7 % len(requests)]
            self.sequence += 1
            headers = {"Host": request.host}
            if request.token:
                headers["Authorization"] = f"Bearer {request.token}"
            if request.body:
                headers["Content-Type"] = "application/json"
            connection.request(request.method, request.path,
                               request.body.replace("@SEQUENCE@", f"{self.sequence:010d}") or None, headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status >= 300:
                raise BenchError(f"{request.method} {request.path} answered {answer.status}: {body[:160]!r}")
        connection.close()

    def count(self, workload):
        """The least of some runs: the server's own turns of a second are in all of them."""
        contestant = self.build.contestant(workload)
        requests = getattr(contestant, "load", contestant).requests
        self.send(requests, WARM)
        self.since_last()
        counts = []
        for _ in range(RUNS):
            self.send(requests, COUNTED)
            counts.append(self.since_last() / COUNTED)
        return min(counts)


def main():
    given = arguments()
    os.environ["SERVER_THREADS"] = "1"
    counts = {}
    for name, binary in (("old", given.old), ("new", given.new)):
        say(f"{name}: {binary}")
        server = Counted(given, name, binary)
        try:
            # The first request of a kind warms what all of them use.
            server.count("ping")
            counts[name] = {workload: server.count(workload) for workload in given.only.split(",")}
        finally:
            with contextlib.suppress(BenchError):
                server.build.stop()
    for workload, before in counts["old"].items():
        after = counts["new"][workload]
        print(f"{workload:10} {before:10,.0f} → {after:10,.0f} ({after / before:.3f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
