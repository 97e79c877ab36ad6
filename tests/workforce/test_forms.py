"""A report is taken only when it is complete and every field of its forms is valid."""

from typing import Any

import pytest
from tests.catalog.example import release

from diaodu.workforce.errors import FormInvalid, ReportIncomplete
from diaodu.workforce.forms import check_report
from diaodu.workforce.model import EffectOutcome, WorkLine, WorkOrder

LINES = (
    WorkLine(1, "test.broadband", "1.1", {"speed": 200}),
    WorkLine(2, "test.iptv", "1.2", {}),
    WorkLine(3, "test.voice", "1.3", {}),
)
GOOD: dict[int, dict[str, Any]] = {1: {"光功率": -20, "测速": 180}, 2: {"播放正常": True}, 3: {"拨测正常": True}}


def check(outcomes: tuple[EffectOutcome, ...], lines: tuple[WorkLine, ...] = LINES, kind: str = "W5") -> None:
    check_report(WorkOrder(9, 8, kind, lines, 1, {}), release().work[kind], outcomes)


def outcomes(**changed: Any) -> tuple[EffectOutcome, ...]:
    """Good outcomes, with fields of the first effect changed; None leaves a field out."""
    first = {k: v for k, v in (GOOD[1] | changed).items() if v is not None}
    return tuple(EffectOutcome(i, ok=True, data=first if i == 1 else data) for i, data in GOOD.items())


def test_a_good_report_passes() -> None:
    check(outcomes())
    check(outcomes(光功率=-25.0, 备注="ok"))


@pytest.mark.parametrize(
    ("changed", "field", "en"),
    [
        ({"光功率": -26}, "光功率", "the optical power must be -25 to -8 dBm"),
        ({"光功率": -7}, "光功率", "the optical power must be -25 to -8 dBm"),
        ({"光功率": None}, "光功率", "a value of type number is required"),
        ({"光功率": "-20"}, "光功率", "a value of type number is required"),
        ({"光功率": True}, "光功率", "a value of type number is required"),
        ({"测速": 179}, "测速", "the measured speed must reach 90 % of the ordered one"),
    ],
)
def test_a_field_that_is_not_valid_is_named(changed: dict[str, Any], field: str, en: str) -> None:
    with pytest.raises(FormInvalid) as refused:
        check(outcomes(**changed))
    told = refused.value
    assert (told.code, told.status) == ("workforce.form-invalid", 400)
    assert (told.params["effect"], told.params["field"], told.params["message_en"]) == (1, field, en)
    assert field in told.message("zh")


def test_what_failed_needs_no_measurement() -> None:
    failed = EffectOutcome(1, ok=False, reason="无光")
    check((failed, *outcomes()[1:]))


@pytest.mark.parametrize("given", [[1, 2], [1, 2, 3, 4], [1, 2, 2, 3], []])
def test_a_report_names_every_effect_once(given: list[int]) -> None:
    told = tuple(EffectOutcome(i, ok=True, data=GOOD.get(i, {})) for i in given)
    with pytest.raises(ReportIncomplete) as refused:
        check(told)
    assert refused.value.code == "workforce.report-incomplete"
    assert refused.value.params == {"id": 9, "expected": [1, 2, 3], "given": given}


def test_effects_without_a_form_need_no_data() -> None:
    lines = (WorkLine(5, "install.phone", "1.3", {}), WorkLine(6, "install.onu", "1.1", {}))
    check((EffectOutcome(6, ok=True, data={"终端串号": "ZTEG1"}), EffectOutcome(5, ok=True)), lines, "W4")
