"""A caption put together from what all candidates say and the structure does not refute.

The first sentence, which says what the molecule is, is that of one candidate: its claims hang
together. Of one that the structure refutes, the classes that it begins with are a candidate of
their own: saying less is better than saying what is wrong. The statements after it are voted on,
entry by entry. A class that the structure supports needs few votes, what is refuted goes, and
everything else needs more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rdkit import Chem

from molcaption.claims import Lexicon, Structure, check_against
from molcaption.data.memory import Neighbour
from molcaption.data.statements import (
    CLASSES,
    OPENINGS,
    Draft,
    Statement,
    classes,
    naming,
    read,
    write,
)
from molcaption.engine.choice import agreement, best, candidates_of
from molcaption.engine.runtimes import Generation

CLASS_VOTES = 0.14
"""One of the captioner's own seven candidates is enough for a class that the structure supports.
This and the next: chosen on the validation split (docs/quality.md)."""
OTHER_VOTES = 0.3
"""For any other entry, and for a statement to be there at all."""


@dataclass(slots=True)
class _Entry:
    """What was said of an entry: its votes, and the sum of its places weighted by them."""

    votes: float = 0.0
    places: float = 0.0


_Ballot = dict[str, dict[str, _Entry]]
"""Entries of each opening."""


def mend(
    own: Sequence[Generation], near: Sequence[Neighbour], mol: Chem.Mol, lexicon: Lexicon
) -> Generation:
    """The best first sentence with the statements that carry the vote.

    Arguments as for `molcaption.engine.choice.choose`. Confidence is that of the candidate with
    this first sentence. Of a single candidate, refuted entries are struck out.
    """
    candidates, structure = candidates_of(own, near), Structure(mol, lexicon)
    drafts = [read(candidate.made.text) for candidate in candidates]
    ballot = _count(zip(drafts, [candidate.vote for candidate in candidates], strict=True))
    for candidate, draft in list(zip(candidates, drafts, strict=True)):
        said_less = _say_less(draft.head, structure)
        if said_less and all(said_less != other.head for other in drafts):
            candidates.append(replace(candidate, vote=0.0))
            drafts.append(replace(draft, head=said_less))
    place = best(candidates, [draft.head for draft in drafts], structure)
    elected = (_elect(opening, entries, structure) for opening, entries in ballot.items())
    statements = {statement.opening: statement for statement in elected if statement.entries}
    head, others = drafts[place].head, _arrange(drafts[place].others, statements)
    return replace(candidates[place].made, text=write(head, others))


def _say_less(head: str, structure: Structure) -> str | None:
    """A refuted first sentence cut down to the classes that it begins with and that still stand."""
    if not check_against(structure, head).n_contradicted:
        return None
    named = [(entry, naming([entry])) for entry in classes(head)]
    left = [e for e, said in named if not check_against(structure, said).n_contradicted]
    return naming(left) if left else None


def _count(drafts: Iterable[tuple[Draft, float]]) -> _Ballot:
    ballot: _Ballot = {}
    for draft, vote in drafts:
        if not vote:
            continue
        said: dict[str, list[str]] = {}
        for sentence in draft.others:
            if isinstance(sentence, Statement):
                said.setdefault(sentence.opening, []).extend(sentence.entries)
        for opening, entries in said.items():
            for place, text in enumerate(dict.fromkeys(entries)):
                entry = ballot.setdefault(opening, {}).setdefault(text, _Entry())
                entry.votes += vote
                entry.places += vote * place
    return ballot


def _elect(opening: str, entries: dict[str, _Entry], structure: Structure) -> Statement:
    """The statement of the entries with votes enough; of the most typical one, if none has them."""
    standing, elected = {}, []
    for text, entry in entries.items():
        check = check_against(structure, f"{opening}{text}.")
        if not check.n_contradicted:
            standing[text] = entry
            easy = opening == CLASSES and check.n_supported
            if entry.votes >= (CLASS_VOTES if easy else OTHER_VOTES):
                elected.append(text)
    votes = [entry.votes for entry in standing.values()]
    if not elected and sum(votes) >= OTHER_VOTES:
        typical = agreement(list(standing), votes)
        elected = [list(standing)[typical.index(max(typical))]]
    elected.sort(key=lambda text: entries[text].places / entries[text].votes)
    return Statement(opening, tuple(elected))


def _arrange(
    others: Sequence[Statement | str], statements: dict[str, Statement]
) -> list[Statement | str]:
    """``others`` with these statements in place of its own, and the missing ones in their order."""
    left = dict(statements)
    arranged: list[Statement | str] = []
    for sentence in others:
        if isinstance(sentence, str):
            arranged.append(sentence)
        elif sentence.opening in left:
            arranged.append(left.pop(sentence.opening))
    for opening in [opening for opening in OPENINGS if opening in left]:
        arranged.insert(_place(opening, arranged), left[opening])
    return arranged


def _place(opening: str, arranged: Sequence[Statement | str]) -> int:
    """Before the first statement that follows it in `OPENINGS`."""
    rank = OPENINGS.index(opening)
    for place, sentence in enumerate(arranged):
        if isinstance(sentence, Statement) and OPENINGS.index(sentence.opening) > rank:
            return place
    return len(arranged)
