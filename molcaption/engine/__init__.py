"""Everything that runs: training loop, model directories, ONNX export, runtimes."""
