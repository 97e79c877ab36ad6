"""Decisions (决策模型): DMN 1.5 — models, decision tables, their evaluation and their checks; knows only FEEL."""
