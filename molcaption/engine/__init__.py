"""Everything that runs: training loop, model directories, ONNX export, runtimes."""

BATCH_SIZE = 64
"""Captions decoded together, unless somebody asks otherwise; see benchmarks/worker_counts.py."""
