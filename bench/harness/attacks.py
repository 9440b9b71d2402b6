"""What one site (the first, A) or one address does to the others: each attack runs in a process of
its own, so that the clock of the probes does not stand behind it."""

import contextlib
import http.client
import json
import multiprocessing
import os
import socket
import threading
import time

from . import data

A = 1
ADDRESS = "127.0.0.3"
STOP_SECONDS = 60
LETTERS = "{{{{|}|}|}|}"


class Attack:
    """Threads that send requests in a loop until they are stopped; answers do not matter."""

    def __init__(self, name, title, threads, request):
        self.name, self.title, self.threads, self.request = name, title, threads, request
        self.process = None

    def start(self, port):
        self.stopped = multiprocessing.Event()
        self.process = multiprocessing.Process(target=self.run, args=(port,), daemon=True)
        self.process.start()

    def run(self, port):
        os.nice(19)  # whoever attacks has a machine of their own: theirs must not take our processors
        threads = [threading.Thread(target=self.loop, args=(port, number), daemon=True)
                   for number in range(self.threads)]
        for thread in threads:
            thread.start()
        self.stopped.wait()

    def loop(self, port, number):
        turn = 0
        while not self.stopped.is_set():
            method, path, headers, body = self.request(number, turn)
            turn += 1
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STOP_SECONDS)
                connection.request(method, path, body=body, headers=headers)
                connection.getresponse().read()
                connection.close()

    def stop(self):
        self.stopped.set()
        self.process.terminate()
        self.process.join(STOP_SECONDS)


class Leavers(Attack):
    """Clients that go away before they are answered, and come again."""

    def __init__(self, name, title, threads, request, stay_seconds):
        super().__init__(name, title, threads, request)
        self.stay_seconds = stay_seconds

    def loop(self, port, number):
        turn = 0
        while not self.stopped.is_set():
            method, path, headers, body = self.request(number, turn)
            turn += 1
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STOP_SECONDS)
                connection.request(method, path, body=body, headers=headers)
                time.sleep(self.stay_seconds)
                connection.close()


def burn():
    while True:
        pass


class Burners(Attack):
    """No attack: programs that compute and never touch Spark. What they cost, the machine takes."""

    def __init__(self, name, title, count):
        super().__init__(name, title, count, None)
        self.processes = []

    def start(self, port):
        self.processes = [multiprocessing.Process(target=burn, daemon=True) for _ in range(self.threads)]
        for process in self.processes:
            process.start()

    def stop(self):
        for process in self.processes:
            process.terminate()
            process.join(STOP_SECONDS)


class Sockets(Attack):
    """Connections that are opened, sent a few bytes on, and then left alone."""

    def __init__(self, name, title, count, sent, source=ADDRESS):
        super().__init__(name, title, 1, None)
        self.count, self.sent, self.source = count, sent, source

    def loop(self, port, number):
        held = {}
        while not self.stopped.is_set():
            for place in range(self.count):
                if place not in held or is_closed(held[place]):
                    held[place] = self.open(port)
            time.sleep(0.1)

    def open(self, port):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.bind((self.source, 0))
        with contextlib.suppress(OSError):
            connection.connect(("127.0.0.1", port))
            connection.sendall(self.sent)
            connection.setblocking(False)
        return connection


def is_closed(connection):
    """Without taking what there is to read: these clients do not read."""
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def with_token(token):
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def sends(method, path, headers, body=None):
    text = json.dumps(body) if body is not None else None
    return lambda number, turn: (method, path, headers, text)


def conditions(count):
    """A filter of so many conditions on a function, different each time: no shape comes twice."""
    def request(number, turn):
        years = [{"year(date_created)": {"_neq": 1900 + (number * 977 + turn * 31 + n) % 5000}}
                 for n in range(count - turn % 8)]
        return ("SEARCH", "/items/posts", {"Host": data.domain(A), "Content-Type": "application/json"},
                json.dumps({"query": {"filter": {"_and": years}, "fields": ["id"], "limit": 1}}))
    return request


def tokens_of(site, admin_token):
    """Rights of one site change without end."""
    return sends("POST", "/api/admin/site-tokens", with_token(admin_token),
                 {"site_id": data.site_id(site), "name": "neighbours", "read_only": True})


def all_attacks(tokens, admin_token, campaign):
    mine, host = with_token(tokens[A]), {"Host": data.domain(A)}
    endless = {"campaign_id": campaign, "max_headlines": 10_000}
    processors = os.cpu_count() or 1
    return [
        Burners("control", f"{processors} programs that compute and have nothing to do with Spark", processors),
        Attack("slow_reads", "8 × every post with the count of its author's posts", 8,
               sends("GET", "/items/posts?fields=id,author.count(posts)&limit=-1", mine)),
        Attack("conditions", "16 × SEARCH with 490 conditions on a function, anonymous", 16,
               conditions(490)),
        Attack("aggregates", "40 × an aggregate of every post, anonymous", 40,
               sends("GET", "/items/posts?aggregate[max]=content&groupBy[]=slug&limit=-1", host)),
        Attack("searches", "30 × a search that finds nothing, anonymous", 30,
               sends("GET", "/items/posts?search=zzzz&limit=1", host)),
        Leavers("left_searches", "30 × such a search, left after 25 ms", 30,
                sends("GET", "/items/posts?search=zzzz&limit=1", host), 0.025),
        Leavers("left_reads", "8 × an aggregate of every post, left after 90 ms", 8,
                sends("GET", "/items/posts?aggregate[max]=content&groupBy[]=slug&limit=-1", host), 0.09),
        Attack("headlines", "4 × 10,000 headlines that are all empty", 4,
               sends("POST", "/api/seo/generate-headlines", mine, endless)),
        Attack("jobs", "40 jobs of 1,000,000 such headlines", 4,
               sends("POST", "/api/seo/generate-headlines", mine,
                     {"campaign_id": campaign, "max_headlines": 1_000_000})),
        Attack("rights", "4 × a new token for A", 4, tokens_of(A, admin_token)),
        Sockets("readers", "60 × a list of every post, never read", 60,
                f"GET /items/posts?limit=-1 HTTP/1.1\r\nHost: {data.domain(A)}\r\n\r\n".encode()),
        Sockets("heads", "10,000 half-sent heads from one address", 10_000,
                b"GET / HTTP/1.1\r\n"),
    ]
