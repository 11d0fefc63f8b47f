"""Imported once by the server process that workers are forked from (see workers.py): they find the
lexicon, which takes a second to load, in their memory."""

from molcaption.engine.bulk import shared_lexicon

shared_lexicon()
