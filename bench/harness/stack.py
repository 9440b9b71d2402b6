"""The system under test: PostgreSQL and Redis from `spark up`, the server and the workers."""

import http.client
import os
import secrets
import shutil
import socket
import tempfile
import threading
import time
import urllib.parse

from . import proc
from .errors import BenchError, NotAvailable
from .pg import Postgres

READY_SECONDS = 120
PING_SECONDS = 30

# What differs from the defaults. One address sends what in life comes from thousands, so no limit
# per address; and no line of log per request, as in the peer.
ENVIRONMENT = {"LOG_LEVEL": os.environ.get("LOG_LEVEL", "error"), "RATE_LIMITER_ENABLED": "false"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stack:
    """Owns every process of spark in a run, and the environment they share."""

    def __init__(self, spark, out_dir):
        self.spark = os.path.abspath(spark)
        self.out_dir = out_dir
        self.log_dir = os.path.join(out_dir, "logs")
        os.makedirs(self.log_dir, exist_ok=True)
        self.data_dir = None
        self.backends = None
        self.server = None
        self.workers = []
        self.port = free_port()
        self.admin_token = secrets.token_hex(24)
        self.env = dict(os.environ, **ENVIRONMENT, HOST="127.0.0.1", PORT=str(self.port),
                        ADMIN_TOKEN=self.admin_token, SECRET=secrets.token_hex(32),
                        GOD_MODE_TOKEN=secrets.token_hex(32),
                        ADMIN_EMAIL="bench@example.com", ADMIN_PASSWORD=secrets.token_hex(12))

    def start_backends(self):
        """Uses the servers that the environment names, or has spark start some of its own."""
        if not os.access(self.spark, os.X_OK):
            raise BenchError(f"{self.spark} is missing: run `make build` first")
        if not (self.env.get("DATABASE_URL") and self.env.get("REDIS_URL")):
            self.start_embedded()
        admin_url = self.env.get("DATABASE_ADMIN_URL") or self.env["DATABASE_URL"]
        self.postgres = Postgres(admin_url)
        self.postgres.check_account()
        self.redis_url = self.env["REDIS_URL"]

    def start_embedded(self):
        self.data_dir = tempfile.mkdtemp(prefix="data-", dir=self.out_dir)
        self.backends = proc.Child(
            "backends", [self.spark, "up", "--backends-only", "--data", self.data_dir],
            self.env, self.log_dir, pipe=True)
        hurry = threading.Timer(READY_SECONDS, self.backends.process.terminate)
        hurry.start()
        for line in self.backends.process.stdout:
            name, equals, value = line.strip().partition("=")
            if line.strip() == "ready":
                break
            if equals and name in ("DATABASE_URL", "REDIS_URL", "DATABASE_ADMIN_URL"):
                self.env[name] = value
        else:
            raise BenchError(f"spark up was not ready within {READY_SECONDS} s or ended: "
                             f"{self.backends.log_tail()}")
        hurry.cancel()
        # The superuser's address names the server's first database; the data is in spark's.
        if self.env.get("DATABASE_ADMIN_URL"):
            database = urllib.parse.urlsplit(self.env["DATABASE_URL"]).path
            self.env["DATABASE_ADMIN_URL"] = urllib.parse.urlsplit(
                self.env["DATABASE_ADMIN_URL"])._replace(path=database).geturl()
        # What it prints later goes to its log; an unread pipe would stop it in the end.
        threading.Thread(target=self.backends.drain, daemon=True).start()
        for name in ("DATABASE_URL", "REDIS_URL"):
            if not self.env.get(name):
                raise BenchError(f"spark up --backends-only did not print {name}=")

    def command(self, *arguments):
        return proc.run([self.spark, *arguments], env=self.env)

    def start_server(self, name="server"):
        self.server = proc.Child(name, [self.spark, "server"], self.env, self.log_dir)
        return self.server

    def wait_for_server(self, path="/server/ping", token=None):
        """Seconds from exec to the first 200 for the path. Retries as fast as the kernel allows."""
        deadline = time.monotonic() + PING_SECONDS
        while time.monotonic() < deadline:
            if not self.server.alive():
                raise NotAvailable(f"spark server ended: {self.server.log_tail(1)}")
            if self.answers(path, token):
                return time.monotonic() - self.server.started
            time.sleep(0.0005)
        raise NotAvailable(f"spark server did not answer {path} within {PING_SECONDS} s")

    def answers(self, path, token):
        try:
            return self.request("GET", path, token)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def request(self, method, path, token=None, body=None, host=None):
        return http_request(self.port, method, path, token, body, host)

    def stop_server(self):
        if self.server:
            self.server.stop()
            self.server = None

    def start_worker(self, name, **settings):
        worker = proc.Child(name, [self.spark, "worker"], dict(self.env, **settings), self.log_dir)
        self.workers.append(worker)
        return worker

    def check_workers(self):
        for worker in self.workers:
            if not worker.alive():
                raise NotAvailable(f"spark worker ended: {worker.log_tail(1)}")

    def stop_workers(self):
        while self.workers:
            self.workers.pop().stop()

    def stop(self):
        self.stop_workers()
        self.stop_server()
        if self.backends:
            self.backends.stop()
        if self.data_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)


def http_request(port, method, path, token=None, body=None, host=None, timeout=30):
    """One request on a connection of its own: (status, body bytes)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    headers = {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if host:
        headers["Host"] = host
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
