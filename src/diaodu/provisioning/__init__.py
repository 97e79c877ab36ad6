"""资源设计与激活: design rules, adapters to network elements, service and resource orders (TMF640, 641, 652, 702)."""

from diaodu.provisioning.adapters import cause, command, judge, question, reading, subject
from diaodu.provisioning.wire import Break, Wire

__all__ = ["Break", "Wire", "cause", "command", "judge", "question", "reading", "subject"]
