"""Episodes with one seed after the other until the time is over; the record says where the next run goes on."""

import time
from pathlib import Path

from rich.console import Console

from diaodu.app.proof_change.episode import LENGTH, Finding, play, shorten, steps_of
from diaodu.app.proof_change.ground import Ground
from diaodu.app.proof_record import CHANGE, add_row, next_seed
from diaodu.kernel import postgres
from diaodu.kernel.clock import wall_clock

CHANGE_SHARE = 0.4  # of the time of a proof of all
# Nothing here has to survive a power cut.
_SETTINGS = {"fsync": "off", "shared_buffers": "64MB"}


def prove_change(minutes: float, record: Path, console: Console, *, seed: int | None = None) -> bool:
    """Play episodes, from the seed after the last one of the record unless told another; adds a line to ``record``."""
    first = next_seed(record, CHANGE) if seed is None else seed
    end, last, found = time.monotonic() + minutes * 60, first - 1, list[Finding]()
    with postgres.scratch(settings=_SETTINGS) as server:
        ground = Ground(server.dsn)
        while last < first or time.monotonic() < end:
            last += 1
            finding = play(ground, last, steps_of(last))
            if finding is not None:
                found.append(shorten(ground, finding))
                for line in found[-1].lines():
                    console.print(line, highlight=False, markup=False)
    episodes = last - first + 1
    totals = (f"{wall_clock():%Y-%m-%d %H:%M}", f"{first}..{last}", episodes, episodes * LENGTH, len(found))
    add_row(record, CHANGE, totals)
    console.print(f"seeds {first}..{last}: {episodes * LENGTH} events, {len(found)} findings")
    return not found
