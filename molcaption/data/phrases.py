"""The phrases that ChEBI's prose is made of: classes, roles, parents, relations.

A description in that prose is a list in disguise: "The molecule is a CLASS that is …. It has a role
as a ROLE and a ROLE. It derives from a PARENT. It is a CLASS, a CLASS and a member of CLASS." Which
phrases a molecule deserves can be learnt by a small classifier (nn/hints.py) from far fewer pairs
than a language model needs to find them out.
"""

import re

_ARTICLE = re.compile(r"^(?:(?:an?|the)\s+)?(?:member of (?:the class of )?)?", re.IGNORECASE)
_SENTENCES = re.compile(r"(?<=[.;])\s+(?=[A-Z])")
_LIST = re.compile(r", | and (?=an? |member of )")
_HEAD_ENDS = (
    " that | which | in which | obtained | resulting | having | with | consisting | comprising"
    " | containing | carrying | bearing | derived | formed | where | whose | isolated | composed"
    r" | of the | of [\w(]+-|, | and |\.|$"
)
_HEAD = re.compile(rf"^(?:The molecule is an?|An?|The molecule is) (.+?)(?={_HEAD_ENDS})")
_ROLES = re.compile(r"^It has a role as (.+)$")
_PARENTS = re.compile(r"^It derives from (?:a hydride of )?(.+)$")
_RELATIVES = re.compile(r"^It is an? (conjugate (?:base|acid)|tautomer|enantiomer) of (.+)$")
_CLASSES = re.compile(r"^It is (an? .+)$")
ROLE, PARENT = "role ", "from "
"""How phrases that are no class begin; a relation is said in full ("tautomer of phenol")."""


def phrases(description: str) -> set[str]:
    """The phrases of a description: class nouns bare, "role …", "from …", "conjugate acid [of …]".

    Text that is not of this prose gives few or none.
    """
    found: set[str] = set()
    if head := _HEAD.match(description):
        found.add(_bare(head.group(1)))
    for sentence in _SENTENCES.split(description):
        found |= _said(sentence)
    return found - {"", "member"}


def _said(sentence: str) -> set[str]:
    """Phrases of one sentence after the first."""
    if roles := _ROLES.match(sentence):
        return {ROLE + role for role in _listed(roles.group(1))}
    if parents := _PARENTS.match(sentence):
        return {PARENT + parent for parent in _listed(parents.group(1))}
    if relatives := _RELATIVES.match(sentence):
        relation = relatives.group(1)
        return {relation} | {f"{relation} of {name}" for name in _listed(relatives.group(2))}
    if classes := _CLASSES.match(sentence):
        return set(_listed(classes.group(1)))
    return set()


def _listed(text: str) -> list[str]:
    return [bare for part in _LIST.split(text) if (bare := _bare(part))]


def _bare(noun_phrase: str) -> str:
    """Without article and full stop."""
    return _ARTICLE.sub("", noun_phrase.strip(" .")).strip()
