"""分解: what is ordered + the rules of the release -> the tree of services and resources; pure."""
