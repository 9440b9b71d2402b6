#!/usr/bin/env python3
"""How much longer a site waits while another one attacks: p99 beside the attack over p99 alone.

Every round measures each probe alone and then beside the attack, so that a noisy minute hits both.
"""

import argparse
import json
import os
import sys
import time

from harness import attacks, data, library, probes, report
from harness.errors import BenchError
from harness.factory import Api
from harness.stack import Stack
from harness.suite import say

ROOT = os.path.dirname(data.BENCH)
BOUND = 3.0
CALM_SECONDS = 60
AUTHOR = "01961000-0000-7000-8000-" + f"{attacks.A * 10:012x}"

ROWS_OF_A = """
insert into posts (site_id, title, slug, status, content, author, published_at)
select :'site', 'row ' || n, 'more-' || n, 'published', repeat('word ', 200), :'author', now()
  from generate_series(1, :rows) n;
"""
CAMPAIGN = """
insert into campaign_masters (site_id, name, headline_spintax_root) values (:'site', 'neighbours', :'root') returning id
"""
FORGET_JOBS = "delete from spark.jobs where site_id = :'site'"
BUSY = """
select count(*) from pg_stat_activity
 where state = 'active' and backend_type = 'client backend' and pid <> pg_backend_pid()
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, prog="bench/neighbours.py")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="of one probe, alone and beside each attack")
    parser.add_argument("--only", default="", help="names of attacks, separated by commas")
    parser.add_argument("--rows", type=int, default=100_000, help="posts that A has besides")
    parser.add_argument("--spark", default=os.path.join(ROOT, "build/release/bin/spark"))
    parser.add_argument("--out", default=os.path.join(ROOT, "build/bench"))
    return parser.parse_args()


class Neighbours:
    def __init__(self, given):
        self.given = given
        os.makedirs(given.out, exist_ok=True)
        self.stack = Stack(given.spark, os.path.abspath(given.out))
        self.rows = []

    def prepare(self):
        say("starting PostgreSQL and Redis")
        stack = self.stack
        stack.start_backends()
        stack.command("migrate", "--pack")
        say(f"seeding {data.POSTS:,} posts, and {self.given.rows:,} more of A")
        data.seed(stack.postgres)
        stack.postgres.sql(ROWS_OF_A, site=data.site_id(attacks.A), author=AUTHOR, rows=self.given.rows)
        stack.postgres.sql("vacuum analyze posts")
        self.tokens = {site: json.loads(stack.command("token", "create", "--site", data.site_id(site), "--json"))["token"]
                       for site in (attacks.A, probes.B)}
        stack.start_server()
        stack.wait_for_server()
        for number in range(2):
            stack.start_worker(f"worker-{number}")
        self.campaign = stack.postgres.value(CAMPAIGN, site=data.site_id(attacks.A), root=attacks.LETTERS * 250)
        self.probes = probes.all_probes(stack, self.tokens, self.make_campaign_of_b())

    def make_campaign_of_b(self):
        with open(os.path.join(ROOT, "demo", "blueprint.json"), encoding="utf-8") as file:
            body = json.load(file)
        body["site_id"] = data.site_id(probes.B)
        body["campaign"]["headline_spintax_root"] += " {%s}" % "|".join(map(str, range(250)))
        api = Api(self.stack)
        campaign = api.post("/api/admin/import-blueprint", body)[1]["campaign_id"]
        status, answer = api.post("/api/seo/generate-headlines", {"campaign_id": campaign, "max_headlines": 20_000})
        if status == 202:
            api.wait_for_job(answer["job_id"])
        return campaign

    def look(self):
        """{probe: (seconds of each answer, how many failed)}"""
        return {probe.name: probe.measure(self.given.seconds) for probe in self.probes}

    def calm(self):
        """What an attack has left in the queue is removed, what it has left running ends."""
        self.stack.postgres.sql(FORGET_JOBS, site=data.site_id(attacks.A))
        deadline = time.monotonic() + CALM_SECONDS
        while self.stack.postgres.count(BUSY) > 0 and time.monotonic() < deadline:
            time.sleep(0.1)

    def measure(self, attack):
        alone, beside = [], []
        for number in range(1, self.given.rounds + 1):
            alone.append(self.look())
            attack.start(self.stack.port)
            time.sleep(1)
            beside.append(self.look())
            attack.stop()
            self.calm()
            say(f"  {attack.name} {number}/{self.given.rounds}")
        for probe in self.probes:
            self.note(attack, probe.name, [r[probe.name] for r in alone], [r[probe.name] for r in beside])

    def note(self, attack, probe, alone, beside):
        before, after = [[taken for taken, _ in rounds] for rounds in (alone, beside)]
        row = {"attack": attack.name, "probe": probe,
               "alone_p50": probes.milliseconds(before, 0.5), "alone_p99": probes.milliseconds(before, 0.99),
               "beside_p50": probes.milliseconds(after, 0.5), "beside_p99": probes.milliseconds(after, 0.99),
               "failed": sum(failed for _, failed in beside), "answers": sum(map(len, after))}
        row["ratio"] = row["beside_p99"] / row["alone_p99"]
        self.rows.append(row)

    def report(self, done):
        head = ["attack: probe", "alone p50 ms", "p99", "beside p50 ms", "p99", "x p99", "answers", "failed", ""]
        print("\n".join(f"{attack.name}: {attack.title}" for attack in done) + "\n")
        print(report.table(head, [
            [f"{r['attack']}: {r['probe']}", report.number(r["alone_p50"], 2), report.number(r["alone_p99"], 2),
             report.number(r["beside_p50"], 2), report.number(r["beside_p99"], 2), report.number(r["ratio"], 2),
             r["answers"], r["failed"], "ok" if r["ratio"] <= BOUND and r["failed"] == 0 else "short"]
            for r in self.rows]))
        with open(os.path.join(self.given.out, "neighbours.json"), "w", encoding="utf-8") as file:
            json.dump(self.rows, file, indent=1)

    def main(self):
        try:
            self.prepare()
            wanted = [name for name in self.given.only.split(",") if name]
            done = [attack for attack in attacks.all_attacks(self.tokens, self.stack.admin_token, self.campaign)
                    if not wanted or attack.name in wanted]
            for attack in done:
                say(f"{attack.name}: {attack.title}")
                self.measure(attack)
            self.report(done)
            return 0
        finally:
            self.stack.stop()


def main():
    try:
        return Neighbours(arguments()).main()
    except BenchError as error:
        say(f"neighbours: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
