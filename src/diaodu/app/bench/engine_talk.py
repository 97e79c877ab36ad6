"""A process of the benchmark that works in turns: it says one line of JSON, and goes on when it is told to."""

import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, Self

import orjson

from diaodu.kernel.errors import Rejected

END_S = 30.0


class Silent(Rejected):
    """503: a process of the benchmark ended without its answer."""

    code, status = "app.bench-silent", 503
    en = "A process of the benchmark ended without an answer: {command}"
    zh = "基准测试的一个进程未返回结果即已退出：{command}"


class Talker:
    """A child process; as a context manager it hears that its input is over at the end, and is then waited for."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment and dict(environment)
        )
        self.pid, self._command = self._process.pid, " ".join(command)

    def hear(self) -> Any:
        """What it says next; Silent."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Silent(command=self._command)
        return orjson.loads(line)

    def go_on(self) -> None:
        """Let it take its next turn."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if failure is not None:
            self._process.kill()
        self._process.stdin.close()
        self._process.wait(END_S)
        self._process.stdout.close()
