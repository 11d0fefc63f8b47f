"""Molecules: parsing, integer graphs and the way back."""
