from decimal import Decimal
from pathlib import Path

import orjson
from typer.testing import CliRunner

from diaodu.app.bench import feel
from diaodu.app.cli import app
from diaodu.dmn.compile import compile_model


def test_the_table_of_the_benchmark_is_decided_by_its_rules() -> None:
    model = compile_model(feel.model_of(feel.rows(50)))
    values = [feel.decide(model, inputs) for inputs in feel.asked()]
    # The first 50 of the 60 combinations at speed 0 have a rule; at speed 100 none has.
    assert values == [*map(Decimal, range(50)), *[None] * 22]
    assert len(feel.rows(1000)) == 1000
    assert len({rule.inputs for rule in feel.rows(1000)}) == 1000


def test_what_is_measured_is_told_to_people_and_written_as_json(tmp_path: Path) -> None:
    wanted = ["--reps", "1", "--seconds", "0.01", "--json", str(tmp_path / "f")]
    found = CliRunner().invoke(app, ["bench", "feel", *wanted])
    assert found.exit_code == 0, found.output
    assert feel.TABLE in found.output
    figures = orjson.loads((tmp_path / "f").read_bytes())["figures"]
    assert [(f["name"], len(f["values"]), len(f["python"])) for f in figures] == [
        *((name, 1, 1) for name in [*feel.EXPRESSIONS, feel.TABLE]),
        (feel.LARGE, 1, 0),
    ]
    assert all(value > 0 for f in figures for value in f["values"])


def test_a_goal_is_met_by_the_median() -> None:
    assert feel.Measured("", "/s", [1.0, 5.0, 6.0], [], least=5).is_met is True
    assert feel.Measured("", "s", [1.0, 5.0, 6.0], [], most=4).is_met is False
