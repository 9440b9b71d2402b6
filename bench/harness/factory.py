"""The factory's workloads end to end: headlines, the duplicate scan and links, with PostgreSQL."""

import json
import os
import time

from . import data, library, proc, redis
from .errors import NotAvailable
from .load import Sample
from .stack import http_request

HEADLINES_SITE, DUPLICATES_SITE, LINKS_SITE = 101, 102, 103
DONE_SECONDS = 600
POLL_SECONDS = 0.05

JOB = "select state, coalesce(error, '') from spark.jobs where id = :id"
PROGRESS = "{q:0}:progress"


class Api:
    """Requests as an administrator sends them, and the jobs they leave to workers."""

    def __init__(self, stack):
        self.stack, self.postgres = stack, stack.postgres

    def post(self, path, body):
        status, answer = http_request(self.stack.port, "POST", path, self.stack.admin_token,
                                      json.dumps(body), timeout=DONE_SECONDS)
        if status not in (200, 201, 202):
            raise NotAvailable(f"POST {path} answered {status}: "
                               f"{answer[:160].decode(errors='replace')}")
        return status, json.loads(answer)

    def wait_for_job(self, job):
        """How many different progresses were seen until it was done."""
        deadline = time.monotonic() + DONE_SECONDS
        seen = set()
        while True:
            state, error = self.postgres.sql(JOB, id=job)[0]
            if state == "done":
                return len(seen)
            if state not in ("queued", "running") or time.monotonic() > deadline:
                raise NotAvailable(f"job {job} is {state}: {error[:160]}")
            seen.add(redis.field(self.stack.redis_url, PROGRESS, job))
            self.stack.check_workers()
            time.sleep(POLL_SECONDS)


def span_of(work):
    """(seconds, what it returned)"""
    start = time.monotonic()
    result = work()
    return time.monotonic() - start, result


class Headlines:
    """85,000 combinations of one root, stored through the API, in a new campaign each round."""

    ROOT = ("{How|Why|When|Where|What|Which way|How soon|How often|Ten times|Once more|Just how|"
            "Exactly why|At last how|Again why|Quietly how|Surely why|Indeed how} to {%s} "
            "{your|our|their|a|the|any|every|each|that|this} {%s} {%s}" % (
                "keep|mend|clean|tune|oil|check|lock|park|carry|store",
                "bike|wheel|chain|brake|saddle|frame|light|motor|battery|rack",
                "at home|at work|in winter|in a hurry|for good"))
    COUNT = 17 * 10 * 10 * 10 * 5
    ROWS = "select count(*) from headline_inventory where campaign_id = :'id'"

    def __init__(self, stack):
        self.api, self.postgres, self.stack = Api(stack), stack.postgres, stack

    def prepare(self):
        library.make_site(self.postgres, HEADLINES_SITE)

    def campaign(self):
        return self.postgres.value(
            "insert into campaign_masters (site_id, name, headline_spintax_root)"
            " values (:'site', 'headlines', :'root') returning id",
            site=data.site_id(HEADLINES_SITE), root=self.ROOT)

    def run(self, _seconds):
        campaign = self.campaign()
        before = proc.cpu_seconds(self.stack.server.pid), self.postgres.cpu_seconds()
        seconds, rows = span_of(lambda: self.generate(campaign))
        after = proc.cpu_seconds(self.stack.server.pid), self.postgres.cpu_seconds()
        if rows != self.COUNT:
            raise NotAvailable(f"{rows} headlines are in the table, not {self.COUNT}")
        return Sample(rate=rows / seconds, requests=rows,
                      server_us=(after[0] - before[0]) * 1e6 / rows,
                      postgres_us=(after[1] - before[1]) * 1e6 / rows)

    def generate(self, campaign):
        """In the request, or by the job that it answers with."""
        status, answer = self.api.post("/api/seo/generate-headlines", {
            "campaign_id": campaign, "max_headlines": self.COUNT})
        if status == 202:
            self.api.wait_for_job(answer["job_id"])
        return self.postgres.count(self.ROWS, id=campaign)


class HeadlinesInserted:
    """The same rows by one insert … select in psql, into the same table with the same indexes."""

    def __init__(self, headlines):
        self.headlines, self.postgres = headlines, headlines.postgres

    def run(self, _seconds):
        source = self.postgres.value(
            "select campaign_id from headline_inventory where site_id = :'site'"
            " group by campaign_id having count(*) = :count limit 1",
            site=data.site_id(HEADLINES_SITE), count=self.headlines.COUNT)
        campaign = self.headlines.campaign()
        before = self.postgres.cpu_seconds()
        seconds, _ = span_of(lambda: self.postgres.sql(
            "insert into headline_inventory (site_id, campaign_id, campaign_site_id, headline_text,"
            "                                final_title_text, text_hash, location_data)"
            " select site_id, :'campaign', campaign_site_id, headline_text, final_title_text, text_hash,"
            "        location_data from headline_inventory where campaign_id = :'source'",
            campaign=campaign, source=source))
        cpu = self.postgres.cpu_seconds() - before
        rows = self.postgres.count(self.headlines.ROWS, id=campaign)
        if rows != self.headlines.COUNT:
            raise NotAvailable(f"psql inserted {rows} headlines, not {self.headlines.COUNT}")
        return Sample(rate=rows / seconds, requests=rows, postgres_us=cpu * 1e6 / rows)


