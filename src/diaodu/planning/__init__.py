"""计划与台账: (as-is, in-flight, to-be) -> steps to do, redo and undo; the ledger of effects holds the facts."""
