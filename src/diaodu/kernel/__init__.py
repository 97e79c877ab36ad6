"""内核: configuration, database, ids, history, leases, errors, access; no business word."""
