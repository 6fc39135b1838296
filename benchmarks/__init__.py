"""What is said of speed, measured: `python -m benchmarks.run` (or `invoke bench`)."""
