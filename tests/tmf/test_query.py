import pytest

from diaodu.tmf.errors import BadFilterValue, BadOperator, BadPage, UnknownFilter
from diaodu.tmf.query import LIMIT_DEFAULT, Column, ListQuery, conditions_of, parse_id, parse_time, read

COLUMNS = {
    "name": Column("v.name", indexed=True),
    "id": Column("v.id", parse_id),
    "at": Column("v.at", parse_time, indexed=True),
    "state": Column(conditions={"free": "v.state = 0", "used": "v.state in (1, 2)"}),
    "item.kind": Column("i.kind", within="exists (select 1 from items i where {test})"),
}


def compiled(query: str) -> ListQuery:
    return read(query, COLUMNS, order="v.id")


@pytest.mark.parametrize(
    ("query", "where", "params"),
    [
        ("", "true", []),
        ("name=a", "true and (v.name = %s)", ["a"]),
        ("name=a,b", "true and (v.name = any(%s))", [["a", "b"]]),
        ("name=a%2Cb", "true and (v.name = %s)", ["a,b"]),
        ("name=a&name=b", "true and (v.name = any(%s))", [["a", "b"]]),
        ("name=a&id.gt=5", "true and (v.name = %s) and (v.id > %s)", ["a", 5]),
        ("name.ne=a", "true and (v.name is distinct from %s)", ["a"]),
        ("name.ne=a,b", "true and (v.name <> all(%s))", [["a", "b"]]),
        ("name%2A%3D%5Ea", "true and (v.name ~ %s)", ["^a"]),
        ("id%3C=7", "true and (v.id <= %s)", [7]),
        ("state=free,used", "true and (((v.state = 0) or (v.state in (1, 2))))", []),
        ("state.ne=used", "true and (not ((v.state in (1, 2))))", []),
        ("item.kind=x", "true and exists (select 1 from items i where i.kind = %s)", ["x"]),
        ("item.kind.regex=x", "true and exists (select 1 from items i where i.kind ~ %s)", ["x"]),
        ("name=%E7%8E%8B+a", "true and (v.name = %s)", ["王 a"]),
        ("name==", "true and (v.name = %s)", ["="]),
    ],
)
def test_filters_become_sql_with_parameters(query: str, where: str, params: list[object]) -> None:
    found = compiled(query)
    assert (found.where.as_string(None), found.params) == (where, params)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", "v.id"),
        ("sort=name", "v.name asc, v.id asc"),
        ("sort=-name,at", "v.name desc, v.at asc, v.id asc"),
        ("sort=at,-name", "v.at asc, v.name desc, v.id desc"),
        ("sort=+at", "v.at asc, v.id asc"),
    ],
)
def test_sort_keys_end_in_the_id(sort: str, order: str) -> None:
    assert compiled(sort).order.as_string(None) == order


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", (0, LIMIT_DEFAULT, False)),
        ("limit=0", (0, 0, True)),
        ("offset=7", (7, LIMIT_DEFAULT, True)),
        ("offset=20&limit=10", (20, 10, True)),
    ],
)
def test_a_page_is_paged_only_when_it_was_asked_for(query: str, page: tuple[int, int, bool]) -> None:
    found = compiled(query)
    assert (found.offset, found.limit, found.paged) == page


@pytest.mark.parametrize(
    ("query", "indexed"),
    [
        ("", True),
        ("name=a", True),
        ("name=a&id=5", False),
        ("sort=at", True),
        ("sort=id", False),
        ("state=free", False),
    ],
)
def test_a_query_is_safe_when_all_that_it_uses_is_indexed(query: str, *, indexed: bool) -> None:
    assert compiled(query).indexed is indexed


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("nome=a", UnknownFilter),
        ("name.like=a", UnknownFilter),
        ("name", UnknownFilter),
        ("=a", UnknownFilter),
        ("sort=nome", UnknownFilter),
        ("sort=state", BadOperator),
        ("sort=item.kind", BadOperator),
        ("state.gt=free", BadOperator),
        ("id.regex=1", BadOperator),
        ("state=lost", BadFilterValue),
        ("id=-1", BadFilterValue),
        ("id=9223372036854775808", BadFilterValue),
        ("id=１", BadFilterValue),
        ("at=2026-01-01T00:00:00", BadFilterValue),
        ("name=%00", BadFilterValue),
        ("limit=1001", BadPage),
        ("offset=100001", BadPage),
        ("limit=", BadPage),
    ],
)
def test_what_is_not_understood_is_refused(query: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        compiled(query)


def test_a_zone_that_was_not_encoded_is_read() -> None:
    assert compiled("at.gt=2026-01-01T08:00:00+08:00").params[0].isoformat() == "2026-01-01T08:00:00+08:00"


def test_conditions_of_a_subscription_keep_their_paths() -> None:
    found = conditions_of("eventType=A,B&event.productOrder.state=held")
    assert found == [("eventType", "eq", ["A", "B"]), ("event.productOrder.state", "eq", ["held"])]
