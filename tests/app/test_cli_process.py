"""``diaodu process``: findings and plays on the command line."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.engine.kit import bpmn
from typer.testing import CliRunner, Result

from diaodu.app.cli import app
from diaodu.app.play import Play, play

START = '<startEvent id="s"/>'
GOOD = bpmn('<startEvent id="s"/><task id="a"/><endEvent id="e"/>', "s -> a\n a -> e")
BAD = bpmn('<startEvent id="s"/><complexGateway id="k"/><serviceTask id="v" diaodu:type="nobody"/>', "s -> v")
DOUBTFUL = bpmn('<startEvent id="s"/><task id="a"/><task id="b"/>', "s -> a\n a -> b if x > 1")


def run(*words: object) -> tuple[int, list[dict[str, Any]]]:
    """The exit status of ``diaodu process …`` and its JSON lines."""
    result = CliRunner().invoke(app, ["process", *map(str, words), "--json"])
    return result.exit_code, [orjson.loads(line) for line in result.stdout.splitlines()]


def files(directory: Path, *sources: bytes) -> list[Path]:
    paths = [directory / f"{n}.bpmn" for n in range(len(sources))]
    for path, source in zip(paths, sources, strict=True):
        path.write_bytes(source)
    return paths


def test_check_tells_all_findings_of_all_files(tmp_path: Path) -> None:
    good, bad, doubtful = files(tmp_path, GOOD, BAD, DOUBTFUL)
    status, lines = run("check", good, bad, doubtful)
    assert status == 3
    assert [(line["file"], line["severity"], line["element"], line["code"]) for line in lines] == [
        (str(bad), "error", "k", "unsupported"),
        (str(bad), "error", "v", "unbound-type"),
        (str(doubtful), "warning", "a", "no-default"),
    ]
    assert all(line["en"] and line["zh"] for line in lines)
    assert run("check", good) == (0, [])
    assert run("check", doubtful)[0] == 0


def test_check_speaks_the_language_that_was_chosen(tmp_path: Path) -> None:
    (bad,) = files(tmp_path, DOUBTFUL)
    result = CliRunner().invoke(app, ["process", "check", str(bad), "--language", "en"])
    assert "warning a no-default: all conditions may be false" in result.stdout
    assert "默认流" not in result.stdout


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["process", "check", str(tmp_path / "no.bpmn")])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no.bpmn" in result.stderr


@pytest.mark.parametrize("options", [["--vars", "[]"], ["--vars", "{"], ["--set", "x=1"], ["--set", "a.x=1 +"]])
def test_variables_that_are_none_are_refused(tmp_path: Path, options: list[str]) -> None:
    (good,) = files(tmp_path, GOOD)
    assert run("play", good, *options) == (1, [])


def test_play_refuses_what_cannot_be_deployed(tmp_path: Path) -> None:
    (bad,) = files(tmp_path, BAD)
    status, lines = run("play", bad)
    # then: the type that nothing serves here is no matter, it is played
    assert (status, [(line["element"], line["code"]) for line in lines]) == (3, [("k", "unsupported")])


CALLER = bpmn(
    '<startEvent id="s"/><userTask id="u"/><exclusiveGateway id="x" default="x_b"/><callActivity id="c"'
    ' calledElement="other"/><task id="b"/><endEvent id="e"/>',
    "s -> u\n u -> x\n x -> c if n > 1\n x -> b\n c -> e\n b -> e",
)
CALLED = bpmn(
    '<startEvent id="cs"/><intermediateCatchEvent id="w"><timerEventDefinition><timeDuration>P1D</timeDuration>'
    '</timerEventDefinition></intermediateCatchEvent><serviceTask id="v"/><scriptTask id="t" diaodu:result="m">'
    "<script>n * 2</script></scriptTask>",
    "cs -> w\n w -> v\n v -> t",
    key="other",
)


def test_a_process_is_played_to_its_end(tmp_path: Path) -> None:
    # given: a caller that goes to the other file only with what the user's task gives
    status, lines = run(
        "play", *files(tmp_path, CALLER, CALLED), "--vars", '{"n": 1}', "--set", "u.n=n + 20", "--seed", 3
    )
    *events, last = lines
    assert status == 0
    assert [line["element"] for line in events if line["event"] == "node.done"] == [
        "s", "u", "cs", "w", "v", "t", "c", "e",
    ]  # fmt: skip
    assert events[0] == {
        "event": "instance.started",
        "at": "2026-01-05T12:00:00+00:00",
        "process": "p",
        "version": 1,
        "instance": 1,
    }
    assert {line["instance"] for line in events} == {1, 2}
    assert events[-1]["at"][:10] == "2026-01-06"  # the timer was waited for
    assert (last["state"], last["waiting"], last["incidents"]) == ("ended", [], [])
    assert last["variables"] == {"n": 21, "m": 42}


BUSY = bpmn(
    '<startEvent id="s"/><parallelGateway id="f"/><serviceTask id="a"/><userTask id="b"/><receiveTask id="c"'
    ' messageRef="m_paid"/><boundaryEvent id="x" attachedToRef="b"><timerEventDefinition><timeDuration>PT1H'
    '</timeDuration></timerEventDefinition></boundaryEvent><boundaryEvent id="y" attachedToRef="a">'
    '<errorEventDefinition errorRef="e_bad"/></boundaryEvent><parallelGateway id="j"/><endEvent id="e"/>'
    '<endEvent id="n"/>',
    "s -> f\n f -> a\n f -> b\n f -> c\n a -> j\n b -> j\n c -> j\n j -> e\n x -> n\n y -> n",
)


def played(dsn: str, seed: int, steps: int = 100) -> list[dict[str, Any]]:
    return list(play([BUSY], Play(seed=seed, max_steps=steps), dsn))


def test_a_seed_always_gives_the_same_play_and_seeds_differ(db_dsn: str) -> None:
    plays = [played(db_dsn, seed) for seed in (1, 1, *range(2, 9))]
    assert plays[0] == plays[1]
    assert len({orjson.dumps(lines) for lines in plays}) > 4
    for *_, last in plays:
        assert last["state"] == ("active" if last["waiting"] else "ended")
        assert set(last["waiting"]) <= {"j"}  # where another branch has left by a boundary event
    assert {last["state"] for *_, last in plays} == {"active", "ended"}


def test_a_play_ends_after_the_steps_that_it_was_given(db_dsn: str) -> None:
    *_, last = played(db_dsn, 1, steps=0)
    assert (last["state"], last["steps"]) == ("active", 0)


def test_what_needs_a_person_is_told(tmp_path: Path) -> None:
    (doubtful,) = files(tmp_path, DOUBTFUL)
    status, lines = run("play", doubtful, "--vars", '{"x": 0}')
    assert (status, lines[-1]["state"], lines[-1]["waiting"]) == (0, "active", ["a"])
    assert [(i["element"], i["code"]) for i in lines[-1]["incidents"]] == [("a", "engine.no-flow")]


def test_a_process_that_is_not_there_cannot_be_played(tmp_path: Path) -> None:
    (good,) = files(tmp_path, GOOD)
    assert run("play", good, "--process", "nothing") == (1, [])


def call(*words: object, dsn: str) -> Result:
    return CliRunner().invoke(app, ["process", *map(str, words), "--database-url", dsn, "--language", "en"])


def test_files_are_deployed_together_and_come_back_byte_by_byte(tmp_path: Path, db_dsn: str) -> None:
    caller, called = files(
        tmp_path, bpmn('<startEvent id="s"/><callActivity id="c" calledElement="q"/>', "s -> c"), bpmn(START, key="q")
    )
    # given: alone the caller is refused, and nothing is written
    alone = call("deploy", caller, "--json", dsn=db_dsn)
    assert (alone.exit_code, orjson.loads(alone.stdout)["code"]) == (3, "unknown-process")
    together = call("deploy", caller, called, dsn=db_dsn)
    assert (together.exit_code, together.stdout) == (0, "Version 1 of p is deployed.\nVersion 1 of q is deployed.\n")
    # then: the same bytes are the same version, others the next one
    caller.write_bytes(caller.read_bytes() + b"<!-- 2 -->")
    lines = call("deploy", caller, called, "--json", dsn=db_dsn).stdout.splitlines()
    assert [(v["process"], v["version"]) for v in map(orjson.loads, lines)] == [("p", 2), ("q", 1)]
    assert call("export", "q", dsn=db_dsn).stdout_bytes == called.read_bytes()
    assert call("export", "p", dsn=db_dsn).stdout_bytes == caller.read_bytes()
    assert call("export", "p", "--version", 1, dsn=db_dsn).stdout_bytes + b"<!-- 2 -->" == caller.read_bytes()
    assert b"BPMNShape" in call("export", "q", "--diagram", dsn=db_dsn).stdout_bytes
    missing = call("export", "p", "--version", 3, dsn=db_dsn)
    assert (missing.exit_code, missing.stdout, "p:3" in missing.stderr) == (1, "", True)


def test_what_only_deployment_tells_is_a_refusal_too(tmp_path: Path, db_dsn: str) -> None:
    timer = "<timerEventDefinition><timeDate>= 1 + 1</timeDate></timerEventDefinition>"
    late, twice, again = files(tmp_path, bpmn(f'<startEvent id="s">{timer}</startEvent>'), GOOD, GOOD)
    result = call("deploy", late, dsn=db_dsn)
    assert (result.exit_code, "s: " in result.stderr) == (3, True)
    assert call("deploy", twice, again, dsn=db_dsn).exit_code == 3
    assert call("export", "p", dsn=db_dsn).exit_code == 1
