"""The memory of a process that runs for long and makes many short-lived objects."""

import ctypes
import gc

# Batches make tens of thousands of objects that die with them, hardly any in cycles: the collector's own threshold
# of some hundred had it walk all of a batch's state again and again (a fifth of a worker's time).
THRESHOLD = 200_000
# What a batch frees the next one needs: given back to the system in between, every page of it would be mapped and
# zeroed anew (a twelfth of a worker's time). In bytes; glibc takes no larger limit for single blocks.
KEPT, KEPT_BLOCK = 256 * 1024**2, 32 * 1024**2
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def rarely() -> None:
    """Leave alone what is loaded by now, look at what comes later less often, and keep memory that is free again.

    For the start of a worker and of a web process.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(THRESHOLD, *gc.get_threshold()[1:])
    limit = getattr(ctypes.CDLL(None), "mallopt", None)  # only glibc has it
    if limit is not None:
        limit(_TRIM_THRESHOLD, KEPT)
        limit(_MMAP_THRESHOLD, KEPT_BLOCK)
