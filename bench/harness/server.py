"""What the server costs and how soon it is there: memory, start, and accepted page views."""

import time

from . import data, proc, requests
from .errors import NotAvailable
from .load import CONNECTIONS, HttpLoad, Sample

MEMORY_REQUESTS = 10_000
IDLE_SECONDS = 1
STORED_SECONDS = 60
POLL_SECONDS = 0.1


class Start:
    """exec to the first answered request: of the ping, and of an item, which needs the database."""

    def __init__(self, stack, tokens):
        self.stack = stack
        self.item = f"/items/posts/{data.post_id(1)}"
        self.token = tokens[data.site_of(1)]

    def run(self, _seconds):
        return Sample(values={"ping_s": self.once("/server/ping", None),
                              "item_s": self.once(self.item, self.token)})

    def once(self, path, token):
        self.stack.stop_server()
        self.stack.start_server("start")
        try:
            return self.stack.wait_for_server(path, token)
        finally:
            self.stack.stop_server()


class Memory:
    """Resident memory of a fresh server: after its first answer, and after 10,000 more at c=64."""

    def __init__(self, stack, tokens, out_dir):
        self.stack, self.tokens, self.out_dir = stack, tokens, out_dir

    def run(self, _seconds):
        self.stack.stop_server()
        server = self.stack.start_server("memory")
        try:
            self.stack.wait_for_server()
            time.sleep(IDLE_SECONDS)
            idle = proc.resident_megabytes(server.pid)
            load = HttpLoad("spark-memory", self.stack.port, server.pid,
                            requests.get_requests(self.tokens), self.out_dir,
                            self.stack.postgres, requests.get_check)
            load.prepare()
            load.run(30, stop_after=MEMORY_REQUESTS)
            return Sample(values={"idle_mb": idle,
                                  "after_mb": proc.resident_megabytes(server.pid)})
        finally:
            self.stack.stop_server()


class Tracked:
    """Page views or events accepted per second, and the seconds until the last is in the table."""

    def __init__(self, stack, out_dir, what, sent, check, count_rows):
        self.stack = stack
        self.postgres = stack.postgres
        self.what, self.count_rows = what, count_rows
        self.load = HttpLoad(f"spark-{what}", stack.port, stack.server.pid, sent, out_dir,
                             stack.postgres, check, status=202)

    def prepare(self):
        self.stack.start_worker(f"worker-{self.what}")
        self.load.prepare()
        self.wait_for_rows(1)

    def run(self, seconds):
        self.settle()
        before = self.rows()
        sample = self.load.run(seconds)
        left = time.monotonic()
        self.wait_for_rows(before + sample.requests)
        sample.values["stored_s"] = time.monotonic() - left
        # From the first accepted to the last stored: what a stream without end would come to.
        sample.values["stored_rate"] = sample.requests / (sample.requests / sample.rate
                                                          + sample.values["stored_s"])
        extra = self.settle() - before - sample.requests
        if extra > CONNECTIONS:
            raise NotAvailable(f"{extra} more {self.what}s in the table than were accepted")
        return sample

    def rows(self):
        return self.postgres.count(self.count_rows)

    def wait_for_rows(self, wanted):
        deadline = time.monotonic() + STORED_SECONDS
        while self.rows() < wanted:
            self.stack.check_workers()
            if time.monotonic() > deadline:
                raise NotAvailable(f"{wanted - self.rows()} accepted {self.what}s are not in the "
                                   f"table after {STORED_SECONDS} s")
            time.sleep(POLL_SECONDS)

    def settle(self):
        """The rows once their number stands still: stragglers belong to the run before."""
        last = -1
        while (now := self.rows()) != last:
            last = now
            time.sleep(5 * POLL_SECONDS)
        return now


def pageviews(stack, out_dir):
    return Tracked(stack, out_dir, "pageview", requests.pageview_requests(), requests.pageview_check,
                   "select count(*) from pageviews where visitor_id = 'v_bench'")
