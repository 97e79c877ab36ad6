"""工单: work orders of people, reported per effect (TMF697)."""
