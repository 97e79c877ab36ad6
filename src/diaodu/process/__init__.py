"""流程与待办: processes as users see them, worklist pools and human tasks (TMF701)."""
