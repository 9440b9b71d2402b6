"""Mixed load for a long time: does memory grow, does a queue stay behind?"""

import time

from . import data, jobs, proc, redis, requests, server
from .errors import BenchError
from .load import HttpLoad
from .suite import say

WORKERS = 2
JOBS_PER_TURN = 5000
SECONDS = {"get": 15, "list": 10, "relation": 10, "post": 5, "pageview": 3}
# The first part fills caches and pools; growth is judged on what follows.
WARM_PART = 1 / 3
MOST_GROWTH_MB_PER_HOUR = 1.0
# Below this the slope is that of noise.
JUDGED_MINUTES = 30
QUEUED = "select count(*) from spark.jobs where state in ('queued', 'running')"


class Soak:
    def __init__(self, stack, tokens, out_dir):
        self.stack, self.tokens, self.out_dir = stack, tokens, out_dir
        self.text = stack.postgres.value("select content from posts where id = :'id'",
                                         id=data.post_id(1))
        self.readings = []

    def loads(self):
        """Name and load of each part of a turn."""
        def lists(fields):
            return requests.list_requests(self.tokens, fields)
        parts = {
            "get": (requests.get_requests(self.tokens), requests.get_check),
            "list": (lists(requests.LIST_FIELDS), requests.list_check),
            "relation": (lists(requests.RELATION_FIELDS), requests.relation_check),
            "post": (requests.post_requests(self.tokens, self.text), requests.post_check),
        }
        found = {name: HttpLoad(f"soak-{name}", self.stack.port, self.stack.server.pid, wanted,
                                self.out_dir, self.stack.postgres, check)
                 for name, (wanted, check) in parts.items()}
        for load in found.values():
            load.prepare()
        found["pageview"] = server.pageviews(self.stack, self.out_dir)
        found["pageview"].load.prepare()
        return found

    def run(self, minutes):
        """True if nothing grew and nothing stayed behind."""
        for number in range(WORKERS):
            self.stack.start_worker(f"worker-soak-{number}")
        loads = self.loads()
        start = time.monotonic()
        while time.monotonic() - start < minutes * 60:
            self.stack.postgres.sql(jobs.INSERT, sites=data.SITES, kind=jobs.KIND,
                                    payload=jobs.PAYLOAD, jobs=JOBS_PER_TURN)
            for name, load in loads.items():
                load.run(SECONDS[name])
            self.stack.check_workers()
            self.read((time.monotonic() - start) / 3600)
        return self.judge(minutes)

    def read(self, hours):
        info = redis.info(self.stack.redis_url)
        reading = {
            "hours": hours,
            "server_mb": proc.resident_megabytes(self.stack.server.pid),
            **{f"worker{number}_mb": proc.resident_megabytes(worker.pid)
               for number, worker in enumerate(self.stack.workers)},
            "redis_mb": int(info["used_memory"]) / 1e6,
            "jobs_left": self.stack.postgres.count(QUEUED),
        }
        self.readings.append(reading)
        say("  ".join(f"{name} {value:,.2f}" for name, value in reading.items()))

    def judge(self, minutes):
        steady = self.readings[int(len(self.readings) * WARM_PART):]
        ok = True
        for name in steady[0]:
            if name == "hours":
                continue
            growth = slope([(reading["hours"], reading[name]) for reading in steady])
            bad = (name.endswith("_mb") and name != "redis_mb" and minutes >= JUDGED_MINUTES
                   and growth > MOST_GROWTH_MB_PER_HOUR)
            ok = ok and not bad
            print(f"{name}: {steady[-1][name]:,.2f}, {growth:+,.2f} an hour"
                  f"{'  grows' if bad else ''}")
        try:
            proc.wait_until(lambda: self.stack.postgres.count(QUEUED) == 0, 60, "jobs are left")
        except BenchError as error:
            print(f"jobs_left: {error}")
            return False
        return ok


def slope(points):
    """Least squares; 0 for less than two points."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
