from typing import Any

import pytest

from diaodu.tmf.document import DEPTH_MAX, characteristic_array, characteristics, merge, parse, select
from diaodu.tmf.errors import BadAttribute, BodyTooDeep, MalformedJson


# The cases of RFC 7396, appendix A, whose targets and patches are objects.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(target: Any, patch: Any, result: Any) -> None:
    before = repr(target)
    assert merge(target, patch) == result
    assert repr(target) == before


def test_malformed_json_says_where() -> None:
    with pytest.raises(MalformedJson) as refused:
        parse(b'{"a": 1,\n "b": }')
    assert (refused.value.params["line"], refused.value.params["column"]) == (2, 7)


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": NaN}', b'"\\ud800"', b"\xff"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        parse(body)


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'{"a": ["x\\u0000"]}', b'{"\\u0000": 1}'])
def test_what_is_no_object_or_holds_nul_is_refused(body: bytes) -> None:
    with pytest.raises(BadAttribute):
        parse(body)


def test_nesting_is_bounded() -> None:
    assert parse(b'{"a":' * (DEPTH_MAX - 1) + b"1" + b"}" * (DEPTH_MAX - 1))
    with pytest.raises(BodyTooDeep):
        parse(b'{"a":' * DEPTH_MAX + b"1" + b"}" * DEPTH_MAX)


def test_fields_reach_into_objects_and_arrays() -> None:
    document = {"id": "1", "href": "h", "@type": "T", "a": {"b": 1, "c": 2}, "l": [{"x": 1, "y": 2}, {"y": 3}]}
    identity = {"id": "1", "href": "h", "@type": "T"}
    assert select(document, "a.b,l.y") == identity | {"a": {"b": 1}, "l": [{"y": 2}, {"y": 3}]}
    assert select(document, "a") == identity | {"a": {"b": 1, "c": 2}}
    assert select(document, "none") == identity
    assert select(document, None) == document


def test_characteristics_there_and_back() -> None:
    values = {"速率": 200, "公网IP": True, "型号": "AR18-20", "端口": [1], "位置": {"x": 1}}
    entries = characteristic_array(values)
    assert [e["valueType"] for e in entries] == ["number", "boolean", "string", "array", "object"]
    assert characteristics(entries, "c") == values


@pytest.mark.parametrize("entries", [[{"name": "a"}], [{"value": 1}], [{"name": "a", "value": 1}] * 2])
def test_a_characteristic_without_name_or_value_or_given_twice_is_refused(entries: list[dict[str, Any]]) -> None:
    with pytest.raises(BadAttribute):
        characteristics(entries, "c")
