"""Decision tables as an Excel workbook that people keep: written by ``to_workbook``, read by ``from_workbook``."""

from diaodu.rules.excel.read import from_workbook
from diaodu.rules.excel.write import to_workbook

__all__ = ["from_workbook", "to_workbook"]
