"""Other durable engines on the same work; each module runs in a throw-away environment that has the peer in it."""
