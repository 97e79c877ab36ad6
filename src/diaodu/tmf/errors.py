"""Refusals of the HTTP edge, by the TM Forum guidelines: there is no 422, a wrong request is 400."""

from diaodu.kernel.errors import Rejected


class MalformedJson(Rejected):
    code, status = "tmf.malformed-json", 400
    en = "The body is no valid JSON at line {line}, column {column}: {problem}."
    zh = "请求体在第 {line} 行第 {column} 列不是合法的 JSON:{problem}。"


class BadAttribute(Rejected):
    """400: an attribute of the body is missing, of the wrong kind, or may not be given."""

    code, status = "tmf.bad-attribute", 400
    en = "Attribute {path} is not acceptable: expected {expected}, got {value}."
    zh = "属性 {path} 不可接受:应为 {expected},实为 {value}。"


class NotPatchable(Rejected):
    code, status = "tmf.not-patchable", 400
    en = "Attribute {attribute} cannot be changed. These can: {allowed}."
    zh = "属性 {attribute} 不能修改。可修改的属性:{allowed}。"


class BodyTooLarge(Rejected):
    code, status = "tmf.body-too-large", 413
    en = "The body is larger than {limit} bytes. Send less at once."
    zh = "请求体超过 {limit} 字节。请分次发送。"


class BodyTooDeep(Rejected):
    code, status = "tmf.body-too-deep", 400
    en = "The body nests deeper than {limit} levels."
    zh = "请求体嵌套超过 {limit} 层。"


class UnsupportedMediaType(Rejected):
    code, status = "tmf.unsupported-media-type", 415
    en = "The media type {given} is not understood here. Send {allowed}."
    zh = "此处不支持媒体类型 {given}。请使用 {allowed}。"


class NotAcceptable(Rejected):
    code, status = "tmf.not-acceptable", 406
    en = "Only application/json can be returned; the request accepts {given}."
    zh = "只能返回 application/json,而请求只接受 {given}。"


class MethodNotAllowed(Rejected):
    code, status = "tmf.method-not-allowed", 405
    en = "{method} is not allowed here. Allowed: {allowed}."
    zh = "此处不允许 {method}。允许的方法:{allowed}。"


class NoSuchPath(Rejected):
    code, status = "tmf.no-such-path", 404
    en = "There is nothing at {path}. See /docs for what there is."
    zh = "路径 {path} 不存在。可用接口见 /docs。"


class UnknownFilter(Rejected):
    code, status = "tmf.unknown-filter", 400
    en = "{attribute} is no attribute to filter or sort by. Use one of: {allowed}."
    zh = "不能按 {attribute} 过滤或排序。可用属性:{allowed}。"


class BadFilterValue(Rejected):
    code, status = "tmf.bad-filter-value", 400
    en = "The value {value} does not fit the filter {attribute}: expected {expected}."
    zh = "过滤条件 {attribute} 的值 {value} 不合适:应为 {expected}。"


class BadOperator(Rejected):
    code, status = "tmf.bad-operator", 400
    en = "The operator {operator} cannot be used with {attribute}. Use one of: {allowed}."
    zh = "属性 {attribute} 不能使用运算符 {operator}。可用运算符:{allowed}。"


class BadPage(Rejected):
    code, status = "tmf.bad-page", 400
    en = "{name}={value} is not acceptable: a whole number from {least} to {most} is expected."
    zh = "{name}={value} 不可接受:应为 {least} 到 {most} 之间的整数。"


class FilterTooWide(Rejected):
    code, status = "tmf.filter-too-wide", 400
    en = "This filter or order runs over too much data. Add a filter on an indexed attribute: {indexed}."
    zh = "该过滤或排序涉及的数据过多。请加上有索引的属性作为条件:{indexed}。"


class CallbackRefused(Rejected):
    code, status = "tmf.callback-refused", 400
    en = "Events are not delivered to {callback}: {host} is not on the list of allowed hosts."
    zh = "不能向 {callback} 投递事件:主机 {host} 不在允许列表中。"


class AlreadySubscribed(Rejected):
    code, status = "tmf.already-subscribed", 409
    en = "This callback already has a subscription with the same query: {id}."
    zh = "该回调地址已有相同条件的订阅:{id}。"


class Unavailable(Rejected):
    code, status = "tmf.unavailable", 503
    en = "The database does not answer or asks to try again. Nothing was changed; send the request once more."
    zh = "数据库无响应或要求重试。未作任何更改,请重新发送请求。"
