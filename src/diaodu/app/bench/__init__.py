"""The benchmark ``diaodu bench orders``: what an order costs, and how that compares with what PostgreSQL can write."""
