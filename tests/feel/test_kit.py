"""The literal-expression cases of the public DMN kit, where it lies beside the repository."""

from pathlib import Path

import pytest
from tests.feel import kit

KIT = Path(__file__).parents[2].parent / "shared" / "dmn-tck"
# Needs Java; or the conversion of a decision's result to its declared type, which is no part of FEEL.
NOT_FEEL = {"0076-feel-external-java", "0021-singleton-list"}
FOLDERS = sorted(path for path in KIT.glob("*/*") if path.name not in NOT_FEEL)


@pytest.mark.skipif(not FOLDERS, reason="the DMN kit does not lie beside the repository")
def test_literal_expressions_of_the_kit() -> None:
    cases = [case for folder in FOLDERS for case in kit.cases(folder)]
    failed = [(case.folder, case.case_id, case.text, case.expected, case.actual) for case in cases if not case.passed]
    assert failed == []
    assert len(cases) > 2300
