"""Imported once by the server process that workers are forked from (see workers.py): they find the
lexicon, which takes a second to load, in their memory."""

from molcaption.claims import load_lexicon, settle

settle(load_lexicon())
