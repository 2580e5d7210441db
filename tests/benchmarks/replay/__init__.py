"""Parts of the benchmark of the closed loop: problems, methods, measures and tables."""
