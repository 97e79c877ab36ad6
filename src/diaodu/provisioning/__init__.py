"""资源设计与激活: design rules, adapters to network elements, service and resource orders (TMF640, 641, 652, 702)."""
