"""``diaodu fallout`` on an operator at work."""

from typing import Any

import orjson
import pytest
from tests.flows.operator import House, add
from typer.testing import CliRunner

from diaodu.app.cli import app
from diaodu.planning.model import State


def call(house: House, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["fallout", *words, "--database-url", house.db.dsn, "--language", "en"])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def failing(house: House) -> int:
    house.client.fault(refuse={"kind": "olt.port"})
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    house.client.fault()
    return order_id


def listed(house: House) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(call(house, "list"))
    return found


def test_what_failed_is_listed_and_done_again(house: House, failing: int) -> None:
    [entry] = listed(house)
    assert (entry["orderId"], entry["kind"]) == (str(failing), "olt.port")
    assert orjson.loads(call(house, "show", entry["id"])) == entry
    [cause] = orjson.loads(call(house, "list", "--causes"))
    assert (cause["cause"], cause["count"]) == ("equipment-failure", 1)
    assert call(house, "retry", entry["id"]) == "It will be done again.\n"
    house.run()
    assert house.order_state(failing) == "completed"
    assert listed(house) == []


def test_done_by_hand_says_how(house: House, failing: int) -> None:
    [entry] = listed(house)
    assert "evidence" in call(house, "done", entry["id"], " ", code=1)
    assert house.effect(failing, "olt.port").state is State.FAILED
    call(house, "done", entry["id"], "端口已在网管配置", "--set", "工单=17", "--set", "备注=手工")
    house.run(technicians=False)
    result = house.effect(failing, "olt.port").result
    assert result is not None
    assert (result["工单"], result["备注"], result["by_hand"]["text"]) == (17, "手工", "端口已在网管配置")


def test_all_of_one_cause_go_on(house: House, failing: int) -> None:
    seen = orjson.loads(call(house, "resume", "equipment-failure", "--element", house.olt + "1"))
    assert seen["count"] == 1
    call(house, "resume", "equipment-failure", "--id", seen["id"], "--digest", seen["digest"])
    house.run()
    assert house.order_state(failing) == "completed"


def test_how_a_system_may_be_spoken_to(house: House) -> None:
    call(house, "system", "aaa", "--no-queryable", "--no-idempotent")
    manners = "select queryable, idempotent from provisioning.element where name = %s"
    assert house.q(manners, "aaa") == [(False, False)]
    assert "nobody" in call(house, "system", "nobody", code=1)
    assert house.q(manners, "olt") == [(True, True)]
