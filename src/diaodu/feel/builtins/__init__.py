"""The functions that the language brings along."""

from __future__ import annotations

# Importing a module declares its functions.
from diaodu.feel.builtins import calendar, contexts, conversions, lists, numbers, ranges, strings
from diaodu.feel.builtins.registry import declared

BUILTINS = declared()

__all__ = ["BUILTINS", "calendar", "contexts", "conversions", "lists", "numbers", "ranges", "strings"]