class Duplicates:
    """The scan of one site as a job: four sizes from nothing, then 1,000 articles more.

    The last size counts. Recall is of pairs that exact_pairs finds among 1,000 articles and their
    copies, at Jaccard 0.5.
    """

    NEW = 1000
    EXACT = 0.5
    PAIRS_CHECKED = 1000

    def __init__(self, stack, source, articles, out_dir, threshold=None):
        self.api, self.postgres, self.stack = Api(stack), stack.postgres, stack
        self.library, self.articles, self.out_dir = source, articles, out_dir
        self.threshold = threshold
        self.site = data.site_id(DUPLICATES_SITE)
        self.stored = 0

    def run(self, _seconds):
        library.make_site(self.postgres, DUPLICATES_SITE)
        for number in range(2):
            self.stack.start_worker(f"worker-duplicates-{number}")
        try:
            return self.measured()
        finally:
            self.stack.stop_workers()

    def measured(self):
        values, spans, works = {}, [], []
        for part in (8, 4, 2, 1):
            self.store(self.articles // part)
            self.forget()
            before = self.cpu_seconds()
            seconds, values["progress"] = self.scan()
            spans.append(seconds)
            values[f"s_{self.articles // part}"] = seconds
            values["flags"] = self.flags()
            cpu = [now - then for now, then in zip(self.cpu_seconds(), before)]
            works.append(sum(cpu))
        values["growth_cpu_x8"] = works[-1] / works[0]
        values["growth_x8"] = spans[-1] / spans[0]
        values["recall"] = self.recall()
        self.store(self.articles + self.NEW)
        values["s_new"], _ = self.scan()
        values["peak_mb"] = max(proc.peak_megabytes(worker.pid) for worker in self.stack.workers)
        micro = 1e6 / self.articles
        return Sample(rate=self.articles / spans[-1], requests=self.articles,
                      server_us=cpu[0] * micro, postgres_us=cpu[1] * micro,
                      values=dict(values, scan_s=spans[-1], scan_cpu_s=works[-1]))

    def cpu_seconds(self):
        """Of the workers and of PostgreSQL: what a busy machine changes least."""
        return (sum(proc.cpu_seconds(worker.pid) for worker in self.stack.workers),
                self.postgres.cpu_seconds())

    def store(self, count):
        library.store(self.postgres, self.library, DUPLICATES_SITE, self.stored, count)
        self.stored = count
        self.postgres.sql("vacuum analyze generated_articles")

    def forget(self):
        """As if no scan had been."""
        self.postgres.sql("delete from spark.article_signatures where site_id = :'site';"
                          "delete from quality_flags where site_id = :'site'", site=self.site)
        self.postgres.sql("vacuum analyze spark.article_signatures")
        self.postgres.sql("checkpoint")

    def scan(self):
        body = {"site_id": self.site}
        if self.threshold:
            body["threshold"] = self.threshold

        def whole():
            status, answer = self.api.post("/api/seo/scan-duplicates", body)
            if status != 202:
                raise NotAvailable(f"the scan is no job: {answer}")
            return self.api.wait_for_job(answer["job_id"]), answer["job_id"]
        seconds, (steps, job) = span_of(whole)
        scanned = self.postgres.count(
            "select (result ->> 'articles_scanned')::int from spark.jobs where id = :id", id=job)
        if scanned != self.stored:
            raise NotAvailable(f"{scanned} articles were scanned of {self.stored}")
        return seconds, steps

    def flags(self):
        return self.postgres.count("select count(*) from quality_flags where site_id = :'site'",
                                   site=self.site)

    def recall(self):
        """Of the pairs that an exact comparison of some articles with all of them finds."""
        copies = range(1, self.articles, library.COPY_EVERY)[:self.PAIRS_CHECKED]
        path = os.path.join(self.out_dir, "exact.articles")
        library.write(self.library, [n + d for n in copies for d in (-1, 0)], path)
        program = os.path.join(self.out_dir, "exact_pairs")
        proc.run(["make", "-s", "-C", data.BENCH, f"OUT={self.out_dir}", program])
        wanted = {tuple(sorted(map(int, line.split())))
                  for line in proc.run([program, path, str(self.EXACT)]).splitlines()}
        os.unlink(path)
        found = {tuple(sorted(int(part[-12:], 16) for part in row))
                 for row in self.postgres.sql(
                     "select article_a, article_b from quality_flags where site_id = :'site'"
                     " and similarity_score >= :least", site=self.site, least=100 * self.EXACT)}
        if not wanted:
            raise NotAvailable("the exact comparison found no pair")
        return len(wanted & found) / len(wanted)


class BodiesRead:
    """What no scan can beat: PostgreSQL hands out the same bodies once, to nobody."""

    def __init__(self, stack, site):
        self.postgres, self.site = stack.postgres, data.site_id(site)

    def run(self, _seconds):
        rows = self.postgres.count("select count(*) from generated_articles where site_id = :'site'",
                                   site=self.site)
        seconds, _ = span_of(lambda: self.postgres.sql(
            "\\o /dev/null\nselect id, content from generated_articles where site_id = :'site';",
            site=self.site))
        return Sample(rate=rows / seconds, requests=rows)


class Links:
    """10,000 targets, 10,000 articles: the job that POST /api/seo/insert-links queues."""

    ANCHORS = 3

    def __init__(self, stack, source, articles, targets):
        self.api, self.postgres, self.stack = Api(stack), stack.postgres, stack
        self.library, self.articles, self.targets = source, articles, targets
        self.site = data.site_id(LINKS_SITE)

    def run(self, _seconds):
        self.seed()
        before = self.postgres.cpu_seconds()
        for number in range(2):
            self.stack.start_worker(f"worker-links-{number}")
        try:
            seconds, _ = span_of(self.insert)
            workers_cpu = sum(proc.cpu_seconds(worker.pid) for worker in self.stack.workers)
            peak = max(proc.peak_megabytes(worker.pid) for worker in self.stack.workers)
        finally:
            self.stack.stop_workers()
        postgres_cpu = self.postgres.cpu_seconds() - before
        linked, links = self.check()
        return Sample(rate=self.articles / seconds, requests=self.articles,
                      server_us=workers_cpu * 1e6 / self.articles,
                      postgres_us=postgres_cpu * 1e6 / self.articles,
                      values={"linked": linked, "links": links, "peak_mb": peak})

    def seed(self):
        library.make_site(self.postgres, LINKS_SITE)
        self.postgres.sql(
            "delete from generated_articles where site_id = :'site';"
            "delete from link_targets where site_id = :'site';"
            "delete from campaign_masters where site_id = :'site';"
            "insert into campaign_masters (site_id, name) values (:'site', 'links')", site=self.site)
        library.store(self.postgres, self.library, LINKS_SITE, 0, self.articles)
        self.campaign = self.postgres.value(
            "update generated_articles a set campaign_site_id = a.site_id, campaign_id = c.id"
            "  from campaign_masters c where a.site_id = :'site' and c.site_id = a.site_id;"
            "select id from campaign_masters where site_id = :'site'", site=self.site)
        rows = library.targets(self.library, self.targets, self.ANCHORS)
        self.postgres.sql(
            "insert into link_targets (site_id, target_url, anchor_text, anchor_variations, priority)"
            " select :'site', t ->> 0, t ->> 1, t -> 2, (t ->> 3)::int"
            "   from jsonb_array_elements($bench$" + json.dumps(rows) + "$bench$) t", site=self.site)
        self.postgres.sql("vacuum analyze generated_articles, link_targets, article_links")
        self.postgres.sql("checkpoint")

    def insert(self):
        _, answer = self.api.post("/api/seo/insert-links", {"campaign_id": self.campaign})
        self.api.wait_for_job(answer["job_id"])

    def check(self):
        """As many anchors in the texts as there are records, and a line in the log for each."""
        rows = self.postgres.sql(
            "select count(*) filter (where content like '%<a href=%'),"
            "       sum((length(content) - length(replace(content, '<a href=', ''))) / 8),"
            "       (select count(*) from article_links where site_id = :'site'),"
            "       (select count(*) from work_log where site_id = :'site' and action = 'links_inserted'"
            "          and entity_id in (select article_id::text from article_links where site_id = :'site'))"
            "  from generated_articles where site_id = :'site'", site=self.site)[0]
        linked, anchors, records, lines = (int(value or 0) for value in rows)
        if anchors != records or lines != linked or linked == 0:
            raise NotAvailable(f"{anchors} links in {linked} texts, but {records} records and "
                               f"{lines} lines in the log")
        return linked, records


class BodiesUpdated:
    """The same rows by SQL alone, once: each text again, a record for each link, a line of the log."""

    def __init__(self, links):
        self.links, self.postgres = links, links.postgres

    def run(self, _seconds):
        seconds, rows = span_of(lambda: self.postgres.count(
            "begin;\n"
            "create temporary table old on commit drop as select * from article_links where site_id = :'site';\n"
            "delete from article_links where site_id = :'site';\n"
            "update generated_articles set content = content || ' ' where site_id = :'site'"
            "   and sha256(convert_to(content, 'UTF8')) is not null;\n"
            "insert into article_links select * from old;\n"
            "insert into work_log (site_id, action, entity_type, entity_id, details)"
            " select site_id, 'links_bench', 'generated_articles', article_id::text,"
            "        jsonb_build_object('anchors', jsonb_agg(anchor)) from old group by site_id, article_id;\n"
            "commit;\n"
            "select count(*) from generated_articles where site_id = :'site'", site=self.links.site))
        return Sample(rate=rows / seconds, requests=rows)
