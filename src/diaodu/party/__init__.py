"""参与人: customers and their accounts (TMF629, TMF666)."""
