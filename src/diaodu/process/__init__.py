"""Processes (流程): running processes as people operate them and external workers serve them, over HTTP."""
