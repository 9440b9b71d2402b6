"""How long an innocent site (the second, B) waits: one request after the other, timed from outside."""

import http.client
import json
import random
import statistics
import time
import urllib.parse

from . import data

B = 2
JOB_SECONDS = 30
# The only jobs of B are those of the probe, one after the other.
NEWEST_JOB = """
select state, extract(epoch from started_at - created_at) from spark.jobs where site_id = :'site' order by id desc limit 1
"""


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Probe:
    """Requests of B on one connection. fresh: on a new connection each time."""

    def __init__(self, name, stack, token, path, fresh=False):
        self.name, self.stack, self.token, self.path = name, stack, token, path
        self.fresh, self.connection = fresh, None

    def once(self):
        """Seconds of one answer; one that fails counts as the time it took to fail."""
        start = time.monotonic()
        try:
            if self.connection is None or self.fresh:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=60)
            self.connection.request("GET", self.path(), headers={"Authorization": f"Bearer {self.token}"})
            answer = self.connection.getresponse()
            answer.read()
            is_good = answer.status == 200
        except (OSError, http.client.HTTPException):
            is_good = False
            self.connection = None
        return time.monotonic() - start, is_good

    def measure(self, seconds):
        end = time.monotonic() + seconds
        taken = []
        failed = 0
        while time.monotonic() < end:
            span, is_good = self.once()
            taken.append(span)
            failed += not is_good
        return taken, failed


class JobStart:
    """From the answer that accepted a job to its start, by PostgreSQL's clock."""

    name = "job_start"

    def __init__(self, stack, token, campaign):
        self.stack, self.token, self.campaign = stack, token, campaign

    def once(self):
        body = {"campaign_id": self.campaign, "batch_size": 1, "async": True}
        start = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=60)
        connection.request("POST", "/api/seo/generate-article", body=json.dumps(body),
                           headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return self.wait() if answer.status == 202 else (time.monotonic() - start, False)

    def wait(self):
        deadline = time.monotonic() + JOB_SECONDS
        while time.monotonic() < deadline:
            state, waited = self.stack.postgres.sql(NEWEST_JOB, site=data.site_id(B))[0]
            if state not in ("queued", "running"):
                return float(waited), state == "done"
            time.sleep(0.02)
        return float(JOB_SECONDS), False

    def measure(self, seconds):
        end = time.monotonic() + seconds
        found = []
        while time.monotonic() < end:
            found.append(self.once())
        return [span for span, _ in found], sum(not good for _, good in found)


def all_probes(stack, tokens, campaign):
    chance = random.Random(7)
    posts = [n for n in range(1, data.POSTS + 1) if data.site_of(n) == B]
    listed = "/items/posts?fields=id,title,slug,status,published_at&sort=-published_at&limit=25&filter[status][_eq]=published"
    return [
        Probe("item", stack, tokens[B], lambda: f"/items/posts/{data.post_id(chance.choice(posts))}"),
        Probe("list", stack, tokens[B], lambda: listed),
        Probe("search", stack, tokens[B],
              lambda: "/items/posts?fields=id&limit=5&search=" + urllib.parse.quote(chance.choice(("harbor", "meadow", "silver")))),
        Probe("ping", stack, tokens[B], lambda: "/server/ping", fresh=True),
        JobStart(stack, tokens[B], campaign),
    ]


def milliseconds(values, share):
    return statistics.median(percentile(sample, share) for sample in values if sample) * 1000
