"""Job workloads: no-op jobs beside BullMQ's, and articles from the library data."""

import json
import os
import time

from . import data, proc
from .errors import NotAvailable
from .load import Sample
from .stack import http_request

KIND = "bench-noop"
PAYLOAD = "x" * 256
# About what one second takes, by jobs in flight: enough for a steady middle, not more.
JOBS_PER_SECOND = {1: 2000, 10: 10_000}
JOBS_PER_SECOND_MOST = 15_000
DONE_SECONDS = 120
POLL_SECONDS = 0.1

INSERT = """
insert into spark.jobs (site_id, kind, payload)
select ('01960000-0000-7000-8000-' || lpad(to_hex(1 + n % :sites), 12, '0'))::uuid,
       :'kind', json_build_object('text', :'payload')::jsonb
  from generate_series(1, :jobs) as n;
"""
LEFT = """
select count(*) from spark.jobs where kind = :'kind' and state in ('queued', 'running')
"""
# The steady middle: from the job that ended as the tenth of a hundred to the ninetieth. Start and
# stop of the workers and the first reconcile stay outside, as the start does for BullMQ.
RATE = """
select count(*) filter (where state = 'done'),
       count(*),
       extract(epoch from percentile_disc(0.9) within group (order by finished_at)
                        - percentile_disc(0.1) within group (order by finished_at))
  from spark.jobs where kind = :'kind'
"""
HEADLINES = """
select count(*), count(*) filter (where status = 'available')
  from headline_inventory where campaign_id = :'id'
"""


def job_count(in_flight, seconds):
    return int(JOBS_PER_SECOND.get(in_flight, JOBS_PER_SECOND_MOST) * max(1, seconds))


class NoopJobs:
    """Jobs that do nothing, through claim and fenced finish; in_flight None: Spark's default."""

    def __init__(self, stack, in_flight, workers, redis_pid):
        self.stack, self.in_flight, self.workers = stack, in_flight, workers
        self.redis_pid = redis_pid

    def run(self, seconds):
        jobs = job_count(self.in_flight, seconds)
        self.stack.postgres.sql("delete from spark.jobs where kind = :'kind'", kind=KIND)
        self.stack.postgres.sql("vacuum analyze spark.jobs")
        self.stack.postgres.sql(INSERT, sites=data.SITES, kind=KIND, payload=PAYLOAD, jobs=jobs)
        settings = {"WORKER_CONCURRENCY": str(self.in_flight)} if self.in_flight else {}
        before = self.stack.postgres.cpu_seconds(), proc.cpu_seconds(self.redis_pid)
        for number in range(self.workers):
            self.stack.start_worker(f"worker-noop-{number}", **settings)
        try:
            self.wait_for_end()
            workers_cpu = sum(proc.cpu_seconds(worker.pid) for worker in self.stack.workers)
        finally:
            self.stack.stop_workers()
        return self.sample(jobs, before, workers_cpu)

    def wait_for_end(self):
        deadline = time.monotonic() + DONE_SECONDS
        while (left := self.stack.postgres.count(LEFT, kind=KIND)) > 0:
            self.stack.check_workers()
            if time.monotonic() > deadline:
                raise NotAvailable(f"{left} no-op jobs are not done after {DONE_SECONDS} s")
            time.sleep(POLL_SECONDS)

    def sample(self, jobs, before, workers_cpu):
        done, total, span = self.stack.postgres.sql(RATE, kind=KIND)[0]
        if int(done) != jobs or int(total) != jobs:
            raise NotAvailable(f"{done} of {jobs} no-op jobs ended as done")
        if float(span) <= 0:
            raise NotAvailable("all no-op jobs ended at one moment: too few to measure")
        return Sample(rate=jobs * 0.8 / float(span),
                      server_us=workers_cpu * 1e6 / jobs,
                      postgres_us=(self.stack.postgres.cpu_seconds() - before[0]) * 1e6 / jobs,
                      client_us=(proc.cpu_seconds(self.redis_pid) - before[1]) * 1e6 / jobs,
                      requests=jobs)


