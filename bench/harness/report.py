"""The report: what was measured, under which conditions, and how it stands to the targets."""

import json
import os
import platform

from . import data
from .stack import ENVIRONMENT

NO_VALUE = "-"


def number(value, digits=1):
    if value is None:
        return NO_VALUE
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.{digits}f}"


def table(head, rows):
    """Columns as wide as they need to be; the first one to the left, the others to the right."""
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]

    def line(row):
        cells = [str(cell).rjust(width) for cell, width in zip(row, widths)]
        cells[0] = str(row[0]).ljust(widths[0])
        return "  ".join(cells).rstrip()
    return "\n".join([line(head), "  ".join("-" * width for width in widths), *map(line, rows)])


def figures(workload, results):
    rows = []
    for name, result in results.items():
        if result.reason:
            continue
        if result.spread() is None:
            continue
        low, high = result.spread()
        rows.append([f"{workload.name}: {name}", number(result.median("rate"), 0),
                     f"{number(low, 0)}..{number(high, 0)}",
                     number(result.median("p50_ms"), 2), number(result.median("p99_ms"), 2),
                     number(result.median("server_us")), number(result.median("postgres_us")),
                     number(result.median("client_us"))])
    return rows


def values(workload, results):
    for contestant, result in results.items():
        names = sorted({name for sample in result.samples for name in sample.values})
        for name in names:
            yield [f"{workload.name}: {contestant}", name, number(result.value(name), 3)]


def judge(target, results):
    """(title of the target, its bound, what was measured, verdict) for one row of targets.json."""
    spark = results.get("spark")
    measure = target.get("measure", "ratio")
    title = f"x {target['of']}" if measure == "ratio" else measure
    bound = NO_VALUE
    if "at_least" in target:
        bound = f">= {target['at_least']}"
    if "at_most" in target:
        bound = f"<= {target['at_most']}"
    measured, missing = measured_value(target, measure, spark, results)
    if missing:
        return [title, bound, NO_VALUE, missing]
    return [title, bound, number(measured, 3 if measured < 10 else 1), verdict(target, measured)]


def measured_value(target, measure, spark, results):
    """(value, None) or (None, why there is none)."""
    if spark is None or spark.reason:
        return None, "not available"
    if measure == "ratio":
        other = results.get(target["of"])
        if other is None:
            return None, "not in this run"
        if other.reason:
            return None, "not available"
        return spark.median("rate") / other.median("rate"), None
    if measure in ("rate", "server_us", "postgres_us"):
        return spark.median(measure), None
    return spark.value(measure), None


def verdict(target, measured):
    if "at_least" in target:
        return "ok" if measured >= target["at_least"] else "short"
    if "at_most" in target:
        return "ok" if measured <= target["at_most"] else "short"
    return "for the record"


def conditions(stack, redis_info, directus_environment, rounds, seconds, load):
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        models = [line.partition(":")[2].strip() for line in cpuinfo if "model name" in line]
    return {
        "machine": f"{os.cpu_count()} x {models[0] if models else platform.machine()}, "
                   f"{platform.system()} {platform.release()}",
        "load average at start": " ".join(f"{value:.2f}" for value in load),
        "rounds": f"{rounds} interleaved of {seconds} s, after one to warm up",
        "data": f"{data.POSTS:,} posts of 2 KB over {data.SITES} sites",
        **{f"postgresql {name}": value for name, value in stack.postgres.settings().items()},
        "redis": f"{redis_info.get('redis_version')}, appendonly "
                 f"{redis_info.get('aof_enabled') == '1'}, {redis_info.get('maxmemory_policy')}",
        "spark environment": settings_line(ENVIRONMENT),
        **({"directus environment": settings_line(directus_environment)}
           if directus_environment else {}),
        "pgbench scripts": "-S (its own), sql/pgbench_post.sql, sql/pgbench_insert.sql.in",
    }


def settings_line(environment):
    return " ".join(f"{name}={value}" for name, value in environment.items())


def text(facts, measured, targets):
    parts = ["Conditions", *(f"  {name}: {value}" for name, value in facts.items()), ""]
    rows = [row for workload, results in measured for row in figures(workload, results)]
    parts += ["Medians (CPU in microseconds per request: server process, all of PostgreSQL, load "
              "generator; jobs: workers, PostgreSQL, Redis)",
              table(["workload: who", "per s", "min..max", "p50 ms", "p99 ms", "server us",
                     "postgres us", "client us"], rows), ""]
    rows = [row for workload, results in measured for row in values(workload, results)]
    if rows:
        parts += ["Other figures (MB of 1,000,000 bytes, s)",
                  table(["workload: who", "what", "median"], rows), ""]
    by_name = {workload.name: (workload, results) for workload, results in measured}
    rows = [[by_name[target["workload"]][0].title, *judge(target, by_name[target["workload"]][1])]
            for target in targets if target["workload"] in by_name]
    parts += ["Targets", table(["workload", "what", "target", "measured", "stands"], rows), ""]
    reasons = [f"  {workload.name}: {name}: {result.reason}" for workload, results in measured
               for name, result in results.items() if result.reason]
    if reasons:
        parts += ["Not available", *reasons, ""]
    return "\n".join(parts)


def as_json(facts, measured, targets):
    by_name = {workload.name: results for workload, results in measured}
    return json.dumps({
        "conditions": facts,
        "workloads": [{
            "name": workload.name, "title": workload.title,
            "contestants": {name: {"not_available": result.reason or None,
                                   "rate": result.median("rate"),
                                   "server_us": result.median("server_us"),
                                   "postgres_us": result.median("postgres_us"),
                                   "client_us": result.median("client_us"),
                                   "rounds": [vars(sample) for sample in result.samples]}
                            for name, result in results.items()},
        } for workload, results in measured],
        "targets": [dict(target, **dict(zip(
            ("title", "bound", "measured", "stands"), judge(target, by_name[target["workload"]]))))
            for target in targets if target["workload"] in by_name],
    }, indent=4)
