"""Commands a second of one host of all systems: `PYTHONPATH=. python tests/simulators/speed.py [COUNT]`.

A P1-like mix (port, AAA, IMS, IPTV, ITMS, billing, SLA, SMS) pipelined over one connection, then asked one by one.
Prints one JSON line: by wall clock and by CPU second of the host, which is what one core sustains.
"""

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.simulators.wire import Client, Json, Simulator, command

DUE = {"due": "2026-03-01T08:00:00+08:00"}
ARCHIVE = {"offering": "P1", "effective_date": "2026-03-01", "tariff": {"month": 199}, "discount": {"percent": 20}}


def mix(number: int) -> list[Json]:
    loid = f"LOID{number:08}"
    port = {"loid": loid, "svlan": 100 + number % 3000, "cvlan": 1 + number % 4000, "speed": 200}
    made: list[tuple[str, str, str, Json]] = [
        (f"olt:ZJHZ-OLT{number % 4}", "olt.port", f"1/{number}", port),
        ("aaa:hz", "aaa.account", f"hz{number}", {"loid": loid, "profile": "200M"}),
        ("ims:hz", "ims.number", f"0571{number:08}", {"loid": loid}),
        ("iptv:hz", "iptv.account", f"tv{number}", {"loid": loid, "stb": f"STB{number}"}),
        ("itms:hz", "itms.terminal", f"t{number}", {"loid": loid}),
        ("billing:zj", "archive.billing", f"p{number}", {"account": f"A{number}"} | ARCHIVE),
        ("sla:zj", "archive.sla", f"p{number}", DUE),
        ("sms:zj", "notice.sms", f"n{number}", {"number": "13800000000", "text": "您的业务已竣工"}),
    ]
    return [
        command("do", f"{number}:{kind}", element, kind, subject, **params) for element, kind, subject, params in made
    ]


def send(client: Client, lines: list[bytes]) -> None:
    for start in range(0, len(lines), 1000):
        client.send_raw(b"".join(lines[start : start + 1000]))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 80_000
    lines = [json.dumps(each).encode() + b"\n" for number in range(count // 8) for each in mix(number)]
    single = [each for number in range(count // 8, count // 8 + 250) for each in mix(number)]
    with tempfile.TemporaryDirectory() as state, Simulator(Path(state)) as simulator:
        client, pid = simulator.connect(), simulator.process.pid
        started, used = time.monotonic(), cpu_seconds(pid)
        sender = threading.Thread(target=send, args=(client, lines))
        sender.start()
        assert all((client.receive() or {}).get("status") == "ok" for _ in lines)
        sender.join()
        wall, cpu = time.monotonic() - started, cpu_seconds(pid) - used
        started = time.monotonic()
        assert all(client.ask(each)["status"] == "ok" for each in single)
        one_by_one = time.monotonic() - started
    figures = {
        "commands": len(lines),
        "per_second": round(len(lines) / wall),
        "per_cpu_second": round(len(lines) / cpu),
        "one_by_one_per_second": round(len(single) / one_by_one),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
