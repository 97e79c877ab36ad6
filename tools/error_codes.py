"""Write docs/errors.md anew: every refusal of the product with its code, HTTP status and both languages.

python tools/error_codes.py
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import diaodu
from diaodu.engine.errors import _PROBLEMS
from diaodu.kernel.errors import Rejected

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"
HEAD = """# 错误代码 Error codes

<!-- Made by `python tools/error_codes.py`; a test compares it with the code. -->

业务拒绝都有固定代码，中英文并列；同一代码的含义不会改变。HTTP 接口按 TM Forum 的错误格式返回
（`code`、`reason`、`status`、`message`），语言由 `Accept-Language` 决定；命令行打印同样的文字并以状态 1 结束。

Every refusal has a stable code. `{…}` is filled in when it happens. What is not listed here is a bug: `app.bug`, status
500, with a trace id.

| code | HTTP | 中文 | English |
|---|---|---|---|
"""
PROBLEMS = """
## 流程部署的问题 Problems of a process at deployment

`engine.process-not-executable` lists all of these that it finds, each with the id of the element.

| problem | 中文 | English |
|---|---|---|
"""


def refusals() -> list[type[Rejected]]:
    """Every refusal of the product, by code."""
    for module in pkgutil.walk_packages(diaodu.__path__, "diaodu."):
        if not module.name.endswith(("__main__", "migrations.env")) and ".versions." not in module.name:
            importlib.import_module(module.name)
    return sorted((c for c in _below(Rejected) if c.code != Rejected.code), key=lambda c: c.code)


def page() -> str:
    """The text of docs/errors.md."""
    lines = [f"| `{c.code}` | {c.status} | {_cell(_text(c, 'zh'))} | {_cell(_text(c, 'en'))} |" for c in refusals()]
    problems = [f"| `{code}` | {_cell(zh)} | {_cell(en)} |" for code, (en, zh) in sorted(_PROBLEMS.items())]
    return HEAD + "\n".join(lines) + "\n" + PROBLEMS + "\n".join(problems) + "\n"


def _below(refusal: type[Rejected]) -> Iterator[type[Rejected]]:
    for one in refusal.__subclasses__():
        if one.__module__.startswith("diaodu."):
            yield one
        yield from _below(one)


def _text(refusal: type[Rejected], language: str) -> str:
    if refusal.en == Rejected.en:  # it puts its message together from what it found
        return {"zh": "逐条列出下表中的问题。", "en": "Each problem of the table below, one after the other."}[language]
    return refusal.zh if language == "zh" else refusal.en


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", "<br>")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {len(refusals())} codes\n")
