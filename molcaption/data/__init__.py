"""From files to molecules, pairs and prompts, and back to files; no torch."""
