"""Which row of one table is which row of another, and which of them have been moved."""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Hashable, Sequence

Pair = tuple[int, int]
Cells = tuple[Hashable, ...]

# Rows between two that are sure are compared each with each; beyond this many pairs they count as different.
MAX_PAIRS = 1_000_000


def align(
    old: Sequence[Cells], new: Sequence[Cells], ids: tuple[Sequence[str | None], Sequence[str | None]]
) -> list[Pair]:
    """The pairs of rows that are the same one: equal in content, else in id, else alike between two such."""
    pairs = _equal(old, new, ({}, {}))
    pairs += _equal_ids(ids, (dict(pairs), {right: left for left, right in pairs}))
    paired = set(staying(pairs))
    for left, right in _gaps(sorted(paired), pairs, len(old), len(new)):
        pairs += _alike(old, new, left, right)
    return sorted(pairs, key=lambda pair: pair[1])


def staying(pairs: Sequence[Pair]) -> list[Pair]:
    """The most pairs whose order is the same on both sides; the others have been moved."""
    ordered = sorted(pairs)
    tails: list[int] = []  # of the best chains by length: the smallest last row of `new`
    at: list[int] = []  # which pair ends that chain
    before: list[int] = []
    for number, (_, right) in enumerate(ordered):
        length = bisect_left(tails, right)
        before.append(at[length - 1] if length else -1)
        tails[length : length + 1] = [right]
        at[length : length + 1] = [number]
    chain, number = [], at[-1] if at else -1
    while number >= 0:
        chain.append(ordered[number])
        number = before[number]
    return chain[::-1]


def _equal(
    old: Sequence[Hashable], new: Sequence[Hashable], taken: tuple[dict[int, int], dict[int, int]]
) -> list[Pair]:
    where: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for number, row in enumerate(old):
        if number not in taken[0]:
            where[row].append(number)
    return [
        (where[row].popleft(), number) for number, row in enumerate(new) if number not in taken[1] and where.get(row)
    ]


def _equal_ids(
    ids: tuple[Sequence[str | None], Sequence[str | None]], taken: tuple[dict[int, int], dict[int, int]]
) -> list[Pair]:
    old, new = ({id_: number for number, id_ in enumerate(side) if id_} for side in ids)
    return [
        (old[id_], number)
        for id_, number in new.items()
        if id_ in old and old[id_] not in taken[0] and number not in taken[1]
    ]


def _gaps(anchors: Sequence[Pair], pairs: Sequence[Pair], old: int, new: int) -> list[tuple[list[int], list[int]]]:
    """The rows without a pair between two that stay, on both sides."""
    lefts, rights = {left for left, _ in pairs}, {right for _, right in pairs}
    found = []
    before = (-1, -1)
    for anchor in (*anchors, (old, new)):
        left = [n for n in range(before[0] + 1, anchor[0]) if n not in lefts]
        right = [n for n in range(before[1] + 1, anchor[1]) if n not in rights]
        if left and right and len(left) * len(right) <= MAX_PAIRS:
            found.append((left, right))
        before = anchor
    return found


def _alike(old: Sequence[Cells], new: Sequence[Cells], left: Sequence[int], right: Sequence[int]) -> list[Pair]:
    """The pairs, in order, that have the most cells in common."""
    best = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    common = [[sum(a == b for a, b in zip(old[i], new[j], strict=True)) for j in right] for i in left]
    for i in range(len(left) - 1, -1, -1):
        for j in range(len(right) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], common[i][j] + best[i + 1][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if common[i][j] and best[i][j] == common[i][j] + best[i + 1][j + 1]:
            pairs.append((left[i], right[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs
