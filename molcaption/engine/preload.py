"""Imported once by the server process that workers are forked from (see workers.py): they find the
lexicon and its screen, which take more than a second, in their memory."""

from molcaption.engine.bulk import shared_lexicon

shared_lexicon().screen.prepare()
