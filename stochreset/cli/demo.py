"""Placeholder."""


def demo() -> None:
    """Train real networks on the CPU and find their best perturbation."""
    raise ValueError("not yet")
