"""Captions with one false word: the edits of `claims_quality.py`, and the classes a caption names.

An edit is kept only where the sentence says something of the molecule itself, and only if the new
wording is false of it by `molecule_truth.py`, whatever the engine thinks.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from molecule_truth import CARBOXY, ELEMENTS, GROUPS, STEMS, Truth

Place = tuple[int, int, str]  # start, end, new words
Finder = Callable[[str, Truth], Iterator[Place]]

_END = r"(.*?)(?=\.(?: [A-Z]|\s*$)|$)"
_CLASSES = re.compile(r"\b(?:The molecule is|It is)(?: also)? (?:an?|the) " + _END)
_SAYS = re.compile(r"\b(?:The molecule|It) (?:is|contains|consists|carries|has) " + _END)
_CUT = re.compile(
    r",?\s+(?:that|which|obta?i?ned|resul?ti?ng|derived|having|has|with|in|consisi?t?ing|isolated|"
    r"comprising|comprised|composed|ari?sing|formed|carrying|substituted|used|produced|where|from|"
    r"by|prepared|bearing|containing|for|at|whose|identified|as|found|linked|attached|acting|"
    r"characteri[sz]ed|replacing|constructed|based|known|belonging|extracted|developed|is)\b|[;(] "
)
_SPLIT = re.compile(r",? and (?=(?:an?|the) )|, (?=(?:an?|the) )")
_ARTICLE = re.compile(r"(?:an?|the) |(?:member|class)s? of (?:the )?(?:class(?:es)? of )?")
_RELATION = re.compile(r"(?:conjugate|enantiomer|tautomer|\w*isomer\b|functional|racemate of)")
# From here to the end of the sentence, other molecules are spoken of, or uses.
_ELSEWHERE = re.compile(
    r"\b(?:conjugate|deriv\w+ (?:from|of|by)|derived|related|enantiomer|tautomer|isomer of|"
    r"obta?i?ned|results?|resul?ti?ng|ari?sing|formed|formal\w*|condens\w+|combin\w+|role|lack\w*|"
    r"without|instead|remov\w+|loss|analogue|isolated|used?|using|produced|prepared|synthes\w+|"
    r"activit\w+|inhibit\w+|metaboli\w+|treat\w+|form of|same|similar|compar\w+|unlike|"
    r"(?:de)?protonat\w+|redu\w+|oxidi\w+|oxidation|hydrogenat\w+|either|not|mixture|racem\w+|or|"
    r"degrad\w+|precursor|intermediate|agent|drug|product|convert\w*|transform\w*|exchang\w*|"
    r"esterif\w+|hydroly\w+|addition|reaction|major|found|first|also known|of the two|"
    r"equimolar|epimer\w*|stereoisomer of|between|corresponding|parent|at pH)\b"
)
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()
_PREFIXES = (
    "mono di tri tetra penta hexa hepta octa nona deca undeca dodeca trideca tetradeca".split()
)
_RINGS = ["mono", "bi", *_PREFIXES[2:10]]
_SALTS = "sodium potassium lithium calcium magnesium barium zinc".split()
_METALS = (
    "iron copper cobalt nickel zinc manganese aluminium silver mercury platinum palladium".split()
)
_ORGANO = "sulfur phosphorus selenium silicon arsenic boron nitrogen tellurium tin".split()
_SUGAR = r"(?:gluc|galact|mann|rhamn|fuc|xyl|arabin|rib|all|altr|gul|ido|tal|quinov|fruct|abequ)"


@dataclass(frozen=True)
class Edit:
    """One corrupted caption: ``caption[start:end]`` is the new wording of ``old``."""

    kind: str
    caption: str
    start: int
    end: int
    old: str


def class_mentions(caption: str) -> list[tuple[int, int]]:
    """Spans of the classes listed in "The molecule is a …" and "It is a … and a …"."""
    found = []
    for sentence in _CLASSES.finditer(caption):
        start, stop = sentence.span(1)
        cut = _CUT.search(caption, start, stop)
        stop = cut.start() if cut else stop
        bounds = [start]
        for split in _SPLIT.finditer(caption, start, stop):
            bounds += split.span()
        bounds.append(stop)
        for left, right in zip(bounds[::2], bounds[1::2], strict=True):
            begin = left
            while article := _ARTICLE.match(caption, begin, right):
                begin = article.end()
            if begin < right and not _RELATION.match(caption, begin, right):
                found.append((begin, right))
    return found


def _asserted(caption: str) -> list[tuple[int, int]]:
    """Where the caption speaks of the molecule's own parts."""
    found = []
    for sentence in _SAYS.finditer(caption):
        start, stop = sentence.span()
        elsewhere = _ELSEWHERE.search(caption, start, stop)
        text = caption[start : elsewhere.start() if elsewhere else stop]
        stop = start + len(text)
        if "replac" in caption[start : sentence.end()]:
            first = re.search(r"\b(?:that|which|consisting|whose|with)\b", text)
            found.append((start, start + first.start() if first else stop))
            start += max(
                (m.end() for m in re.finditer(r"replaced (?:by|with)", text)), default=len(text)
            )
        found.append((start, stop))
    return found


