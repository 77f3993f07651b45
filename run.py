#!/usr/bin/env python3
"""Every command of the product; brings its own Python environment in step first. `python3 run.py help` lists them."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  this file keeps to old syntax, so that an old Python can read this line
    sys.exit(f"The registry needs Python 3.11 or newer; this is {sys.version_info[0]}.{sys.version_info[1]}. Try e.g. `python3.11 run.py`.")
if sys.platform == "win32":
    sys.exit("The registry runs on Linux and macOS; on Windows use its Linux subsystem (WSL).")

import argparse
import asyncio
import errno
import fcntl
import gc
import getpass
import hashlib
import importlib.util
import json
import os
import secrets
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import MISSING, fields
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from embedded import EmbeddedError
from settings import FILE, Settings, SettingsError, read, variable
from supervisor import DataDirectory, Supervisor, Trouble, databases, tell

ROOT = Path(__file__).resolve().parent
VENV = (ROOT / ".venv").resolve()  # several work trees may share one by a link
PYTHON = VENV / "bin" / "python"
# Each holds what those before it hold.
LOCKS = {"runtime": ROOT / "requirements.lock", "tracing": ROOT / "requirements-tracing.lock", "dev": ROOT / "requirements-dev.lock"}
DISK_FOR_PACKAGES = 700 * 2**20

T = TypeVar("T")


# --- the Python environment -------------------------------------------------------------------------------------------


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _in_step(need: str) -> bool:
    """Whether the environment holds exactly what the locks say: to run (`runtime`), with traces (`tracing`), for development (`dev`)."""
    installed = _installed()
    # A directory that was moved or copied holds programs that point to the old place.
    return (
        PYTHON.exists() and installed.get("at") == str(VENV) and all(installed.get(each) == _digest(LOCKS[each]) for each in _kinds(need))
    )


def _kinds(need: str) -> list[str]:
    """The locks that are kept by installing one."""
    return list(LOCKS)[: list(LOCKS).index(need) + 1]


def ensure_environment(need: str) -> None:
    """Bring `.venv` in step with the locks, showing progress; at once where it is already. Several callers wait for one another."""
    if _in_step(need):
        return
    VENV.mkdir(exist_ok=True)
    with (VENV / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _in_step(need):
            _install(need)


def _installed() -> dict[str, str]:
    """What `.venv` holds: the digests of the locks it was made from, and the place it was made for."""
    try:
        found: dict[str, str] = json.loads((VENV / "installed.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def _install(need: str) -> None:
    started = time.monotonic()
    installed = _installed()
    need = [each for each in LOCKS if each == need or each in installed][-1]  # do not take away what a developer has
    if not PYTHON.exists() or installed.get("at", str(VENV)) != str(VENV):
        for each in VENV.iterdir():
            if each.name != "lock":
                shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
    first = not PYTHON.exists()
    if first and shutil.disk_usage(ROOT).free < DISK_FOR_PACKAGES:
        raise Trouble(f"Too little disk space: installing the packages needs {DISK_FOR_PACKAGES // 2**20} MB in {ROOT}.")
    lock = LOCKS[need]
    count = sum(1 for line in lock.read_text().splitlines() if line[:1].isalnum())
    print(f"Installing {count} packages into {VENV} ({'once; this takes a minute or so' if first else 'only what changed'}) …", flush=True)
    (VENV / "installed.json").unlink(missing_ok=True)
    uv = shutil.which("uv")
    if not (uv and _install_with_uv(uv, lock)):
        _install_with_pip(lock, first)
    (VENV / "installed.json").write_text(json.dumps({"at": str(VENV)} | {kind: _digest(LOCKS[kind]) for kind in _kinds(need)}))
    print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)


def _install_with_uv(uv: str, lock: Path) -> bool:
    made = PYTHON.exists() or _succeeds([uv, "venv", "--quiet", "--allow-existing", "--no-project", "--python", sys.executable, VENV])
    if made and _succeeds([uv, "pip", "sync", "--python", PYTHON, "--require-hashes", lock]):
        return True
    print("uv could not install them; trying pip.", flush=True)
    return False


def _install_with_pip(lock: Path, first: bool) -> None:
    if not (PYTHON.exists() and _succeeds([PYTHON, "-c", "import pip"], quiet=True)):
        if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
            raise Trouble(
                "This Python has no complete venv module. Debian and Ubuntu: `apt install python3-venv`; or install uv; then start again."
            )
        if not _succeeds([sys.executable, "-m", "venv", VENV]):
            raise Trouble(f"The Python environment {VENV} could not be made; the reason stands above.")
    quiet = [] if first else ["--quiet"]  # of what stays, pip would tell line by line
    options = ["--disable-pip-version-check", "--require-hashes", "--only-binary=:all:", *quiet]
    if not _succeeds([PYTHON, "-m", "pip", "install", *options, "-r", lock]):
        raise Trouble(
            "The packages could not be installed; the reason stands above. Without a direct way to PyPI "
            "set PIP_INDEX_URL to a mirror, then start again."
        )


def _succeeds(command: Sequence[str | Path], quiet: bool = False) -> bool:
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, check=False).returncode == 0


# --- the product's environment ----------------------------------------------------------------------------------------


def product_environment() -> dict[str, str]:
    """This process's environment with what the development mode adds: it is the default here, and makes its own key."""
    environment = dict(os.environ)
    environment.setdefault(variable("development"), "1")
    if environment[variable("development")].lower() in {"1", "true", "yes", "on"}:
        environment.setdefault(variable("log_json"), "0")
        environment.setdefault(variable("staff_second_factor"), "0")
        if variable("secret_key") + FILE not in environment:
            environment.setdefault(variable("secret_key"), _development_key(read(environment).data_dir))
    return environment


