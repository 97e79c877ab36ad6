"""Context functions."""

import pytest
from tests.feel.evaluated import rows, shown

CONTEXTS = r"""
get value({key1 : "value1"}, "key1") ==> value1
get value({key1 : "value1"}, "unexistent-key") ==> null
get value({a: {b: 1}}, ["a", "b"]) ==> 1
get value(m: {a: 1}, key: "a") ==> 1
get entries({key1 : "value1", key2 : "value2"}) ==> [{key: "key1", value: "value1"}, {key: "key2", value: "value2"}]
get entries({}) ==> []
context([{key:"a", value:1}, {key:"b", value:2}]) ==> {a: 1, b: 2}
context([{key:"a", value:1}, {key:"b", value:2, something: "else"}]) ==> {a: 1, b: 2}
context([{key:"a", value:1}, {key:"b"}]) ==> null
context([{key:"a", value:1}, {key:"a", value:1}]) ==> null
context([{key:null, value:1}]) ==> null
context({key:"a", value:1}) ==> {a: 1}
context([]) ==> {}
context(entries: [{key:"a", value:null}]) ==> {a: null}
context put({x:1}, "y", 2) ==> {x: 1, y: 2}
context put({x:1, y:0}, "y", 2) ==> {x: 1, y: 2}
context put({x:1, y:0, z:0}, "y", 2) ==> {x: 1, y: 2, z: 0}
context put({x:1}, ["y"], 2) ==> {x: 1, y: 2}
context put({x:1, y: {a: 0}}, ["y", "a"], 2) ==> {x: 1, y: {a: 2}}
context put({x:1, y: {a: 0}}, ["y", "b", "c"], 2) ==> null
context put({x:1}, [], 2) ==> null
context put({x:1}, null, 2) ==> null
context put(null, "a", 2) ==> null
context put({x:1}, "y", null) ==> {x: 1, y: null}
context put(context: {x:1}, key: "y", value: 2) ==> {x: 1, y: 2}
context put(context: {x:1}, keys: ["y"], value: 2) ==> {x: 1, y: 2}
context put(context: {x:1}, key: "y") ==> null
context put({x:1}, ["y", null], 2) ==> null
context merge([{x:1}, {y:2}]) ==> {x: 1, y: 2}
context merge([{x:1, y:0}, {y:2}]) ==> {x: 1, y: 2}
context merge([]) ==> {}
context merge({x:1}) ==> {x: 1}
context merge([{x:1}, null]) ==> null
context merge(contexts: [{x:1}]) ==> {x: 1}
get entries(m: {a: 1}) ==> [{key: "a", value: 1}]
context put({x: {y: {z: 1, w: 2}}}, ["x", "y", "z"], 3) ==> {x: {y: {z: 3, w: 2}}}
"""


@pytest.mark.parametrize(("text", "expected"), rows(CONTEXTS))
def test_context_function(text: str, expected: str) -> None:
    assert shown(text) == expected