def corruptions(caption: str, truth: Truth, rng: random.Random) -> list[Edit]:
    """At most one corruption of every kind."""
    classes = class_mentions(caption)
    related = [match.span() for match in re.finditer(r"conjugate (?:base|acid)", caption)]
    regions = {"class": classes, "own": classes + _asserted(caption) + related}
    edits = []
    for kind, (finder, region) in KINDS.items():
        places = [
            place
            for place in dict.fromkeys(finder(caption, truth))
            if any(start <= place[0] and place[1] <= end for start, end in regions[region])
        ]
        if places:
            start, end, new = rng.choice(places)
            text = caption[:start] + new + caption[end:]
            edits.append(Edit(kind, text, start, start + len(new), caption[start:end]))
    return edits


def _counts(caption: str, truth: Truth) -> Iterator[Place]:
    numbers, prefixes = "|".join(_NUMBERS[1:9]), "|".join(_PREFIXES[:8])
    for names, smarts in GROUPS.items():
        words = "|".join(sorted(names.split("|"), key=len, reverse=True))
        spelt = rf"\b({numbers}) (?:additional |further |free |phenolic )*(?:{words})"
        spelt += r"(?: groups?| substituents?| functions?| residues| atoms| moieties|s)\b"
        prefix = rf"(?<![\w'-])({prefixes}|tetr)(?:{words})(?!methyl|yl|ami|amm|sil|ene)"
        prefix += r"\b" if names in ("ol", "ester") else ""
        yield from _raised(re.finditer(spelt, caption), _NUMBERS, truth.count(smarts))
        if "carboxy" not in names:  # the acid count
            yield from _raised(re.finditer(prefix, caption), _PREFIXES, truth.count(smarts))
    units = rf"\b({numbers}) (?!repeat)[\w()',>-]+ (?:residues|units)\b"
    most = max(truth.saccharide) + truth.count("[#6]=[OX1] [#15]")
    yield from _raised(re.finditer(units, caption), _NUMBERS, most)
    for word, sign in (("anion", -1), ("cation", 1)):
        ions = re.finditer(rf"\b({prefixes}){word}\b", caption)
        yield from _raised(ions, _PREFIXES, truth.ions(sign))


def _raised(matches: Iterator[re.Match[str]], words: list[str], most: int) -> Iterator[Place]:
    for match in matches:
        old = match[1].replace("tetr", "tetra").replace("tetraa", "tetra")
        value = words.index(old) + 1
        for new in (value + 1, value + 2):
            if new > most:
                word = words[new - 1]
                vowel = match[0].endswith("ol") and word.endswith("a")
                yield (*match.span(1), word[:-1] if vowel else word)


