from io import BytesIO

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from tests.rules.models import CASES, LITERALS, models, tables

from diaodu.dmn.model import Decision, DecisionTable, Definitions, InformationItem
from diaodu.rules.canonical import canonical
from diaodu.rules.excel import from_workbook, to_workbook
from diaodu.rules.excel.cells import Cell, to_cell, to_feel
from diaodu.rules.model import TestCase

NAMES = {"zh": "订单时限", "en": "Time limit"}
SLOW = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


def saved_again(data: bytes) -> bytes:
    again = BytesIO()
    load_workbook(BytesIO(data)).save(again)
    return again.getvalue()


@SLOW
@given(models())
def test_a_model_comes_back_from_its_workbook_also_when_an_office_program_saved_it(model: Definitions) -> None:
    data = to_workbook(model, (), names=NAMES)

    assert canonical(from_workbook(data)[0]) == canonical(model)
    assert canonical(from_workbook(saved_again(data))[0]) == canonical(model)


@SLOW
@given(tables())
def test_a_table_of_any_hit_policy_comes_back(table: DecisionTable) -> None:
    decision = Decision(id="d", name="订单时限", variable=InformationItem(name="订单时限"), expression=table)
    model = Definitions(id=None, name="订单时限", namespace="urn:t", decisions=(decision,))

    assert canonical(from_workbook(to_workbook(model, (), names=NAMES))[0]) == canonical(model)


@SLOW
@given(CASES)
def test_test_cases_come_back(cases: tuple[TestCase, ...]) -> None:
    model = Definitions(id=None, name="空", namespace="urn:t")
    data = to_workbook(model, cases, names=NAMES)

    assert from_workbook(data)[1] == cases
    assert from_workbook(saved_again(data))[1] == cases


KINDS = st.sampled_from([None, "string", "number", "boolean", "date", "time", "date and time"])


@settings(deadline=None, max_examples=2_000)
@given(LITERALS, st.builds(Cell, type=KINDS, tests=st.booleans()))
def test_what_a_cell_holds_means_the_text_that_was_written(text: str, cell: Cell) -> None:
    assert to_feel(to_cell(text, cell), cell) == (text.strip() or ("-" if cell.tests else ""))
