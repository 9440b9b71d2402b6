"""Directus on the same PostgreSQL server: own database, same rows, same columns, same indexes."""

import http.client
import os
import secrets
import subprocess

from . import data, pg, proc
from .errors import BenchError
from .stack import free_port, http_request

DATABASE = "bench_directus"
START_SECONDS = 120
# V8 compiles the hot paths of a new kind of request only after thousands of calls; measured, the
# rate still rose by a third over the first ten seconds.
WARM_SECONDS = 10

# What the report prints: everything that could slow Directus down for another reason is off, the
# rest is its own default (production mode, pool, schema cache).
ENVIRONMENT = {
    "NODE_ENV": "production",
    "CACHE_ENABLED": "false",
    "RATE_LIMITER_ENABLED": "false",
    "RATE_LIMITER_GLOBAL_ENABLED": "false",
    "PRESSURE_LIMITER_ENABLED": "false",
    "LOG_LEVEL": "error",
    "TELEMETRY": "false",
    "WEBSOCKETS_ENABLED": "false",
}


class Directus:
    def __init__(self, peers_dir, stack):
        self.peers_dir = peers_dir
        self.home = os.path.join(peers_dir, "node_modules", "directus")
        self.node = os.path.join(peers_dir, "node")
        self.log_dir = stack.log_dir
        self.postgres = stack.postgres.database(DATABASE)
        self.port = free_port()
        self.tokens_prefix = f"bench-{secrets.token_hex(12)}-"
        self.child = None
        db_host, db_port, db_user, db_password = stack.postgres.address()
        path = os.path.dirname(os.path.realpath(self.node)) + os.pathsep + os.environ["PATH"]
        self.env = dict(
            {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "TZ")},
            **ENVIRONMENT, PATH=path, HOST="127.0.0.1", PORT=str(self.port), DB_CLIENT="pg",
            DB_HOST=db_host, DB_PORT=db_port, DB_DATABASE=DATABASE, DB_USER=db_user,
            DB_PASSWORD=db_password, KEY=secrets.token_hex(16),
            SECRET=secrets.token_hex(32), ADMIN_EMAIL="bench@example.com",
            ADMIN_PASSWORD=secrets.token_hex(16), PUBLIC_URL=f"http://127.0.0.1:{self.port}",
            EXTENSIONS_PATH=os.path.join(peers_dir, "extensions"),
            STORAGE_LOCAL_ROOT=os.path.join(peers_dir, "uploads"))

    def tokens(self):
        return {site: f"{self.tokens_prefix}{site:02d}" for site in range(1, data.SITES + 1)}

    def cli(self, *arguments):
        return [self.node, os.path.join(self.home, "cli.js"), *arguments]

    def start(self, stack):
        stack.postgres.sql(f"drop database if exists {DATABASE}")
        stack.postgres.sql(f"create database {DATABASE}")
        proc.run(self.cli("bootstrap"), env=self.env, seconds=300, cwd=self.peers_dir)
        self.copy_tables(stack.postgres)
        self.postgres.sql(data.read("peers", "directus_rights.sql"),
                          sites=data.SITES, tokens=self.tokens_prefix)
        self.child = proc.Child("directus", self.cli("start"), self.env, self.log_dir,
                                cwd=self.peers_dir)
        proc.wait_until(self.answers, START_SECONDS, "Directus does not answer")

    def answers(self):
        if not self.child.alive():
            raise BenchError(f"Directus ended: {self.child.log_tail()}")
        try:
            return http_request(self.port, "GET", "/server/ping")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def copy_tables(self, source):
        ddl = "\n".join("\t".join(row) for row in source.sql(data.read("sql", "copy_ddl.sql")))
        creates = [line for line in ddl.splitlines() if line.startswith("create table")]
        rest = [line for line in ddl.splitlines() if not line.startswith("create table")]
        self.postgres.sql("\n".join(creates))
        for table in data.TABLES:
            copy_rows(source.url, self.postgres.url, table)
        self.postgres.sql("\n".join(rest) + f"\nvacuum (freeze, analyze) {', '.join(data.TABLES)};")

    def stop(self):
        if self.child:
            self.child.stop()


def copy_rows(source_url, target_url, table):
    psql = [pg.program("psql"), "-Xq", "-v", "ON_ERROR_STOP=1"]
    read = [*psql, "-d", source_url, "-c", f"copy {table} to stdout (format binary)"]
    with subprocess.Popen(read, stdout=subprocess.PIPE) as reader:
        writer = subprocess.run([*psql, "-d", target_url,
                                 "-c", f"copy {table} from stdin (format binary)"],
                                stdin=reader.stdout, capture_output=True, text=True, check=False)
    if reader.returncode != 0 or writer.returncode != 0:
        raise BenchError(f"copying {table} failed: {writer.stderr.strip()}")
