"""Just enough of Redis' protocol to ask a server which process it is."""

import socket
import urllib.parse

from .errors import BenchError

SECONDS = 5


def connect(url):
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(SECONDS)
        connection.connect(parts.path)
        return connection
    return socket.create_connection((parts.hostname, parts.port or 6379), timeout=SECONDS)


def info(url):
    """The fields of INFO. A password in the URL is used."""
    password = urllib.parse.urlsplit(url).password
    request = (f"AUTH {password}\r\n" if password else "") + "INFO\r\n"
    try:
        with connect(url) as connection:
            connection.sendall(request.encode())
            answer = read_bulk(connection)
    except OSError as error:
        raise BenchError(f"cannot ask Redis for its figures: {error}") from error
    return dict(line.split(":", 1) for line in answer.splitlines() if ":" in line)


def field(url, key, name):
    """A field of a hash; "" when there is none."""
    password = urllib.parse.urlsplit(url).password
    request = (f"AUTH {password}\r\n" if password else "") + f"HGET {key} {name}\r\n"
    with connect(url) as connection:
        connection.sendall(request.encode())
        return read_bulk(connection)


def read_bulk(connection):
    """The first bulk string of the answers; status lines before it are skipped."""
    with connection.makefile("rb") as stream:
        for line in stream:
            if line.startswith(b"$"):
                return stream.read(max(0, int(line[1:]))).decode(errors="replace")
            if line.startswith(b"-"):
                raise BenchError(f"Redis says: {line[1:].decode(errors='replace').strip()}")
    raise BenchError("Redis closed the connection")
