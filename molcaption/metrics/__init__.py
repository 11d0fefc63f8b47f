"""Measures of captions and of retrieval: plain functions of lists and arrays, no files."""
