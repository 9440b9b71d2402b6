"""The HTTP workloads: who answers what, against whom."""

import os
import socket

from . import data, directus, proc, requests
from .errors import BenchError, NotAvailable
from .load import CONNECTIONS, HttpLoad, PgbenchLoad
from .stack import free_port
from .suite import Absent, Workload

PGBENCH_DATABASE = "bench_pgbench"
PGBENCH_READ = dict(options=["-S"], clients=8)
INSERT_CLIENTS = 16
NESTED_POST_CONNECTIONS = 16
COUNT_ROWS = ("select (select count(*) from {}), (select count(*) from directus_activity),"
              " (select count(*) from directus_revisions)")


class Content:
    """Builds the workloads over one running stack; peer is Directus, None in a run without it."""

    def __init__(self, stack, tokens, out_dir, peer=None, absent=None):
        """absent: why spark cannot take part, None if it can."""
        self.stack, self.tokens, self.out_dir, self.directus = stack, tokens, out_dir, peer
        self.absent = absent
        self.postgres = stack.postgres
        self.text = self.postgres.value(
            "select content from posts where id = :'id'", id=data.post_id(1))
        self.bare = None
        self.has_rules = False  # the users with rules exist

    def spark(self, name, build, check, **options):
        if self.absent:
            return Absent(self.absent)
        return HttpLoad(f"spark-{name}", self.stack.port, self.stack.server.pid,
                        build(self.tokens), self.out_dir, self.postgres, check, **options)

    def with_peers(self, contestants, name, build, check, **options):
        """Adds Directus with the same requests under its own tokens."""
        if self.directus:
            contestants["directus"] = HttpLoad(
                f"directus-{name}", self.directus.port, self.directus.child.pid,
                build(self.directus.tokens()), self.out_dir, self.postgres, check,
                warm_seconds=directus.WARM_SECONDS, **options)
        return contestants

    def pgbench(self):
        return PgbenchLoad("pgbench", self.postgres.database(PGBENCH_DATABASE), **PGBENCH_READ)

    def prepare_pgbench(self):
        """As many rows in pgbench's table as there are posts: scale 1 is 100,000."""
        self.postgres.sql(f"drop database if exists {PGBENCH_DATABASE}")
        self.postgres.sql(f"create database {PGBENCH_DATABASE}")
        own = self.postgres.database(PGBENCH_DATABASE)
        PgbenchLoad.initialize(own, data.POSTS // 100_000)

    def builders(self):
        """Reads before writes, so that each sees the data set as it was seeded."""
        return [("get", self.get), ("list", self.list), ("list_sdk", self.list_sdk),
                ("relation", self.relation), ("nested", self.nested), ("count", self.count),
                ("get_rules", self.get_rules),
                ("list_rules", self.list_rules), ("relation_rules", self.relation_rules),
                ("ping", self.ping), ("post", self.post), ("post_nested", self.post_nested)]

    def get(self):
        script = os.path.join(data.BENCH, "sql", "pgbench_post.sql")
        contestants = {
            "spark": self.spark("get", requests.get_requests, requests.get_check),
            "pgbench": self.pgbench(),
            "pgbench-posts": PgbenchLoad("pgbench-posts", self.postgres,
                                         ["-D", f"posts={data.POSTS}"], PGBENCH_READ["clients"],
                                         script),
        }
        self.with_peers(contestants, "get", requests.get_requests, requests.get_check)
        return Workload("get", "GET /items/posts/{id}", contestants)

    def list(self):
        def build(tokens):
            return requests.list_requests(tokens, requests.LIST_FIELDS)
        contestants = {"spark": self.spark("list", build, requests.list_check),
                       "pgbench": self.pgbench()}
        self.with_peers(contestants, "list", build, requests.list_check)
        return Workload("list", "GET list of 25 by filter and sort, 5 fields", contestants)

    def list_sdk(self):
        def build(tokens):
            return requests.list_requests(tokens, requests.LIST_FIELDS, sdk=True)
        contestants = {"spark": self.spark("list-sdk", build, requests.list_check)}
        self.with_peers(contestants, "list-sdk", build, requests.list_check)
        return Workload("list_sdk", "the same list, filter as @directus/sdk sends it", contestants)

    def relation(self):
        def build(tokens):
            return requests.list_requests(tokens, requests.RELATION_FIELDS)
        contestants = {"spark": self.spark("relation", build, requests.relation_check)}
        self.with_peers(contestants, "relation", build, requests.relation_check)
        return Workload("relation", "GET list of 25 with a to-one relation", contestants)

    def nested(self):
        script = os.path.join(data.BENCH, "sql", "pgbench_nested.sql")
        options = ["-D", f"first={data.SITES * (data.LIST_ROWS + 1)}", "-D", f"topics={data.TOPICS}",
                   "-D", f"sites={data.SITES}"]
        contestants = {
            "spark": self.spark("nested", requests.nested_requests, requests.nested_check),
            "pgbench-nested": PgbenchLoad("pgbench-nested", self.postgres, options,
                                          PGBENCH_READ["clients"], script),
        }
        self.with_peers(contestants, "nested", requests.nested_requests, requests.nested_check)
        return Workload("nested", "GET list of 25 with two to-many relations of 10 rows each",
                        contestants)

    def count(self):
        """Over 100,000 rows of all sites; pgbench sends the same statement to the same table.

        One after the other: how many of an account run at once is a matter of fairness, not of speed.
        """
        script = os.path.join(data.BENCH, "sql", "pgbench_count.sql")
        contestants = {
            "spark": self.spark("count", requests.count_requests, requests.count_check, connections=1),
            "pgbench-count": PgbenchLoad("pgbench-count", self.postgres, [], 1, script),
        }
        return Workload("count", "GET count grouped by status over 100,000 rows", contestants)

    def rules(self, name, title, build, check):
        """The same requests by users with a policy of three rules and masks, and by administrators of the site."""
        users = {site: f"bench-rules-{site}" for site in self.tokens}
        if not self.absent and not self.has_rules:
            self.postgres.sql(data.read("sql", "rules_seed.sql"), sites=data.SITES)
            self.has_rules = True
        return Workload(name, title, {
            "spark": self.spark(name, lambda _tokens: build(users), check),
            "administrator": self.spark(f"{name}-administrator", build, check)})

    def get_rules(self):
        return self.rules("get_rules", "GET /items/posts/{id} with three rules and masks",
                          requests.get_requests, requests.get_check)

    def list_rules(self):
        return self.rules("list_rules", "GET list of 25 with three rules and masks",
                          lambda tokens: requests.list_requests(tokens, requests.LIST_FIELDS), requests.list_check)

    def relation_rules(self):
        return self.rules("relation_rules", "GET list of 25 with a to-one relation, three rules and masks",
                          lambda tokens: requests.list_requests(tokens, requests.RELATION_FIELDS),
                          requests.relation_check)

    def ping(self):
        """The bare server pads its answer to the size of Spark's, so both move the same bytes."""
        spark = self.spark("ping", requests.ping_requests, requests.ping_check)
        wanted = 0 if self.absent else header_bytes(self.stack.port)
        self.bare = Bare(self.out_dir, self.stack.log_dir, wanted)
        bare = HttpLoad("h2o-ping", self.bare.port, self.bare.pid, requests.ping_requests({}),
                        self.out_dir, self.postgres, requests.ping_check)
        return Workload("ping", "GET /server/ping", {"spark": spark, "h2o": bare})

    def post(self):
        def build(tokens):
            return requests.post_requests(tokens, self.text)
        contestants = {
            "spark": self.spark("post", build, requests.post_check),
            "pgbench": PgbenchLoad("pgbench-insert", self.postgres,
                                   ["-D", f"sites={data.SITES}"], INSERT_CLIENTS,
                                   self.insert_script("pgbench_insert.sql")),
        }
        self.with_peers(contestants, "post", build, requests.post_check)
        databases = {"spark": self.postgres, "pgbench": self.postgres}
        if self.directus:
            databases["directus"] = self.directus.postgres
        rows = RowCount(databases, "posts")
        return Workload("post", "POST one item with activity and revision", contestants,
                        rows.before, rows.after)

    def post_nested(self):
        def build(tokens):
            return requests.nested_post_requests(tokens, self.text)
        # With more of them Directus does not answer one request within a run.
        few = {"connections": NESTED_POST_CONNECTIONS}
        contestants = {
            "spark": self.spark("post-nested", build, requests.nested_post_check, **few),
            "pgbench": PgbenchLoad("pgbench-story", self.postgres, ["-D", f"sites={data.SITES}"],
                                   INSERT_CLIENTS, self.insert_script("pgbench_story.sql")),
        }
        self.with_peers(contestants, "post-nested", build, requests.nested_post_check, **few)
        databases = {"spark": self.postgres, "pgbench": self.postgres}
        if self.directus:
            databases["directus"] = self.directus.postgres
        # The story; author, tags and what joins them leave activity and revisions, too.
        written = 2 + 2 * requests.NESTED_TAGS
        rows = RowCount(databases, "stories", [1, written, written])
        return Workload("post_nested", "POST one story with an author and five tags", contestants,
                        rows.before, rows.after)

    def insert_script(self, name):
        """The rows that Spark writes for one POST, as a pgbench script."""
        item = requests.post_body(self.text).replace(requests.SEQUENCE, "0" * 10)
        tenanted = self.postgres.count(
            "select count(*) from information_schema.columns"
            " where table_name in ('directus_activity', 'directus_revisions')"
            " and column_name = 'site_id'") == 2
        site = "('01960000-0000-7000-8000-' || lpad(to_hex(:site::bigint), 12, '0'))::uuid"
        script = data.read("sql", name + ".in")
        for mark, value in (("TITLE", self.text[:60]), ("CONTENT", self.text), ("JSON", item),
                            ("TAGS", str(requests.NESTED_TAGS)), ("SITE_COLUMN", ", site_id" if tenanted else ""),
                            ("SITE_VALUE", f", {site}" if tenanted else "")):
            script = script.replace(f"@{mark}@", value)
        path = os.path.join(self.out_dir, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(script)
        return path

    def stop(self):
        if self.bare:
            self.bare.stop()


class RowCount:
    """Proves that what was acknowledged is in the tables: an item, its activity, its revision.

    each: the rows that one request writes to the table, activity and revisions."""

    def __init__(self, databases, table, each=(1, 1, 1)):
        self.databases, self.table, self.each = databases, table, each
        self.counts = None

    def before(self, name):
        self.databases[name].sql("checkpoint")
        self.counts = self.read(name)

    def read(self, name):
        return [int(count) for count in self.databases[name].sql(COUNT_ROWS.format(self.table))[0]]

    def after(self, name, sample):
        made = [now - then for now, then in zip(self.read(name), self.counts)]
        # Requests that were in flight when wrk left may have been written without being counted.
        if not all(sample.requests <= count / each <= sample.requests + CONNECTIONS
                   for count, each in zip(made, self.each)):
            raise NotAvailable(f"{sample.requests} items acknowledged, but {self.table}, activity and "
                               f"revisions grew by {made}")


def header_bytes(port):
    """Size of the head of the answer to a ping."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /server/ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = connection.recv(65536)
            if not part:
                raise BenchError(f"port {port} closed the connection on a ping")
            answer += part
    return answer.index(b"\r\n\r\n") + 4


class Bare:
    """The bare libh2o server, started twice: once to see its own head, then padded to a size."""

    def __init__(self, out_dir, log_dir, wanted_bytes):
        self.program = os.path.join(out_dir, "bare_h2o")
        self.log_dir = log_dir
        proc.run(["make", "-s", "-C", data.BENCH, f"OUT={out_dir}"])
        self.start(0)
        padding = wanted_bytes - header_bytes(self.port) - len("x-pad: \r\n")
        if padding > 0:
            self.child.stop()
            self.start(padding)

    def start(self, padding):
        self.port = free_port()
        self.child = proc.Child("bare_h2o", [self.program, str(self.port), str(padding)],
                                dict(os.environ), self.log_dir)
        self.pid = self.child.pid
        proc.wait_until(self.answers, 5, "bare_h2o does not answer")

    def answers(self):
        try:
            return header_bytes(self.port)
        except ConnectionError:
            return 0

    def stop(self):
        self.child.stop()
