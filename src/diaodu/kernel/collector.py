"""The garbage collector of a process that runs for long and makes many short-lived objects."""

import gc

# Batches make tens of thousands of objects that die with them, hardly any in cycles: the collector's own threshold
# of some hundred had it walk all of a batch's state again and again (a fifth of a worker's time).
THRESHOLD = 50_000


def rarely() -> None:
    """Leave alone what is loaded by now, and look at what comes later less often; for the start of a worker."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(THRESHOLD, *gc.get_threshold()[1:])
