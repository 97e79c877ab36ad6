"""The order of the README can be sent to the demonstration operator as it stands there."""

import json
import re
from typing import Any

import pytest
from tests.docs.documents import ROOT, text_of

from diaodu.app.demo.load import load_operator
from diaodu.app.operator import SERVED_SHARE, publish
from diaodu.kernel.db import Database
from diaodu.ordering import commands, queries, tmf
from diaodu.party import queries as party

README = text_of(ROOT / "README.md")
OPERATOR = ROOT / "examples" / "zhejiang"


def order_of_readme() -> dict[str, Any]:
    found = re.search(r"<<'JSON'\n(.*?)\nJSON\n", README, re.DOTALL)
    assert found
    order: dict[str, Any] = json.loads(found[1])
    return order


@pytest.mark.slow
def test_the_order_of_the_readme_is_captured(db: Database) -> None:
    load_operator(db, OPERATOR)
    publish(db, OPERATOR)
    draft = tmf.to_draft(order_of_readme(), "reader")
    with db.transaction(actor="reader") as tx:
        order_id = commands.order_id_for(tx, source="reader", key=draft.external_id)
        commands.capture_orders(tx, [(order_id, draft)])
        items = queries.items_of(tx, [order_id])[order_id]
        everybody = [c.code for c in party.customers_in(tx, area=1, limit=100_000)]
    assert [(i.key, i.offering) for i in items] == [("1", "P1"), ("1.1", "P1-BB"), ("1.2", "P1-TV"), ("1.3", "P1-TEL")]
    # Those after the share that is served when the operator is loaded have no service yet.
    assert draft.customer_ref in everybody[int(len(everybody) * SERVED_SHARE) :]


def test_the_apis_of_the_readme_are_mounted() -> None:
    from diaodu.app.asgi import RESOURCES

    told = set(re.findall(r"^\| TMF\d+ \| `([^`]+)` \|", README, re.MULTILINE))
    assert told == {resource.path for resource in RESOURCES}
