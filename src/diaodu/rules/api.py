"""The HTTP interface of the decisions, below ``/diaodu-api/rules/v1/decision``.

A draft is saved, thrown away and published under the digest that was read (``ETag``, ``If-Match``). Publishing is
handed in, because a published decision belongs to a release of the catalogue, which stands above this room.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

from fastapi import APIRouter, Response

from diaodu.kernel.db import Tx
from diaodu.rules import commands, content, queries
from diaodu.rules.content import DMN, JSON, XLSX, Content
from diaodu.rules.diff import diff_tables
from diaodu.rules.errors import NoSuchVersion
from diaodu.rules.evaluate import explain, run_tests
from diaodu.rules.excel import to_workbook
from diaodu.rules.model import Version
from diaodu.rules.render import decision_json, header_json, version_json
from diaodu.rules.replay import LIMIT_MAX, replay
from diaodu.rules.review import review
from diaodu.rules.routes import BASE, Call, Operation, add_operations
from diaodu.tmf import edge
from diaodu.tmf.document import inner, moment
from diaodu.tmf.errors import BadAttribute

# A month of orders is what people compare a new table with.
REPLAY_SINCE = timedelta(days=30)
REPLAY_LIMIT = 1_000
_READS = (JSON, DMN, "text/xml", "application/dmn+xml", XLSX)
_WRITES = (JSON, DMN, XLSX)


class Publish(Protocol):
    """Publishes a draft; ``catalog.commands.publish_decision`` does."""

    def __call__(
        self, tx: Tx, key: str, *, effective_at: datetime | None, accept_gaps: bool, expected_digest: str | None
    ) -> int: ...


Withdraw = Callable[[Tx, str, int], object]


def mount_decisions(router: APIRouter, *, publish: Publish, withdraw: Withdraw) -> None:
    """Give the decisions their routes."""
    one, draft, version = "/{key}", "/{key}/draft", "/{key}/version/{n}"
    add_operations(
        router,
        [
            Operation("GET", "", _list, "All decisions"),
            Operation("GET", one, _one, "A decision with its versions"),
            Operation("GET", draft, _read, "The draft with its findings", returns=_WRITES),
            Operation("PUT", draft, _save, "Save the draft", body=_READS, writes=True),
            Operation("DELETE", draft, _discard, "Throw the draft away", writes=True),
            Operation("POST", f"{draft}/check", _check, "What is wrong with the draft"),
            Operation("POST", f"{draft}/publish", _publishing(publish), "Publish", body=(JSON,), writes=True),
            Operation("GET", version, _read, "A version with its findings", returns=_WRITES),
            Operation("POST", f"{version}/withdraw", _withdrawing(withdraw), "Take back before its time", writes=True),
            *(
                operation
                for base in (draft, version)
                for operation in (
                    Operation("POST", f"{base}/test", _test, "Run the test cases"),
                    Operation("POST", f"{base}/explain", _explain, "Answer and say why", body=(JSON,)),
                    Operation("POST", f"{base}/replay", _replay, "Try it on past inputs", body=(JSON,)),
                    Operation("GET", f"{base}/diff", _diff, "What is different in it", query=("from",)),
                )
            ),
        ],
    )


def _version(tx: Tx, key: str, n: str) -> Version:
    if n == "draft":
        return queries.get_draft(tx, key)
    # Numbers beyond those of the database are nobody's.
    if not (n.isascii() and n.isdecimal() and len(n) < 10):
        raise NoSuchVersion(key=key, n=n[:40])
    return queries.get_version(tx, key, int(n))


def _list(call: Call) -> Response:
    return edge.answer([_linked(call, decision_json(d)) for d in queries.decisions(call.tx)])


def _one(call: Call) -> Response:
    decision = queries.get_decision(call.tx, call.key)
    versions = [header_json(v) for v in queries.versions(call.tx, call.key)]
    return edge.answer(_linked(call, {**decision_json(decision), "versions": versions}))


def _linked(call: Call, document: Mapping[str, Any]) -> dict[str, Any]:
    return {**document, "href": f"{edge.base_url(call.request)}{BASE}/{quote(document['key'])}"}


def _read(call: Call) -> Response:
    version = _version(call.tx, call.key, call.n)
    headers = {"ETag": f'"{version.digest}"'}
    if call.answer_in == DMN:
        return Response(version.document, headers=headers, media_type=DMN)
    decision = queries.get_decision(call.tx, call.key)
    names = {"zh": decision.name_zh, "en": decision.name_en}
    if call.answer_in == XLSX:
        return Response(to_workbook(version.definitions, version.tests, names=names), headers=headers, media_type=XLSX)
    return edge.answer({**version_json(version, review(version)), "name": names}, headers=headers)


def _save(call: Call) -> Response:
    given = _content(call)
    saved = commands.save_draft(
        call.tx,
        call.key,
        given.definitions,
        tests=given.tests,
        note=given.note,
        names=given.names,
        expected_digest=call.expected_digest,
    )
    headers = {"ETag": f'"{saved.version.digest}"'}
    return edge.answer(version_json(saved.version, saved.review), headers=headers)


def _content(call: Call) -> Content:
    media = call.request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media == XLSX:
        return content.from_xlsx(call.body)
    if media != JSON:
        return content.from_dmn(call.body)
    base = queries.find_newest(call.tx, call.key)
    return content.from_json(call.document(), call.key, base.definitions if base else None)


def _discard(call: Call) -> Response:
    commands.discard_draft(call.tx, call.key, expected_digest=call.expected_digest)
    return Response(status_code=204)


def _check(call: Call) -> Response:
    return edge.answer({"findings": review(_version(call.tx, call.key, call.n)).to_json()})


def _test(call: Call) -> Response:
    results = run_tests(_version(call.tx, call.key, call.n), call.tx.now)
    passed = sum(r.passed for r in results)
    return edge.answer({"passed": passed, "failed": len(results) - passed, "tests": [r.to_json() for r in results]})


def _explain(call: Call) -> Response:
    version = _version(call.tx, call.key, call.n)
    return edge.answer(explain(version, inner(call.document(), "inputs"), call.tx.now))


def _replay(call: Call) -> Response:
    asked = call.document()
    since = moment(asked, "since") or call.tx.now - REPLAY_SINCE
    limit = asked.get("limit", REPLAY_LIMIT)
    if type(limit) is not int or not 1 <= limit <= LIMIT_MAX:
        raise BadAttribute(path="limit", expected=f"a whole number from 1 to {LIMIT_MAX}", value=str(limit)[:40])
    return edge.answer(replay(call.tx, _version(call.tx, call.key, call.n), since=since, limit=limit).to_json())


def _diff(call: Call) -> Response:
    newer = _version(call.tx, call.key, call.n)
    older = _version(call.tx, call.key, call.request.query_params.get("from", str(newer.n - 1)))
    found = diff_tables(older.definitions, newer.definitions, older.tests, newer.tests)
    return edge.answer({"from": older.n, "to": newer.n, **found.to_json()})


def _publishing(publish: Publish) -> Callable[[Call], Response]:
    def handle(call: Call) -> Response:
        asked = call.document()
        accept_gaps = asked.get("acceptGaps", False)
        if not isinstance(accept_gaps, bool):
            raise BadAttribute(path="acceptGaps", expected="true or false", value=str(accept_gaps)[:40])
        n = publish(
            call.tx,
            call.key,
            effective_at=moment(asked, "effectiveAt"),
            accept_gaps=accept_gaps,
            expected_digest=call.expected_digest,
        )
        return edge.answer(header_json(queries.get_version(call.tx, call.key, n)))

    return handle


def _withdrawing(withdraw: Withdraw) -> Callable[[Call], Response]:
    def handle(call: Call) -> Response:
        n = _version(call.tx, call.key, call.n).n
        withdraw(call.tx, call.key, n)
        return edge.answer(header_json(queries.get_version(call.tx, call.key, n)))

    return handle
