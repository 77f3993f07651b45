"""One parent for every process of the product: starts them in order, restarts what dies, leaves nothing behind."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any

from embedded import EmbeddedError, Postgres, Server, Valkey, end_with_parent, port_is_free
from settings import Settings, variable

DISK_FOR_DATA = 200 * 2**20
POLL_SECONDS = 0.05
STOP_SECONDS = 25.0  # a worker may need 20 to finish its jobs
ABANDONED_SECONDS = 10.0  # what a killed supervisor's processes need to end
LONGEST_PAUSE_SECONDS = 10.0
STEADY_SECONDS = 30.0  # whoever lived this long is started again without a pause
_START = str(Path(__file__).resolve().parent / "start.py")


class Trouble(Exception):
    """What the reader of the terminal should know and do, in one line."""


def tell(line: str) -> None:
    """Speak to the terminal at once."""
    print(line, flush=True)  # noqa: T201  the supervisor's voice


# --- who holds the data directory -------------------------------------------------------------------------------------


class DataDirectory:
    """The data directory, held by one process at a time; its holder leaves word of where the servers are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.abandoned = False  # whether its last holder was killed, so that processes of his may still be ending
        self._file: IO[str] | None = None

    def hold(self) -> bool:
        """Take it until this process ends; False when another process has it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = (self.path / "lock").open("a+")
        except OSError as error:
            raise Trouble(
                f"The data directory {self.path} cannot be used ({error.strerror}): set {variable('data_dir')} to one that can."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        if shutil.disk_usage(self.path).free < DISK_FOR_DATA:
            raise Trouble(f"Too little disk space: less than {DISK_FOR_DATA // 2**20} MB are free in {self.path}.")
        self.abandoned = bool(self.word())
        self._file = file
        self.leave_word({"pid": os.getpid()})
        return True

    def release(self) -> None:
        """Let others have it."""
        if self._file:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def leave_word(self, word: Mapping[str, Any]) -> None:
        """What other commands may read while this process holds the directory."""
        if self._file:
            self._file.truncate(0)
            self._file.write(json.dumps(word))
            self._file.flush()

    def word(self) -> dict[str, Any]:
        """What the holder left; empty while it is still starting."""
        try:
            found: dict[str, Any] = json.loads((self.path / "lock").read_text())
        except (OSError, ValueError):
            return {}
        return found


def _embedded_servers(settings: Settings) -> list[Server]:
    """The servers that no URL is given for."""
    servers: list[Server] = []
    if not settings.database_url:
        servers.append(Postgres(settings.data_dir / "postgres"))
    if not settings.redis_url:
        servers.append(Valkey(settings.data_dir / "valkey"))
    return servers


def _url_variable(server: Server) -> str:
    return variable("database_url") if isinstance(server, Postgres) else variable("redis_url")


@contextlib.contextmanager
def databases(settings: Settings) -> Iterator[dict[str, str]]:
    """The servers' URLs by variable, for one command: those given, those of the running product, else started for as long as it takes."""
    if settings.database_url:
        yield {}
        return
    directory = DataDirectory(settings.data_dir)
    deadline = time.monotonic() + 30
    while not directory.hold():
        if urls := directory.word().get("urls"):
            yield urls
            return
        if time.monotonic() > deadline:
            raise Trouble(f"Another command holds {settings.data_dir}; wait for it to end, then try again.")
        time.sleep(0.1)
    started: list[Server] = []
    try:
        for server in _embedded_servers(settings):
            started.append(server)
            server.start()
        yield {_url_variable(server): server.url for server in started}
    finally:
        for server in reversed(started):
            server.stop()
        directory.release()


# --- the product's own processes --------------------------------------------------------------------------------------


@dataclass
class Role:
    """One of the product's own processes: the command `<name>` of run.py."""

    name: str
    flags: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    def start(self, environment: Mapping[str, str], report: int | None = None) -> None:
        """Start it; with `--wait` it goes on when told to by `go`. It ends with this process, however that ends."""
        parent = os.getpid()
        flags = [*self.flags, *(["--report", str(report)] if report is not None else [])]
        self.process = subprocess.Popen(
            [sys.executable, _START, self.name, *flags],
            env=dict(environment),
            stdin=subprocess.PIPE if "--wait" in flags else subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone
            pass_fds=[report] if report is not None else [],
            preexec_fn=lambda: end_with_parent(signal.SIGTERM, parent),  # noqa: PLW1509  the supervisor has no threads
        )

    def go(self) -> None:
        """Let a process that waits begin."""
        if self.process and self.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write(b"go\n")
                self.process.stdin.close()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Signal the process if it lives."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)


@dataclass
class Pause:
    """How long to wait before something that died is started again: doubled each time it dies young."""

    started: float = field(default_factory=time.monotonic)
    deaths: int = 0
    until: float = 0.0

    def died(self) -> float:
        """Count a death; returns the seconds to wait."""
        now = time.monotonic()
        self.deaths = 0 if now - self.started > STEADY_SECONDS else self.deaths + 1
        seconds: float = min(0.1 * 2**self.deaths, LONGEST_PAUSE_SECONDS)
        self.until = now + seconds
        return seconds

    def over(self) -> bool:
        """Whether it may be started again."""
        return time.monotonic() >= self.until

    def began(self) -> None:
        """It was started."""
        self.started, self.until = time.monotonic(), 0.0


class _Stopped(Exception):
    """Somebody asked us to stop."""


