"""产品目录: offers, specifications, decomposition rules, effect kinds, work kinds, audit rules (TMF620 633 634)."""
