"""业务受理: the flow of an order, one stage a file, in reading order.

capture (in ``ordering``) -> validate -> decompose -> design -> accept -> dispatch -> send -> report -> complete.
"""