class Supervisor:
    """Starts servers and roles, keeps them running until a signal, then stops them in order."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        self.settings = settings
        self.environment = dict(environment)
        self.directory = DataDirectory(settings.data_dir)
        self.servers: list[Server] = []
        self.api = Role("api", ("--wait",))
        self.worker = Role("worker")
        self.prepare = Role("prepare")
        self._roles = (self.api, self.worker)
        self._pauses: dict[str, Pause] = {}
        self._asked = 0

    def run(self) -> int:
        """Serve until SIGINT, SIGTERM or SIGHUP. Returns the exit status; raises Trouble or EmbeddedError when it cannot start."""
        begun = time.monotonic()
        if not self.directory.hold():
            word = self.directory.word()
            raise Trouble(
                f"The registry is already running (process {word.get('pid', 'unknown')}) on {self.settings.data_dir}: "
                f"stop it first, or set {variable('data_dir')} and {variable('port')} to others."
            )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        try:
            self._wait_for_port()
            accounts = self._start()
            self._welcome(accounts, time.monotonic() - begun)
            while True:
                self._tend()
                self._wait()
        except _Stopped:
            return 0
        finally:
            self._stop()

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._asked += 1

    def _wait(self) -> None:
        if self._asked:
            raise _Stopped
        time.sleep(POLL_SECONDS)

    # Starting

    def _wait_for_port(self) -> None:
        patience = time.monotonic() + (ABANDONED_SECONDS if self.directory.abandoned else 0)
        while not port_is_free(self.settings.port, self.settings.host) and time.monotonic() < patience:
            self._wait()
        if not port_is_free(self.settings.port, self.settings.host):
            raise Trouble(f"Port {self.settings.port} on {self.settings.host} is taken: set {variable('port')} to another.")

    def _start(self) -> list[dict[str, str]]:
        for server in _embedded_servers(self.settings):
            self.servers.append(server)
            self.environment[_url_variable(server)] = server.start()
        # The API imports its modules while the database is prepared; it begins to listen when told to.
        self.api.start(self.environment)
        accounts = self._prepare_database()
        self.api.go()
        self.worker.start(self.environment)
        while not self._answers():
            if not self.api.running:
                raise Trouble("The API ended before it was ready; its last words stand above.")
            self._wait()
        tended: list[Server | Role] = [*self.servers, *self._roles]
        self._pauses = {each.name: Pause() for each in tended}
        self._leave_word()
        return accounts

    def _prepare_database(self) -> list[dict[str, str]]:
        reading, writing = os.pipe()
        self.prepare.start(self.environment, report=writing)
        os.close(writing)
        while self.prepare.running:
            self._wait()
        with open(reading, "rb") as report:  # noqa: PTH123  a descriptor has no path
            told = report.read()
        if self.prepare.process is None or self.prepare.process.returncode:
            raise Trouble("The database could not be prepared; the reason stands above.")
        accounts: list[dict[str, str]] = json.loads(told or "[]")
        return accounts

    def _answers(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.settings.host, self.settings.host)  # noqa: S104  read, not bound
        connection = http.client.HTTPConnection(host, self.settings.port, timeout=5)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _leave_word(self) -> None:
        urls = {name: self.environment[name] for name in (variable("database_url"), variable("redis_url"))}
        self.directory.leave_word({"pid": os.getpid(), "origin": self.settings.origin, "urls": urls})

    def _welcome(self, accounts: list[dict[str, str]], seconds: float) -> None:
        origin = self.settings.origin
        tell(f"\nThe expert registry 评审专家库 is ready ({seconds:.1f} s).\n")
        if self.settings.graphiql:
            tell(f"  GraphiQL    {origin}/graphiql")
        tell(f"  GraphQL     {origin}/graphql")
        for server in self.servers:
            tell(f"  {server.name:<11} 127.0.0.1:{server.port}, its data in {server.directory}")
        if accounts:
            tell("\nDemonstration sign-ins (phone, password):")
            for account in accounts:
                tell(f"  {account['phone']}  {account['password']}  {account['label']}")
            tell("\nNext: open GraphiQL and sign in, or watch the whole path with `python3 run.py demo` in another terminal.")
        tell("Ctrl-C stops everything; the data stay.\n")

    # Tending

    def _tend(self) -> None:
        moved = False
        for server in self.servers:
            if self._to_be_restarted(server):
                name = _url_variable(server)
                try:
                    url = server.start()
                except EmbeddedError as error:
                    tell(str(error))  # it is tried again after a longer pause
                    continue
                moved = moved or self.environment[name] != url
                self.environment[name] = url
        if moved:  # another program took the port meanwhile: whoever knows only the old one starts again
            self._leave_word()
            for role in self._roles:
                role.send(signal.SIGTERM)
        for role in self._roles:
            if self._to_be_restarted(role):
                role.start(self.environment)
                role.go()

    def _to_be_restarted(self, each: Server | Role) -> bool:
        pause = self._pauses[each.name]
        if each.running:
            return False
        if not pause.until:
            status = each.process.returncode if each.process else None
            tell(f"{each.name} ended (status {status}); it is started again in {pause.died():.1f} s.")
        if not pause.over():
            return False
        pause.began()
        return True

    # Stopping

    def _stop(self) -> None:
        """API and worker together, then the servers; a second signal cuts the first short. Whoever asked, all are waited for."""
        asked, deadline = self._asked, time.monotonic() + STOP_SECONDS
        roles = (self.prepare, *self._roles)
        if asked:
            tell("\nStopping …")
        for role in roles:
            role.send(signal.SIGTERM)
        while any(role.running for role in roles):
            if self._asked > max(asked, 1) or time.monotonic() > deadline:
                for role in roles:
                    role.send(signal.SIGKILL)
            time.sleep(POLL_SECONDS / 2)
        for server in reversed(self.servers):
            server.stop()
        self.directory.release()
        if asked:
            tell("Stopped; the data are kept.")