class BullJobs:
    """The same through BullMQ on the same Redis; the columns mean worker, none, Redis."""

    def __init__(self, stack, peers_dir, in_flight, workers, redis_pid):
        self.stack, self.in_flight, self.workers = stack, in_flight, workers
        self.redis_pid, self.node = redis_pid, os.path.join(peers_dir, "node")
        # Node resolves packages from the folder of the script, so it runs from beside them.
        self.script = os.path.join(peers_dir, "bullmq_noop.mjs")

    def run(self, seconds):
        jobs = job_count(self.in_flight, seconds)
        redis = self.stack.redis_url.removeprefix("unix://")
        before = proc.cpu_seconds(self.redis_pid)
        report = json.loads(proc.run(
            [self.node, self.script, redis, str(jobs), str(self.in_flight), str(self.workers)],
            env=dict(os.environ, NODE_ENV="production"), seconds=DONE_SECONDS))
        return Sample(rate=report["rate"], server_us=report["client_us"],
                      client_us=(proc.cpu_seconds(self.redis_pid) - before) * 1e6 / jobs,
                      requests=jobs)


class Articles:
    """Articles that two workers generate and store, from queueing all of them to the last row."""

    def __init__(self, stack, blueprint, workers=2, batch=50, per_second=4000):
        self.stack, self.blueprint, self.workers = stack, blueprint, workers
        self.batch, self.per_second = batch, per_second
        self.campaign = None
        self.rounds = 0

    def prepare(self):
        if not os.path.exists(self.blueprint):
            raise NotAvailable(f"the blueprint {self.blueprint} is missing")
        with open(self.blueprint, encoding="utf-8") as file:
            body = json.load(file)
        body["site_id"] = data.site_id(1)
        # A number at the end multiplies the headlines: some hundred thousand, for every round new ones.
        body["campaign"]["headline_spintax_root"] += " {%s}" % "|".join(map(str, range(250)))
        places = os.path.join(os.path.dirname(self.blueprint), "locations.json")
        if os.path.exists(places):
            with open(places, encoding="utf-8") as file:
                body["locations"] = json.load(file)
        answer = self.post("/api/admin/import-blueprint", body, 200)
        self.campaign = answer["campaign_id"]

    def run(self, seconds):
        batches = int(self.per_second * max(1, seconds)) // self.batch
        wanted = batches * self.batch
        self.make_headlines(wanted)
        before = self.rows()
        for _ in range(batches):
            self.post("/api/seo/generate-article",
                      {"campaign_id": self.campaign, "batch_size": self.batch, "async": True}, 202)
        cpu = self.stack.postgres.cpu_seconds()
        for number in range(self.workers):
            self.stack.start_worker(f"worker-articles-{number}")
        try:
            span = self.wait_for_rows(before, wanted)
            workers_cpu = sum(proc.cpu_seconds(worker.pid) for worker in self.stack.workers)
        finally:
            self.stack.stop_workers()
        return Sample(rate=wanted / span, server_us=workers_cpu * 1e6 / wanted,
                      postgres_us=(self.stack.postgres.cpu_seconds() - cpu) * 1e6 / wanted,
                      requests=wanted)

    def make_headlines(self, wanted):
        """Tops up the inventory; the combinations already there are stepped over by the offset."""
        total, free = map(int, self.stack.postgres.sql(HEADLINES, id=self.campaign)[0])
        if free < wanted:
            self.post("/api/seo/generate-headlines", {
                "campaign_id": self.campaign, "max_headlines": wanted - free, "offset": total}, 200)
            free = int(self.stack.postgres.sql(HEADLINES, id=self.campaign)[0][1])
        if free < wanted:
            raise NotAvailable(f"the blueprint gave {free} new headlines, {wanted} are needed")

    def rows(self):
        return self.stack.postgres.count(
            "select count(*) from generated_articles where campaign_id = :'id'", id=self.campaign)

    def wait_for_rows(self, before, wanted):
        """Seconds from the start of the workers to the last article."""
        start = time.monotonic()
        while (made := self.rows() - before) < wanted:
            self.stack.check_workers()
            if time.monotonic() - start > DONE_SECONDS:
                raise NotAvailable(f"{made} of {wanted} articles after {DONE_SECONDS} s")
            time.sleep(POLL_SECONDS)
        if made > wanted:
            raise NotAvailable(f"{made} articles for {wanted} headlines")
        return time.monotonic() - start

    def post(self, path, body, status):
        got, answer = http_request(self.stack.port, "POST", path, self.stack.admin_token,
                                   json.dumps(body))
        if got != status:
            raise NotAvailable(f"POST {path} answered {got}: "
                               f"{answer[:160].decode(errors='replace')}")
        return json.loads(answer)
