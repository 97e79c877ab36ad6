"""Customers and accounts."""

import pytest

from diaodu.kernel.db import Tx
from diaodu.party import commands, queries
from diaodu.party.errors import CustomerCodeTaken, CustomerUnknown


def test_a_customer_is_made_with_an_account_and_found_by_id_and_code(tx: Tx) -> None:
    made = commands.create_customer(tx, code="C1", name="王芳", phone="19900010001", address_id=601, area=7)
    assert queries.get_customer(tx, made.id) == made
    assert queries.get_customer(tx, str(made.id)) == made
    assert queries.get_customer(tx, "C1") == made
    (account,) = queries.accounts_of(tx, made.id)
    assert (account.code, account.status, account.customer_id) == ("AC1", "active", made.id)
    assert queries.customers_in(tx, 7, 10) == [made]
    assert queries.customers_in(tx, 7, 10, after=made.id) == []


def test_a_code_is_given_once(tx: Tx) -> None:
    commands.create_customer(tx, code="C1", name="王芳", phone="19900010001")
    with pytest.raises(CustomerCodeTaken) as refusal:
        commands.create_customer(tx, code="C1", name="李伟", phone="19900010002")
    assert refusal.value.message("zh") == "客户编码 C1 已被使用。请使用该客户,或另选编码。"
    assert tx.rows("select name from party.customer") == [("王芳",)]
    assert tx.rows("select count(*) from party.account") == [(1,)]


@pytest.mark.parametrize("customer", [5, "nobody", "9" * 40])
def test_an_unknown_customer_is_refused(tx: Tx, customer: int | str) -> None:
    with pytest.raises(CustomerUnknown) as refusal:
        queries.get_customer(tx, customer)
    assert refusal.value.params == {"customer": customer}
