"""The decisions of the demonstration operator: they load, answer their test cases, and survive a workbook."""

from pathlib import Path

import pytest
import yaml

from diaodu.kernel.db import Tx
from diaodu.rules import cases, content, queries
from diaodu.rules.commands import load
from diaodu.rules.document import read
from diaodu.rules.evaluate import run_tests
from diaodu.rules.excel import to_workbook
from diaodu.rules.model import Version
from diaodu.rules.review import review

FILES = sorted((Path(__file__).parents[2] / "examples" / "zhejiang" / "rules").glob("*.dmn"))


def loaded(tx: Tx, file: Path) -> Version:
    tests = cases.from_json(yaml.safe_load(file.with_suffix(".tests.yaml").read_text(encoding="utf-8")))
    return queries.get_version(tx, file.stem, load(tx, file.stem, read(file.read_bytes()), tests))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_published_with_passing_tests(file: Path, tx: Tx) -> None:
    version = loaded(tx, file)
    assert review(version).faults == ()
    assert version.tests
    assert [r.case.name for r in run_tests(version, tx.now) if not r.passed] == []
    assert loaded(tx, file).n == 1


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_answers_the_same_after_a_workbook(file: Path, tx: Tx) -> None:
    version = loaded(tx, file)
    book = content.from_xlsx(to_workbook(version.definitions, version.tests, names={"zh": file.stem, "en": file.stem}))
    assert content.key_of(book.definitions, file.stem) == file.stem
    assert book.tests == version.tests
    assert load(tx, file.stem, book.definitions, version.tests) == 2
