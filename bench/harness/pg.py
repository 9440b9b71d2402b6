"""PostgreSQL as the bench sees it: psql for set-up and checks, /proc for what a run cost."""

import os
import shutil
import urllib.parse

from . import proc
from .errors import BenchError

SETTINGS = ["server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers",
            "wal_sync_method", "max_connections", "jit"]


def program(name):
    """psql and pgbench are in the path; Debian keeps pgbench of a server package beside it."""
    found = shutil.which(name)
    if found:
        return found
    base = "/usr/lib/postgresql"
    for version in sorted(os.listdir(base), reverse=True) if os.path.isdir(base) else []:
        path = os.path.join(base, version, "bin", name)
        if os.access(path, os.X_OK):
            return path
    raise BenchError(f"{name} is not installed (Debian: postgresql, postgresql-client)")


class Postgres:
    """One database of a server, through an account that sees all rows and creates databases."""

    def __init__(self, url):
        self.url = url
        self.postmaster = None

    def sql(self, text, **variables):
        """Runs SQL in one session; rows as lists of strings."""
        command = [program("psql"), "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1"]
        for name, value in variables.items():
            command += ["-v", f"{name}={value}"]
        out = proc.run(command + ["-d", self.url, "-f", "-"], text_in=text)
        return [line.split("\t") for line in out.splitlines()]

    def value(self, text, **variables):
        rows = self.sql(text, **variables)
        if len(rows) != 1 or len(rows[0]) != 1:
            raise BenchError(f"expected one value from: {text}")
        return rows[0][0]

    def count(self, text, **variables):
        return int(self.value(text, **variables))

    def database(self, name):
        """The same server and account, another database."""
        if "://" not in self.url:
            return Postgres(f"{self.url} dbname={name}")
        parts = urllib.parse.urlsplit(self.url)
        return Postgres(urllib.parse.urlunsplit(parts._replace(path="/" + name)))

    def address(self):
        """Host (a folder: unix socket), port, user and password, for clients that take no URL."""
        rows = self.sql("\\echo :HOST\n\\echo :PORT\n\\echo :USER\n")
        host, port, user = (row[0] for row in rows)
        password = urllib.parse.urlsplit(self.url).password if "://" in self.url else None
        return host, port, user, urllib.parse.unquote(password or "")

    def settings(self):
        return {name: self.value(f"show {name}") for name in SETTINGS}

    def check_account(self):
        """Seeding writes rows of every site, and peers get databases of their own."""
        rows = self.sql("select rolsuper, rolcreatedb or rolsuper, rolbypassrls or rolsuper"
                        " from pg_roles where rolname = current_user")
        if rows[0][1] != "t" or rows[0][2] != "t":
            raise BenchError("the bench needs an account that may create databases and bypasses row"
                             " security: name it with DATABASE_ADMIN_URL")

    def cpu_seconds(self):
        """CPU of the postmaster and everything below it: backends and the writers alike."""
        if self.postmaster is None:
            self.postmaster = self.find_postmaster()
        return proc.cpu_seconds(self.postmaster)

    def find_postmaster(self):
        """The checkpointer lives as long as its server, so its parent can be looked up in peace."""
        pid = self.count("select pid from pg_stat_activity where backend_type = 'checkpointer'")
        postmaster = proc.parent_of(pid)
        if postmaster <= 1:
            raise BenchError("PostgreSQL does not run on this machine: its CPU cannot be read")
        return postmaster
