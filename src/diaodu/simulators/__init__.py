"""模拟系统: the other systems (network, billing, SLA, SMS) as processes of their own, spoken to only over TCP.

Start with `python -m diaodu.simulators --system all --port 0 --state DIR`. This package imports nothing of diaodu:
what the two sides share is the protocol written down in `messages`.
"""
