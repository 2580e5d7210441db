"""Monte Carlo of first passage under resetting on toy models."""
