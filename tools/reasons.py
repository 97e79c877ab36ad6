"""Check that every `noqa` and `type: ignore` names its rule and says why.

python tools/reasons.py src tests tools
"""

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

FORM = "`noqa: RULE - why` or `type: ignore[rule]  # why`"
EXCUSE = re.compile(r"#\s*(noqa|type:\s*ignore)")
WITH_REASON = re.compile(
    r"#\s*(?:noqa:\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*\s+-\s*\S.{7,}|type:\s*ignore\[[\w,\s-]+\]\s*#\s*\S.{7,})"
)


def breaches(path: Path) -> Iterator[str]:
    """The excuses without a reason in one Python file, a line each."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT and EXCUSE.match(token.string) and not WITH_REASON.match(token.string):
            yield f"{path}:{token.start[0]}: {token.string!r} lacks rule or reason: {FORM}"


def main(roots: list[str]) -> int:
    """Print every breach below the roots; the exit status is 1 if there is one."""
    found = [breach for root in roots for path in sorted(Path(root).rglob("*.py")) for breach in breaches(path)]
    print("\n".join(found) or "reasons: every excuse says why")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
