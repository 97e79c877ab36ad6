"""Rules (规则): versioned, effective-dated decision tables that users write, test and publish."""
