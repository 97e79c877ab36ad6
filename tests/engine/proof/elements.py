"""Elements that meet: what the patterns leave out, above all scopes, events and what they interrupt."""

from tests.engine.proof.draw import (
    Box,
    adhoc,
    again,
    border,
    call,
    catch,
    end,
    file,
    gate,
    many,
    receive,
    script,
    service,
    start,
    sub,
    task,
    throw,
    user,
)
from tests.engine.proof.explore import Case
from tests.engine.proof.patterns import E, S, case

FORK, JOIN = gate("and", "f"), gate("and", "j")


def handler(name: str, on: str, *, stops: bool = True, last: str = "") -> Box:
    """An event subprocess with one task."""
    boxes = [start(name + "_s", on, stops=stops), user(name + "_u"), end(name + "_e", last)]
    return sub(name, boxes, f"{name}_s -> {name}_u; {name}_u -> {name}_e", by_event=True)


def region(*more: Box, last: str = "", loop: str = "") -> Box:
    """A subprocess of two parallel tasks, with what is given beside them."""
    boxes = [start("si"), gate("and", "fi"), user("a"), service("b"), end("ea", last), end("eb"), *more]
    return sub("region", boxes, "si -> fi; fi -> a; fi -> b; a -> ea; b -> eb", loop)


