"""molcaption: caption molecules in bulk, with evidence for every chemical claim."""

__version__ = "0.1.0"
