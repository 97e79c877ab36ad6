"""客户订单: product orders, their items and revisions (TMF622)."""
