"""How it is traded: costs, fills, the shape of an order."""
