"""Leases and the loop of the worker."""

import threading
import time
from typing import Any

from diaodu.inventory.worker import AreaWorker
from diaodu.provisioning.design import NearestBox

ROOM_A = 601


def start(orders: Any, owner: str, stop: threading.Event) -> threading.Thread:
    worker = AreaWorker(orders.db, [7], NearestBox(), orders.pull, orders.tell, owner=owner)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    return thread


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_worker_holds_the_area_and_lets_go_cleanly(orders: Any) -> None:
    stop = threading.Event()
    threads = [start(orders, owner, stop) for owner in ("one", "two")]
    orders.line(1, ROOM_A)
    wait_for(lambda: orders.answers() == {1: ["served"]})
    (held,) = orders.rows("select name, owner in ('one', 'two'), clean from kernel.lease")
    stop.set()
    for thread in threads:
        thread.join()
    assert held == ("area:7", True, False)
    assert orders.rows("select name, owner, clean from kernel.lease") == [("area:7", None, True)]


def test_a_running_worker_serves_the_waiting_when_ports_are_built(orders: Any) -> None:
    stop = threading.Event()
    orders.line(1, 603)
    orders.line(2, 603)
    thread = start(orders, "one", stop)
    wait_for(lambda: orders.answers() == {1: ["served"], 2: ["waiting"]})
    orders.add_ports(20, 2)
    wait_for(lambda: orders.answers()[2] == ["waiting", "served"])
    stop.set()
    thread.join()


def test_two_workers_during_a_take_over_hand_out_each_port_once(orders: Any) -> None:
    # Both believe that they hold the area and pull the same requests.
    workers = [AreaWorker(orders.db, [7], NearestBox(), orders.pull, lambda _a: None, owner=o) for o in ("one", "two")]
    for order in range(1, 41):
        orders.line(order, 603)
    threads = [threading.Thread(target=lambda w=w: [w.step(7) for _ in range(5)]) for w in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert orders.rows("select state, count(*) from inventory.request group by 1 order by 1") == [(0, 39), (1, 1)]
    assert orders.rows("select holder from inventory.resource where id = 2001") == [(10,)]
