"""What a schema of 500 collections costs: to apply 125 of them, to notice a change, and to keep all in memory."""

import json
import statistics
import time

from . import data, proc
from .errors import NotAvailable
from .load import Sample

APPLIED, COLLECTIONS, FIELDS = 125, 500, 10
CHANGES = 10
TYPES = ("string", "text", "integer", "boolean", "timestamp", "json", "uuid", "decimal", "date", "csv")


def name_of(number):
    return f"bench_{number:03d}"


def definition(number):
    """A collection with ten fields of several types, as an app would make it."""
    key = {"field": "id", "type": "uuid", "meta": {"special": ["uuid"]}, "schema": {"is_primary_key": True}}
    fields = [{"field": f"field_{n}", "type": TYPES[n % len(TYPES)], "meta": {"interface": "input"}, "schema": {}}
              for n in range(FIELDS)]
    return {"collection": name_of(number), "meta": {"icon": "article"}, "schema": {}, "fields": [key, *fields]}


class Schema:
    def __init__(self, stack, tokens):
        self.stack, self.token = stack, tokens[data.site_of(1)]
        self.item = f"/items/posts/{data.post_id(1)}?fields=id"

    def run(self, _seconds):
        self.restart()
        small = self.megabytes()
        self.create(0, APPLIED)
        applied = self.apply_again()
        for first in range(APPLIED, COLLECTIONS, APPLIED):
            self.create(first, APPLIED)
        rebuilt = self.rebuild()
        self.restart()
        return Sample(values={"apply_s": applied, "rebuild_ms": rebuilt * 1000, "more_mb": self.megabytes() - small})

    def restart(self):
        self.stack.stop_server()
        self.stack.start_server("schema")
        self.stack.wait_for_server()

    def megabytes(self):
        """With the schema in memory. The least of a second: as it starts, a server hashes a password in 64 MB."""
        seen = []
        for _ in range(20):
            self.read()
            seen.append(proc.resident_megabytes(self.stack.server.pid))
            time.sleep(0.05)
        return min(seen)

    def ask(self, method, path, body=None):
        status, answer = self.stack.request(method, path, self.stack.admin_token,
                                            None if body is None else json.dumps(body))
        if status >= 300:
            raise NotAvailable(f"{method} {path} answered {status}: {answer[:160].decode(errors='replace')}")
        return json.loads(answer)["data"] if answer else None

    def create(self, first, count):
        self.ask("POST", "/collections", [definition(n) for n in range(first, first + count)])
        for number in range(first + 1, first + count):
            self.ask("POST", f"/fields/{name_of(number)}", {"field": "up", "type": "uuid", "schema": {}, "meta": {}})
            self.ask("POST", "/relations", {"collection": name_of(number), "field": "up",
                                            "related_collection": name_of(number - 1), "schema": {}, "meta": {}})

    def apply_again(self):
        """Seconds to apply what a snapshot holds of the collections, after they are gone."""
        snapshot = self.ask("GET", "/schema/snapshot")
        for number in reversed(range(APPLIED)):
            self.ask("DELETE", f"/collections/{name_of(number)}")
        difference = self.ask("POST", "/schema/diff", snapshot)
        if len(difference["diff"]["collections"]) != APPLIED:
            raise NotAvailable(f"{len(difference['diff']['collections'])} collections differ, not {APPLIED}")
        start = time.monotonic()
        self.ask("POST", "/schema/apply", difference)
        return time.monotonic() - start

    def read(self):
        start = time.monotonic()
        status, _ = self.stack.request("GET", self.item, self.token)
        if status != 200:
            raise NotAvailable(f"GET {self.item} answered {status}")
        return time.monotonic() - start

    def rebuild(self):
        """How much longer the first read after a change of the schema takes than the one after it."""
        longer = []
        for number in range(CHANGES):
            self.ask("PATCH", f"/collections/{name_of(number)}", {"meta": {"note": f"change {number}"}})
            first = self.read()
            longer.append(first - self.read())
        return statistics.median(longer)
