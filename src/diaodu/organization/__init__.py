"""组织: units, posts, people, their API tokens and rights (TMF672)."""
