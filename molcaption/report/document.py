"""One page: a single HTML file that needs no network and no script."""

from collections.abc import Sequence
from importlib import resources
from string import Template

from molcaption.report.markup import Html, join, tag, text

Section = tuple[str, str, Html]  # anchor, heading, content


def document(title: str, head: Html, sections: Sequence[Section]) -> str:
    """The page as text.

    Args:
        head: stands above the links to the sections.
    """
    links = [tag("a", heading, href=f"#{anchor}") for anchor, heading, _ in sections]
    body = [tag("section", tag("h2", heading), html, id=at) for at, heading, html in sections]
    return Template(_file("page.html")).substitute(
        title=text(title),
        style=_file("claims.css") + _file("page.css"),
        head=head,
        links=join(*links),
        body="\n".join(body),
    )


def claims_style() -> str:
    """The style sheet of marked captions and drawings alone, for use within another page."""
    return _file("claims.css")


def _file(name: str) -> str:
    return (resources.files("molcaption.report") / name).read_text("utf-8")