def _steps(
    pattern: str, caption: str, words: list[str], taken: set[int], least: int = 1
) -> Iterator[Place]:
    """A number word of the pattern's first group moved by one or two, never to a taken number."""
    for match in re.finditer(pattern.replace("#", "|".join(words)), caption):
        value = words.index(match[1]) + 1
        for new in (value - 2, value - 1, value + 1, value + 2):
            if least <= new <= len(words) and new not in taken:
                yield (*match.span(1), words[new - 1])


def _saccharides(caption: str, truth: Truth) -> Iterator[Place]:
    yield from _steps(
        r"(?:\b|(?<=amino))(#)saccharides?\b", caption, _PREFIXES, truth.saccharide, 2
    )


def _peptides(caption: str, truth: Truth) -> Iterator[Place]:
    yield from _steps(r"(?:\b|(?<=cyclo))(#)peptides?\b", caption, _PREFIXES, truth.residues, 2)


def _acids(caption: str, truth: Truth) -> Iterator[Place]:
    after = r"carboxylic acids?\b(?! (?:mono|di|tri)?(?:ester|amid|anhydr|imid|chlor|halid|hydraz))"
    taken = {truth.count(CARBOXY)}
    yield from _steps(rf"\b(#){after}", caption, _PREFIXES[:5], taken)


def _cycles(caption: str, truth: Truth) -> Iterator[Place]:
    before = r"(?:\b|(?<=hetero)|(?<=carbo)|(?<=homo))"
    after = r"cyclic\b(?! (?:antidepr|ketone|ether|ket|acet|hemi))"
    yield from _steps(rf"{before}(#){after}", caption, _RINGS, truth.cycles)


def _alcohols(caption: str, truth: Truth) -> Iterator[Place]:
    degrees = ("primary", "secondary", "tertiary")
    for match in re.finditer(
        r"\b(primary|secondary|tertiary) (?:[a-z]+ )*?(?:alcohol|alpha-hydroxy ketone)s?\b", caption
    ):
        yield from (
            (*match.span(1), new) for new in degrees if new not in truth.carbinols | {match[1]}
        )


def _halogens(caption: str, truth: Truth) -> Iterator[Place]:
    stems = ("fluor", "chlor", "brom", "iod")
    after = r"(?=o(?!phyl|chrom|quine|form|sc|us)|ine(?:s\b|\b)|inated\b|ides?\b|ohydrin)"
    yield from _exchanged(rf"({'|'.join(stems)}){after}", caption, stems, truth)


def _elements(caption: str, truth: Truth) -> Iterator[Place]:
    groups = [
        (r"(?<=\borgano)(#)(?= |\b)", _ORGANO),
        (r"(?:\b|(?<=mono)|(?<=di)|(?<=tri))(#)\b", _SALTS),
        (r"\b(#)\b(?![ -](?:sulfur|deficien))", _METALS),
        (r"\b(#)\b", ["sulfur", "phosphorus", "selenium", "silicon", "tellurium"]),
        (r"(?<=\borgano)(#)\b", ["phosphate", "sulfate", "phosphonate", "sulfonate"]),
    ]
    for pattern, names in groups:
        yield from _exchanged(pattern.replace("#", "|".join(names)), caption, names, truth)


def _exchanged(
    pattern: str, caption: str, names: list[str] | tuple[str, ...], truth: Truth
) -> Iterator[Place]:
    for match in re.finditer(pattern, caption):
        present = ELEMENTS[match[1]] in truth.symbols
        absent = [name for name in names if ELEMENTS[name] not in truth.symbols]
        yield from ((*match.span(1), name) for name in absent if present)