def _development_key(data_dir: Path) -> str:
    path = data_dir / "secret"
    if not path.exists():
        try:
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48))
        except OSError as error:
            raise Trouble(
                f"The data directory {data_dir} cannot be used ({error.strerror}): set {variable('data_dir')} to one that can."
            ) from error
    return path.read_text()


def _with_database(work: Callable[[Settings], T]) -> T:
    """What a command's work comes to, with DATABASE_URL and REDIS_URL in the environment."""
    environment = product_environment()
    with databases(read(environment)) as urls:
        os.environ.update(environment | urls)
        return work(read(os.environ))


def _in_database(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The same with the database open, under keys that are known to be its own."""

    async def done(configuration: Settings) -> T:
        from domain.actions import keys
        from models.database import opened_database

        async with opened_database(configuration):
            await keys.check()
            return await work()

    return _with_database(lambda configuration: asyncio.run(done(configuration)))


# --- commands ---------------------------------------------------------------------------------------------------------


def serve(_arguments: list[str]) -> int:
    """Start everything: servers, database, API, worker (this is what `python3 run.py` alone does)."""
    environment = product_environment()
    return Supervisor(read(environment), environment).run()


def api(arguments: list[str]) -> int:
    """Only the API, on DATABASE_URL, for installations with their own supervisor."""
    os.environ.update(product_environment())
    gc.disable()  # what is loaded now stays; the application takes it out of the collector's sight when it has started
    from api.server import server
    from settings import settings

    listening = server("api.app:create_app", settings())
    if "--wait" in arguments:
        importlib.import_module("api.app")
        if not sys.stdin.readline():
            return 0
    listening.run()
    return 0


def worker(_arguments: list[str]) -> int:
    """Only the worker, on DATABASE_URL and REDIS_URL."""
    os.environ.update(product_environment())
    from workers.main import main

    main()
    return 0


def prepare(arguments: list[str]) -> int:
    """Migrate, load the reference data and, in development mode, make the demonstration accounts; `serve` does it by itself."""
    accounts: list[dict[str, str]] = []

    async def work(configuration: Settings) -> None:
        from domain.actions import keys, reference
        from models.database import opened_database
        from models.migrate import migrate

        await migrate(configuration)
        async with opened_database(configuration):
            await keys.check()
            await reference.load(ROOT / "reference")
            if configuration.development:
                from domain.actions import demonstration

                await demonstration.prepare()
                accounts.extend({"label": each.label, "phone": each.phone, "password": each.password} for each in demonstration.ACCOUNTS)

    _with_database(lambda configuration: asyncio.run(work(configuration)))
    if "--report" in arguments:
        os.write(int(arguments[arguments.index("--report") + 1]), json.dumps(accounts).encode())
    return 0


def migrate(_arguments: list[str]) -> int:
    """Bring the database to the newest migration."""
    from models import migrate

    _with_database(lambda configuration: asyncio.run(migrate.migrate(configuration)))
    return 0


def load_reference(arguments: list[str]) -> int:
    """`load-reference [DIRECTORY or FILE]`: bring the reference data in line with CSV files; without a path, with the product's own."""
    source = Path(arguments[0]) if arguments else ROOT / "reference"
    if not source.exists():
        raise Trouble(f"There is no {source}.")

    from domain.actions import reference

    tell(str(_in_database(lambda: reference.load(source))))
    return 0


def rotate_keys(_arguments: list[str]) -> int:
    """Seal all stored personal data and images under the present seal key; while the registry serves, and again after an interruption."""
    from domain.actions import keys

    def show(what: str, done: int, of: int) -> None:
        if sys.stdout.isatty() or done == of:
            print(f"\r{what:<30} {done:,} of {of:,} ", end="\n" if done == of else "", flush=True)

    done = _in_database(lambda: keys.seal_anew(show))
    tell(f"Sealed anew: {done.values:,} values, {done.files:,} files.")
    if done.left:
        raise Trouble(
            f"{done.left:,} values were sealed under another key meanwhile: restart the processes that still run with it, then repeat."
        )
    tell(f"Nothing lies under another key any more: {variable('further_seal_keys')} can be emptied at the next restart.")
    return 0


def verify_records(arguments: list[str]) -> int:
    """Check the chains of records: of every case, and of acts with accounts of staff. What was changed, is missing or foreign is named.

    `--witness FILE` as README says.
    """
    parser = argparse.ArgumentParser(prog="run.py verify-records", description=verify_records.__doc__)
    parser.add_argument("--witness", type=Path, help="keep where each chain ends in this file, and check against what it kept before")
    witness: Path | None = parser.parse_args(arguments).witness
    from domain.actions import chains

    def show(cases: int) -> None:
        if sys.stdout.isatty():
            print(f"\r{cases:,} cases ", end="", flush=True)

    def name(broken: str) -> None:
        print(f"\r{broken}", flush=True)

    before = witness.read_text() if witness and witness.exists() else ""
    found = _in_database(lambda: chains.verify_all(before, tell=name, progress=show))
    print(f"\r{found.cases:,} cases read, {found.broken:,} records broken.", flush=True)
    if witness and not found.broken:  # what is broken is not to be taken for what should be
        witness.with_suffix(".new").write_text(found.witness)
        witness.with_suffix(".new").replace(witness)
    return 1 if found.broken else 0


def export_audit(arguments: list[str]) -> int:
    """`export-audit FILE FIRST LAST`: what was done by whom from day to day, one JSON object a line, without personal data of experts."""
    parser = argparse.ArgumentParser(prog="run.py export-audit", description=(export_audit.__doc__ or "").split(": ")[1])
    parser.add_argument("file", type=Path)
    parser.add_argument("first", type=date.fromisoformat, help="first day, as 2026-01-01")
    parser.add_argument("last", type=date.fromisoformat, help="last day, included")
    chosen = parser.parse_args(arguments)
    from domain.actions import audit

    written = chosen.file.with_suffix(".new")

    async def work() -> tuple[int, str]:
        count, digest = 0, hashlib.sha256()
        written.touch(mode=0o600)
        with written.open("wb") as file:
            async for line in audit.events(chosen.first, chosen.last):
                data = f"{line}\n".encode()
                file.write(data)
                digest.update(data)
                count += 1
        return count, digest.hexdigest()

    count, digest = _in_database(work)
    written.replace(chosen.file)
    print(f"{count:,} events, SHA-256 {digest}", flush=True)
    return 0


def create_staff(arguments: list[str]) -> int:
    """`create-staff NAME PHONE ID_NUMBER [--role ROLE] [--pool CODE]`: an account of staff, by default the first administrator.

    The password is asked for on the terminal, or is the first line of standard input.
    """
    parser = argparse.ArgumentParser(prog="run.py create-staff", description=(create_staff.__doc__ or "").split(": ")[1])
    parser.add_argument("name")
    parser.add_argument("phone")
    parser.add_argument("id_number")
    parser.add_argument("--role", default="ADMINISTRATOR", choices=["ADMINISTRATOR", "PROVINCIAL_OFFICER", "LOCAL_OFFICER"])
    parser.add_argument("--pool", dest="pool_code", help="pool of a local officer, e.g. 220199")
    given = vars(parser.parse_args(arguments))
    given["password"] = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    from domain.actions import staff
    from domain.rules.errors import Refusal
    from domain.rules.messages import in_words

    try:
        account = _in_database(lambda: staff.create_by_operator(**given))
    except Refusal as refused:
        raise Trouble(in_words(refused, "en")) from None
    tell(f"{account.role.value} {account.name} signs in with {account.phone_masked}.")
    return 0


def reset_second_factor(arguments: list[str]) -> int:
    """`reset-second-factor PHONE`: let an account of staff set up another authenticator app at its next sign-in."""
    if len(arguments) != 1:
        raise Trouble("Give the login phone: `reset-second-factor 13800000000`.")
    from domain.actions import staff
    from domain.rules.errors import InvalidInput, NotFound

    try:
        account = _in_database(lambda: staff.start_second_factor_anew(arguments[0]))
    except (InvalidInput, NotFound):
        raise Trouble("No account of staff signs in with this phone.") from None
    tell(f"{account.role.value} {account.name} sets up an authenticator app at the next sign-in.")
    return 0


def demo(arguments: list[str]) -> int:
    """Play the whole path of an expert against the running registry, step by step."""
    environment = product_environment()
    word = DataDirectory(read(environment).data_dir).word()
    os.environ.update(environment)
    if "origin" in word:
        os.environ.setdefault(variable("public_origin"), word["origin"])
    from demonstration.main import main

    return int(main(arguments))


def seed(arguments: list[str]) -> int:
    """`seed --experts N`: fill the database with a province of N invented experts, for trying and measuring (development mode)."""
    from demonstration.seed import run

    return _with_database(lambda configuration: asyncio.run(run(arguments, configuration)))


def show_settings(_arguments: list[str]) -> int:
    """Print the table of settings in Markdown, as README has it."""
    tell(settings_table())
    return 0


def settings_table() -> str:
    """Every setting with its variable, default and meaning, as a Markdown table."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for each in fields(Settings):
        default = "" if each.default is MISSING else each.default
        if isinstance(default, bool):
            default = int(default)
        elif isinstance(default, Path):
            default = default.relative_to(ROOT)
        elif isinstance(default, tuple):
            default = ",".join(map(str, default))
        shown = f"`{default}`" if str(default) else "empty"
        lines.append(f"| `{variable(each.name)}` | {shown} | {each.metadata['description']} |")
    return "\n".join(lines)


def write_schema(_arguments: list[str]) -> int:
    """Write schema/schema.graphql anew from the types, and README's tables and diagram from where their facts are."""
    os.environ.update(product_environment())
    from schema.root import schema

    (ROOT / "schema" / "schema.graphql").write_text(schema.as_str() + "\n")
    readme = ROOT / "README.md"
    readme.write_text(with_generated_parts(readme.read_text()))
    return 0


def with_generated_parts(text: str) -> str:
    """README with the settings table and the lifecycle diagram between their marks written anew."""
    from domain.rules.lifecycle import diagram
    from models.enums import CaseKind

    parts = {"settings": settings_table(), "lifecycle": f"```mermaid\n{diagram(CaseKind.ADMISSION)}\n```"}
    for name, part in parts.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->")
        if not (begin and end):
            raise Trouble(f"README.md has lost its marks `<!-- {name} -->`.")
        text = f"{before}{begin}{part}\n{end}{after}"
    return text


def write_locks(_arguments: list[str]) -> int:
    """Resolve the dependencies of pyproject.toml anew into the lock files (needs uv)."""
    uv = shutil.which("uv")
    if not uv:
        raise Trouble("Resolving the dependencies needs uv: `pip install uv`.")
    resolve = [uv, "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header"]
    resolve += ["--no-emit-index-url", "--no-emit-find-links", "--quiet", "--upgrade"]
    done = _succeeds([*resolve, "-o", LOCKS["runtime"].name])
    further = ["--group", "tracing", "-c", LOCKS["runtime"].name]
    done = done and _succeeds([*resolve, *further, "-o", LOCKS["tracing"].name])
    done = done and _succeeds([*resolve, *further, "-c", LOCKS["tracing"].name, "--group", "dev", "-o", LOCKS["dev"].name])
    return 0 if done else 1


# --- checks and tests -------------------------------------------------------------------------------------------------

CHECKS = {
    "ruff": ["ruff", "check", "--quiet", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "types": ["mypy", "--no-error-summary", "."],
    "rooms": ["lint-imports", "--no-logo"],
    "dependencies": ["deptry", "--no-ansi", "."],
    "faults": ["bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive", "."],
}


def check(_arguments: list[str]) -> int:
    """Style, format, types, directions of imports, dependencies and known kinds of faults."""
    return _steps(CHECKS)


def test(arguments: list[str]) -> int:
    """Everything that `check` does, then all tests; with arguments only pytest, with them: `test tests/rules -k phone`."""
    if arguments:
        return _steps({"tests": ["pytest", *arguments]})
    _install_browser()
    return _steps(CHECKS | {"tests": ["pytest", "-n", "2", "--dist", "loadfile", "-q"]})


def _steps(steps: dict[str, list[str]]) -> int:
    """Run the steps up to the first that fails, telling each one's time."""
    for name, command in steps.items():
        tell(f"── {name}: {shlex.join(command)}")
        started = time.monotonic()
        status = subprocess.run([PYTHON.with_name(command[0]), *command[1:]], cwd=ROOT, check=False).returncode
        seconds = time.monotonic() - started
        if status:
            tell(f"── {name} failed after {seconds:.1f} s")
            return status
        tell(f"── {name} passed in {seconds:.1f} s")
    return 0


def _install_browser() -> None:
    """On a CI machine of Debian's kind, bring Chromium for the browser tests; elsewhere they say what they miss and are skipped."""
    wanted = os.environ.get("CI") == "true" and os.geteuid() == 0 and shutil.which("apt-get") and not shutil.which("chromium")
    if wanted:
        tell("── browser: installing Debian's chromium for the browser tests")
        quiet = ["-qq", "-o", "Dpkg::Use-Pty=0"]
        if not (
            _succeeds(["apt-get", "update", *quiet])
            and _succeeds(["apt-get", "install", "-y", "--no-install-recommends", *quiet, "chromium"])
        ):
            tell("── browser: it could not be installed; the browser tests are skipped")


def help_(_arguments: list[str]) -> int:
    """Print this list."""
    tell("python3 run.py [command]\n")
    for name, (command, _) in COMMANDS.items():
        tell(f"  {name:<20} {(command.__doc__ or '').strip().splitlines()[0]}")
    return 0


COMMANDS: dict[str, tuple[Callable[[list[str]], int], str]] = {
    "serve": (serve, "runtime"),
    "demo": (demo, "runtime"),
    "seed": (seed, "runtime"),
    "test": (test, "dev"),
    "check": (check, "dev"),
    "migrate": (migrate, "runtime"),
    "load-reference": (load_reference, "runtime"),
    "create-staff": (create_staff, "runtime"),
    "reset-second-factor": (reset_second_factor, "runtime"),
    "rotate-keys": (rotate_keys, "runtime"),
    "verify-records": (verify_records, "runtime"),
    "export-audit": (export_audit, "runtime"),
    "prepare": (prepare, "runtime"),
    "api": (api, "runtime"),
    "worker": (worker, "runtime"),
    "settings": (show_settings, ""),
    "schema": (write_schema, "runtime"),
    "lock": (write_locks, ""),
    "help": (help_, ""),
}


def main(arguments: list[str]) -> int:
    """Run one command in the product's environment; troubles are told in one line (exit status 1; a wrong command or setting 2)."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("serve", [])
    if name in ("-h", "--help"):
        name = "help"
    if name not in COMMANDS:
        tell(f"There is no command {name!r}; `python3 run.py help` lists them.")
        return 2
    command, need = COMMANDS[name]
    try:
        if need:
            # Whoever names a collector of traces gets the packages that speak to it.
            ensure_environment("tracing" if need == "runtime" and os.environ.get(variable("otlp_endpoint")) else need)
            if Path(sys.prefix).resolve() != VENV.resolve():
                os.execv(PYTHON, [str(PYTHON), str(ROOT / "start.py"), name, *rest])
        return command(rest)
    except SettingsError as error:
        tell(f"{error}.")
        return 2
    except (Trouble, EmbeddedError) as error:
        tell(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        tell(f"The disk is full ({error.filename or ROOT}): make room, then start again.")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