ALL: dict[str, Case] = {
    "a token that may come on a full flow as well does not hold back an inclusive join": case(
        "or-join",
        [S, FORK, user("a"), user("c"), gate("xor", "g"), gate("xor", "m"), gate("or", "j"), user("d"), E],
        "s -> f; f -> a; f -> c; a -> m; c -> g; g -> m if x = 1; g -> j else; m -> j; j -> d; d -> e",
        outcomes={"c": [{"x": 0}, {"x": 1}]},
    ),
    "two tokens on one flow open an inclusive join twice": case(
        "or-join with a surplus",
        [S, FORK, user("a"), user("b"), user("c"), gate("xor", "m"), gate("or", "j"), user("d"), E],
        "s -> f; f -> a; f -> b; f -> c; a -> m; b -> m; c -> j; m -> j; j -> d; d -> e",
    ),
    "an inclusive join waits for what comes over the border of an activity": case(
        "or-join behind a border",
        [S, gate("or", "f"), user("a"), user("b"), border("t", "b", "timer"), user("c"), gate("or", "j"), user("d"), E],
        "s -> f; f -> a if true; f -> b if true; a -> j; b -> e; t -> c; c -> j; j -> d; d -> e",
    ),
    "an interrupting event subprocess takes the other events of its scope along": case(
        "handlers",
        [S, region(handler("k", "message:stop"), handler("l", "timer", stops=False), handler("o", "signal:on")), E],
        "s -> region; region -> e",
        messages={"stop": 2},
        signals={"on": 1},
    ),
    "event subprocesses of the process itself": case(
        "process handlers",
        [S, user("a"), E, handler("k", "message:stop"), handler("l", "timer", stops=False)],
        "s -> a; a -> e",
        messages={"stop": 1},
    ),
    "what goes wrong in an event subprocess is not for its neighbour": case(
        "error in a handler",
        [
            S,
            region(handler("k", "message:stop", stops=False, last="error:BAD"), handler("l", "error:BAD")),
            border("n", "region", "error:BAD"),
            user("z"),
            E,
        ],
        "s -> region; region -> e; n -> z; z -> e",
        messages={"stop": 1},
        outcomes={"b": [{}, "BAD"]},
    ),
    "an error is caught by its code, else by an event that catches all": case(
        "errors",
        [
            S,
            region(last="error:OTHER"),
            border("n", "region", "error:BAD"),
            border("o", "region", "error"),
            user("y"),
            user("z"),
        ],
        "s -> region; n -> y; o -> z",
        outcomes={"b": [{}, "BAD", "WORSE"]},
    ),
    "an escalation that does not interrupt runs beside, one that does ends its scope": case(
        "escalations",
        [
            S,
            sub(
                "region",
                [start("si"), user("a"), throw("t", "escalation:UP"), user("b"), end("ei", "escalation:OUT")],
                "si -> a; a -> t; t -> b; b -> ei",
            ),
            border("n", "region", "escalation:UP", stops=False),
            border("o", "region", "escalation:OUT"),
            user("y"),
            user("z"),
            E,
        ],
        "s -> region; region -> e; n -> y; o -> z",
    ),
    "an escalation caught by an event subprocess": case(
        "escalation handler",
        [
            S,
            sub(
                "region",
                [
                    start("si"),
                    user("a"),
                    throw("t", "escalation:UP"),
                    user("b"),
                    end("ei"),
                    handler("k", "escalation:UP"),
                ],
                "si -> a; a -> t; t -> b; b -> ei",
            ),
            E,
        ],
        "s -> region; region -> e",
    ),
    "a signal reaches all that wait for it, whatever it interrupts": case(
        "signals",
        [
            S,
            FORK,
            region(handler("k", "signal:on", stops=False)),
            border("n", "region", "signal:on"),
            catch("c", "signal:on"),
            user("w"),
            throw("t", "signal:on"),
            E,
        ],
        "s -> f; f -> region; f -> c; f -> w; w -> t; t -> e",
        signals={"on": 1},
    ),
    "a terminate end event ends its own scope only": case(
        "terminate",
        [S, FORK, region(last="terminate"), user("c"), JOIN, E],
        "s -> f; f -> region; f -> c; region -> j; c -> j; j -> e",
    ),
    "a terminate end event in an event subprocess": case(
        "terminate in a handler",
        [S, region(handler("k", "message:stop", stops=False, last="terminate")), user("c"), E],
        "s -> region; region -> c; c -> e",
        messages={"stop": 2},
    ),
    "events at the border of an activity with several instances": case(
        "borders of instances",
        [
            S,
            region(loop=many("2")),
            border("n", "region", "timer", stops=False),
            border("o", "region", "error:BAD"),
            border("q", "region", "message:stop"),
            E,
        ],
        "s -> region; region -> e; n -> e; o -> e; q -> e",
        outcomes={"b": [{}, "BAD"]},
        messages={"stop": 1},
    ),
    "instances one after the other": case(
        "instances in turn",
        [S, user("a", many("3", until="x = 1", in_turn=True)), service("b", many("2", in_turn=True)), E],
        "s -> a; a -> b; b -> e",
        outcomes={"a": [{"x": 0}, {"x": 1}]},
        more={"b": 1},
    ),
    "a loop of a subprocess": case(
        "loop",
        [
            S,
            sub(
                "region",
                [start("si"), user("a"), script("c", "n + 1", "n"), end("ei")],
                "si -> a; a -> c; c -> ei",
                again("n < 3"),
            ),
            E,
        ],
        "s -> region; region -> e",
        vars={"n": 0},
    ),
    "links": case(
        "links",
        [S, FORK, user("a"), throw("t", "link:x"), user("b"), throw("u", "link:x"), catch("c", "link:x"), user("d"), E],
        "s -> f; f -> a; f -> b; a -> t; b -> u; c -> d; d -> e",
    ),
    "early messages of an event-based gateway": case(
        "early",
        [
            S,
            user("w"),
            gate("events", "g"),
            receive("m", "yes"),
            catch("n", "message:no"),
            catch("t", "timer"),
            user("a"),
            user("b"),
            E,
        ],
        "s -> w; w -> g; g -> m; g -> n; g -> t; m -> a; n -> b; t -> e; a -> e; b -> e",
        messages={"yes": 1, "no": 1},
    ),
    "ad-hoc activities until enough is done": case(
        "ad-hoc",
        [S, adhoc("region", [user("a"), user("b"), user("c"), user("d")], "c -> d", until="x = 1"), E],
        "s -> region; region -> e",
        outcomes={"a": [{"x": 0}, {"x": 1}], "b": [{"x": 1}]},
    ),
    "ad-hoc activities that go on after the end": case(
        "ad-hoc, the rest goes on",
        [S, adhoc("region", [user("a"), user("b"), user("c")], until="x = 1", cancelRemainingInstances="false"), E],
        "s -> region; region -> e",
        outcomes={"a": [{"x": 0}, {"x": 1}]},
    ),
    "a called process and what interrupts it": Case(
        "call",
        [
            file(
                [
                    S,
                    FORK,
                    call("c", "q"),
                    border("n", "c", "error:BAD"),
                    border("o", "c", "timer"),
                    border("k", "c", "escalation:UP", stops=False),
                    user("w"),
                    E,
                ],
                "s -> f; f -> c; f -> w; c -> e; n -> e; o -> e; k -> e; w -> e",
            ),
            file(
                [
                    start("qs"),
                    gate("and", "qf"),
                    user("qa"),
                    service("qb"),
                    throw("qt", "escalation:UP"),
                    end("qe"),
                    end("qx", "error:BAD"),
                    gate("xor", "qg"),
                ],
                "qs -> qf; qf -> qa; qf -> qb; qa -> qt; qt -> qg; qg -> qx if x = 1; qg -> qe else; qb -> qe",
                "q",
            ),
        ],
        {"x": 0},
        outcomes={"qb": [{}, "BAD"], "qa": [{"x": 0}, {"x": 1}]},
        cancel=True,
    ),
    "calls of several instances": Case(
        "calls",
        [
            file(
                [S, call("c", "q", many("2", until="nrOfCompletedInstances = 1")), user("d"), E],
                "s -> c; c -> d; d -> e",
            ),
            file([start("qs"), user("qa"), task("qb"), end("qe")], "qs -> qa; qa -> qb; qb -> qe", "q"),
        ],
    ),
    "conditions on the ways out of an activity": case(
        "conditional flows",
        [S, user("w"), user("a"), user("b"), user("c"), user("d")],
        "s -> w; w -> a if x > 0; w -> b if x > 1; w -> c else; w -> d",
        outcomes={"w": [{"x": 0}, {"x": 1}, {"x": 2}]},
    ),
    "timers that come again and again": case(
        "cycles",
        [S, user("a"), border("t", "a", "cycle", stops=False), task("b"), border("u", "a", "message:stop"), E],
        "s -> a; a -> e; t -> b; u -> e",
        messages={"stop": 1},
    ),
    "the innermost scope that waits": case(
        "nested",
        [
            S,
            sub(
                "outer",
                [
                    start("so"),
                    sub("inner", [start("si"), service("a"), user("b"), end("ei")], "si -> a; a -> b; b -> ei"),
                    border("n", "inner", "error:BAD"),
                    border("t", "inner", "timer"),
                    user("c"),
                    end("eo", "error:BAD"),
                ],
                "so -> inner; inner -> eo; n -> c; t -> c; c -> eo",
            ),
            border("k", "outer", "error:BAD"),
            border("q", "outer", "timer"),
            user("z"),
            E,
        ],
        "s -> outer; outer -> e; k -> z; q -> z; z -> e",
        outcomes={"a": [{}, "BAD"]},
    ),
}