def _charges(caption: str, truth: Truth) -> Iterator[Place]:
    flip = {"+": "-", "-": "+"}
    for match in re.finditer(r"(?<=\()(\d+)([+-])(?=\))", caption):
        if int(flip[match[2]] + match[1]) not in truth.charges:
            yield (*match.span(2), flip[match[2]])
    for match in re.finditer(r"(?<=charge of )(?:([+-])\d|\d([+-]))", caption):
        group = 1 if match[1] else 2
        if truth.net:
            yield (*match.span(group), flip[match[group]])
    for match in re.finditer(r"\b(?:mono|di|tri|tetra|penta|hexa)?(an|cat)ions?\b", caption):
        sign = 1 if match[1] == "an" else -1
        if not any(charge * sign > 0 for charge in truth.charges) and truth.net:
            yield (*match.span(1), "cat" if match[1] == "an" else "an")
    yield from _relations(caption, truth)


def _relations(caption: str, truth: Truth) -> Iterator[Place]:
    """ "Conjugate base" of what has less charge is "conjugate acid", and the other way round."""
    for match in re.finditer(r"\bIt is an? conjugate (base|acid) of an? " + _END, caption):
        said = re.search(r"\((\d+)([+-])\)(?: \w+)?$", match[2])
        step = truth.net - (int(said[2] + said[1]) if said else 0)
        if step * (1 if match[1] == "acid" else -1) > 0:
            yield (*match.span(1), "base" if match[1] == "acid" else "acid")


def _flips(letters: str) -> Finder:
    """One letter of a descriptor such as (9Z,12Z) turned; the claimed number must be too many."""
    turn = dict(zip(letters, reversed(letters), strict=True))
    one = r"(?:\d+'*[a-z]?'*[RSEZ])"
    alone = r"(?<=\()[RSEZ](?=\)-)|[RSEZ](?=[ -]config)"
    list_ = rf"(?<![\w-])(?:{one}(?:,(?:{one}|\d*[a-z]*))*|{alone})(?![\w*])"

    def find(caption: str, truth: Truth) -> Iterator[Place]:
        for match in re.finditer(list_, caption):
            for place in re.finditer(f"[{letters}]", match[0]):
                new = turn[place[0]]
                blurred = letters == "EZ" and truth.unspecified[1]
                if not blurred and match[0].count(new) + 1 > truth.cip[new]:
                    start = match.start() + place.start()
                    yield start, start + 1, new

    return find


def _anomers(caption: str, truth: Truth) -> Iterator[Place]:
    for match in re.finditer(rf"(?<![\w'-])(alpha|beta)-(?=(?:[DL]-)?{_SUGAR}\w)", caption):
        if truth.one_anomer:
            yield (*match.span(1), "beta" if match[1] == "alpha" else "alpha")


def _lengths(caption: str, truth: Truth) -> Iterator[Place]:
    ends = r"(?=(?:an|en|adien|atrien|atetraen|apentaen|ahexaen)(?:oyl|oic|oate|amid))"
    names = {length: stem for stem, length in STEMS.items()}
    for match in re.finditer(rf"(?<![a-z])({'|'.join(STEMS)}){ends}", caption):
        for new in (STEMS[match[1]] + step for step in (-4, -2, 2, 4)):
            located = new < STEMS[match[1]] and caption[match.start() - 1] in "-)"
            if new in names and new not in truth.chains[0] and not located:
                yield (*match.span(1), names[new])
    for match in re.finditer(r"(?<![\d:])(\d\d)(?=:\d\b)", caption):
        for new in (int(match[1]) + step for step in (-4, -2, 2, 4)):
            if new not in truth.chains[1]:
                yield (*match.span(1), str(new))


KINDS: dict[str, tuple[Finder, str]] = {
    "count": (_counts, "own"),
    "saccharide length": (_saccharides, "class"),
    "alcohol degree": (_alcohols, "class"),
    "halogen": (_halogens, "own"),
    "charge sign": (_charges, "own"),
    "E/Z": (_flips("EZ"), "own"),
    "R/S": (_flips("RS"), "own"),
    "anomer": (_anomers, "own"),
    "acid count": (_acids, "class"),
    "ring count": (_cycles, "class"),
    "chain length": (_lengths, "own"),
    "element": (_elements, "own"),
    "peptide length": (_peptides, "class"),
}
