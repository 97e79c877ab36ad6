"""迁移版本: the revisions of the database, in order."""
