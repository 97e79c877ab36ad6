"""Messages with their time to live, signals and timers."""

from datetime import timedelta

import pytest
from tests.engine.kit import bpmn
from tests.engine.play import ROOT, Play, due_in

from diaodu.engine.instance import EARLY_MAX
from diaodu.engine.model import TTL_MAX, Broadcast, Cancel

START = '<startEvent id="s"/>'
USER = '<userTask id="u"/>'
SIGNAL = '<signalEventDefinition signalRef="s_go"/>'

# Messages -------------------------------------------------------------------------------------------------------

LATER = bpmn(f'{START}{USER}<receiveTask id="m" messageRef="m_paid"/>', "s -> u\nu -> m")


def test_an_early_message_is_kept_for_its_time_to_live_and_its_end_is_recorded() -> None:
    play = Play(LATER).start()
    play.send("paid", ttl=timedelta(hours=1), sum=1)
    play.later(minutes=59)
    play.send("paid", ttl=timedelta(hours=1), sum=2)
    play.later(minutes=2)
    play.complete("u")
    assert (play.vars, play.empty) == ({"sum": 2}, True)
    assert play.told == ["instance.started", "task.offered", "task.done", "message.expired", "instance.ended"]


def test_a_message_without_time_to_live_meets_only_who_waits_now() -> None:
    play = Play(LATER).start()
    play.send("paid", ttl=timedelta(0))
    play.complete("u")
    assert play.at == ["m"]
    play.send("paid", ttl=timedelta(0))
    assert play.empty


def test_an_early_message_reaches_a_called_instance_that_comes_later_and_outlives_its_keeper() -> None:
    called = bpmn(f'{START}<userTask id="w"/><receiveTask id="n" messageRef="m_paid"/>', "s -> w\nw -> n", key="q")
    play = Play(LATER, called).start()
    play.start("q")
    play.send("paid", sum=1)
    play.send("paid", sum=2)
    play.complete("w")  # the first message was kept by the other instance
    assert (play.states, play.instances[1].vars) == (["active", "ended"], {"sum": 1})
    play.start("q")
    play.take(Cancel(ROOT, "p"))
    play.complete("w")
    assert play.instances[2].vars == {"sum": 2}


def test_no_message_is_kept_longer_than_the_limit() -> None:
    play = Play(LATER).start()
    play.send("paid", ttl=timedelta(days=9999))
    play.later(seconds=TTL_MAX.total_seconds())
    play.complete("u")
    assert (play.at, play.told[-1]) == (["m"], "message.expired")


def test_of_too_many_early_messages_the_oldest_gives_way_and_is_recorded() -> None:
    play = Play(LATER).start()
    for n in range(EARLY_MAX + 1):
        play.send("paid", n=n)
    play.complete("u")
    assert (play.vars, play.told[2]) == ({"n": 1}, "message.dropped")


# Signals --------------------------------------------------------------------------------------------------------


def test_a_signal_reaches_all_who_wait_in_the_root_and_goes_out_to_the_others() -> None:
    catcher = bpmn(f'{START}<intermediateCatchEvent id="c">{SIGNAL}</intermediateCatchEvent>', "s -> c")
    thrower = (
        f'{START}<intermediateThrowEvent id="x"><extensionElements><diaodu:input name="n" expression="m + 1"/>'
        f"</extensionElements>{SIGNAL}</intermediateThrowEvent>"
    )
    play = Play(catcher, bpmn(thrower, "s -> x", key="q")).start().start()
    play.start("q", m=1)
    assert (play.states, play.empty) == (["ended"] * 3, True)
    assert [i.vars for i in play.instances] == [{"n": 2}, {"n": 2}, {"m": 1}]
    assert play.broadcasts == [("go", {"n": 2})]
    play.take(Broadcast(ROOT, "go", {}, beyond=False))
    assert len(play.broadcasts) == 1


def test_a_signal_that_nobody_waits_for_is_not_kept() -> None:
    play = Play(
        bpmn(
            f'{START}{USER}<intermediateCatchEvent id="c">{SIGNAL}</intermediateCatchEvent>',
            "s -> u\nu -> c",
        )
    ).start()
    play.take(Broadcast(ROOT, "go", {}))
    play.complete("u")
    assert play.at == ["c"]


# Timers ---------------------------------------------------------------------------------------------------------


def cycling(text: str) -> bytes:
    timer = (
        f'<boundaryEvent id="b" attachedToRef="u" cancelActivity="false"><timerEventDefinition>'
        f"<timeCycle>{text}</timeCycle></timerEventDefinition></boundaryEvent>"
    )
    return bpmn(f'{START}{USER}{timer}<endEvent id="x"/>', "s -> u\nb -> x")


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("R3/PT10M", [600, 1200, 1800]),
        ("R2/2026-03-02T10:00:00Z/PT30M", [3600, 5400]),
        ("R/PT1H/2026-03-02T11:00:00Z", [3600, 7200]),
        ('= "R2/PT" + string(n) + "M"', [300, 600]),
    ],
)
def test_a_cycle_fires_at_its_times_and_no_more(text: str, times: list[float]) -> None:
    play = Play(cycling(text)).start(n=5)
    found = []
    for _ in range(len(times)):
        (due,) = due_in(play)
        play.later(seconds=due)
        found.append((play.now - play.instances[0].started_at).total_seconds())
    assert (found, play.jobs, play.done.count("b")) == (times, {}, len(times))


def test_an_endless_cycle_leaves_out_what_has_passed_and_ends_with_its_activity() -> None:
    play = Play(cycling("R/PT10M")).start()
    job = next(iter(play.jobs.values()))
    play.now += timedelta(minutes=35)
    play.take(job)
    assert (play.done.count("b"), due_in(play)) == (1, [300])
    play.complete("u")
    assert play.empty


def test_a_timer_in_working_time_asks_the_calendar() -> None:
    timer = (
        '<intermediateCatchEvent id="t" diaodu:calendar="办公"><timerEventDefinition>'
        "<timeDuration>PT8H</timeDuration></timerEventDefinition></intermediateCatchEvent>"
    )
    play = Play(bpmn(f"{START}{timer}", "s -> t")).start()
    assert due_in(play) == [360_000]
    play.take(Cancel(ROOT, "p"))
    assert (play.states, play.empty) == (["cancelled"], True)


@pytest.mark.parametrize("text", ["soon", "R", "R0/PT1H", "R/PT0S", "R/P1D/x"])
def test_a_timer_expression_without_a_meaning_is_an_incident(text: str) -> None:
    play = Play(cycling("= text")).start(text=text)
    assert (play.incidents, play.at) == ([("u", "engine.no-moment")], ["u"])
