"""Processes of a run: starting, stopping, and what they cost, read from /proc."""

import os
import signal
import subprocess
import time

from .errors import BenchError

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 20


class Child:
    """A process of ours with its log file. Only processes started here are ever signalled."""

    def __init__(self, name, command, env, log_dir, pipe=False, cwd=None):
        self.name = name
        self.log_path = os.path.join(log_dir, name + ".log")
        self.log = open(self.log_path, "ab")
        self.started = time.monotonic()
        try:
            self.process = subprocess.Popen(
                command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stderr=self.log,
                stdout=subprocess.PIPE if pipe else self.log, text=pipe)
        except OSError as error:
            self.log.close()
            raise BenchError(f"cannot start {command[0]}: {error.strerror}") from error

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def log_tail(self, lines=5):
        with open(self.log_path, errors="replace") as log:
            return "".join(log.readlines()[-lines:]).strip()

    def drain(self):
        """Copies what is printed to the log until the process ends."""
        for line in self.process.stdout:
            self.log.write(line.encode())

    def stop(self):
        """Asks the process to end and waits; one that does not is killed. Returns its status."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if not self.process.stdout:
            self.log.close()
        return self.process.returncode


def stat_fields(pid):
    """The fields of /proc/PID/stat after the command name; None when the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def parent_of(pid):
    fields = stat_fields(pid)
    return int(fields[1]) if fields else 0


def children_of(pid):
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [child for child in pids if parent_of(child) == pid]


def cpu_seconds(pid):
    """CPU seconds of a process, of its living descendants and of those it has waited for.

    Counting the waited-for ones keeps the sum right when a backend ends between two readings.
    """
    below = sum(cpu_seconds(child) for child in children_of(pid))
    fields = stat_fields(pid)
    if fields is None:
        return below
    return below + sum(int(field) for field in fields[11:15]) / TICKS_PER_SECOND


def resident_megabytes(pid):
    """VmRSS in units of 1,000,000 bytes."""
    return memory_megabytes(pid, "VmRSS:")


def peak_megabytes(pid):
    """The most that VmRSS has been."""
    return memory_megabytes(pid, "VmHWM:")


def memory_megabytes(pid, field):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith(field):
                return int(line.split()[1]) * 1024 / 1e6
    raise BenchError(f"process {pid} shows no {field}")


def wait_until(condition, seconds, what):
    """Polls a condition; what it returned once it is true, or BenchError after the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    raise BenchError(f"gave up after {seconds} s: {what}")


def run(command, env=None, text_in=None, seconds=600, cwd=None):
    """Runs a command to its end and returns its stdout; BenchError with its stderr if it fails."""
    try:
        done = subprocess.run(command, env=env, cwd=cwd, input=text_in, capture_output=True,
                              text=True, timeout=seconds, check=False)
    except OSError as error:
        raise BenchError(f"cannot run {command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{command[0]} did not end within {seconds} s") from error
    if done.returncode != 0:
        story = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise BenchError(f"{os.path.basename(command[0])} failed: {' / '.join(story)}")
    return done.stdout
