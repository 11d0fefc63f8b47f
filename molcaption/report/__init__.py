"""Pages for people: what a run found, in one file that opens anywhere. No torch here."""

from molcaption.report.page import write_report

__all__ = ["write_report"]
