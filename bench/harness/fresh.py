"""Rows that were loaded a moment ago, read by their keys: what a plan is worth that knows nothing of them."""

import http.client
import json

from . import data
from .errors import NotAvailable
from .load import HttpLoad, Request

ROWS, CHUNK = 100_000, 50_000
READ_SECONDS = 1
KEPT_AFTER = 200  # by then every connection has a plan of its own for the statement, and keeps it
LOAD_SECONDS = 120


def lead_id(number):
    return f"02000000-0000-7000-8000-{number:012x}"


class FreshRows:
    """100,000 leads by /god/data/bulk-insert into an empty table that is being read, then reads at once;
    and the same reads after ANALYZE."""

    def __init__(self, stack, tokens, out_dir):
        self.stack, self.tokens, self.out_dir = stack, tokens, out_dir

    def run(self, _seconds):
        self.stack.postgres.sql("truncate leads cascade")
        self.keep_plans()
        for first in range(1, ROWS + 1, CHUNK):
            self.load(first, first + CHUNK)
        reads = HttpLoad("spark-fresh", self.stack.port, self.stack.server.pid, self.requests(),
                         self.out_dir, self.stack.postgres, self.check)
        reads.prepare()
        fresh = reads.run(READ_SECONDS)
        self.stack.postgres.sql("analyze leads")
        reads.whole_length = None  # wrk checks each answer of both runs: one of them cheaper is no comparison
        analysed = reads.run(READ_SECONDS)
        fresh.values["analysed_rate"] = analysed.rate
        fresh.values["fresh_ratio"] = analysed.rate / fresh.rate
        return fresh

    def site(self, number):
        return number % data.SITES + 1

    def path(self, number):
        return f"/items/leads/{lead_id(number)}?fields=id,name,site_id"

    def requests(self):
        return [Request("GET", self.path(n), self.tokens[self.site(n)])
                for n in range(1, ROWS + 1)]

    def check(self, request, answer):
        lead = json.loads(answer)["data"]
        assert lead["id"] in request.path, "another lead than the one asked for"

    def keep_plans(self):
        """Reads of a row that is not there are planned like any other."""
        for _ in range(KEPT_AFTER):
            self.stack.request("GET", self.path(1), self.tokens[self.site(1)])

    def load(self, first, end):
        items = [{"id": lead_id(n), "site_id": data.site_id(self.site(n)), "name": f"lead {n:08d}"}
                 for n in range(first, end)]
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=LOAD_SECONDS)
        connection.request("POST", "/god/data/bulk-insert",
                           json.dumps({"collection": "leads", "items": items}),
                           {"Content-Type": "application/json",
                            "X-God-Token": self.stack.env["GOD_MODE_TOKEN"]})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status not in (200, 201) or json.loads(text).get("inserted", CHUNK) != CHUNK:
            raise NotAvailable(f"bulk-insert answered {answer.status}: "
                               f"{text[:160].decode(errors='replace')}")
