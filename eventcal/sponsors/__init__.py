"""Organisations, the tiers that events sell and who holds them."""
