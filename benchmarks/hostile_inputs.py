"""Records and files that break chemistry programs, for the fuzzer and for tests."""

import gzip
from pathlib import Path


def spinning_smiles(n: int = 21) -> str:
    """Every one of ``n`` atoms bonded to every one of ``n`` others (the graph K n,n).

    RDKit's search for rings takes 0.6 s with 14, 4.5 s with 18, ever longer after that, and may end
    with a segmentation fault from 26 on (release 2026.09).
    """
    closures, number = [""] * (2 * n), 0
    for i in range(2 * n):
        for j in range(i + 3, 2 * n, 2):
            number += 1
            closures[i] += f"%({number})"
            closures[j] += f"%({number})"
    return "".join("*" + closure for closure in closures)


CRASHING_N = 26


def hostile_records() -> dict[str, str]:
    """Name to SMILES."""
    return {
        "polymer of 5,000 atoms": "C" * 5000,
        "300 nested branches": "C(" * 300 + "C" + ")" * 300,
        "100,000 nested branches": "C(" * 100_000 + "C" + ")" * 100_000,
        "spins": spinning_smiles(),
        "crashes": spinning_smiles(CRASHING_N),
        "thousand fragments": ".".join(["C"] * 999),
        "open brackets": "[" * 500,
        "ring closures": "C1" * 500,
        "charge": "[C+99999999999]",
        "isotope": "[99999999999C]",
    }


def write_hostile_files(folder: Path) -> list[Path]:
    """Files with one kind of hostility each; blanks and quotes in their names too."""
    folder.mkdir(parents=True, exist_ok=True)
    block = "\n     x\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n" + (
        "    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0\nM  END\n"
    )
    long_value = "x" * 10_000_000
    records = "".join(f"{smiles}\t{name}\n" for name, smiles in hostile_records().items())
    odd_table = 'id,smiles\n"a ""quoted""\nname",CCO\n"same",C\n"same",C\n"",O\n'
    contents = {
        "hostile records.smi": records.encode(),
        "10 MB property.sdf": f"{block}>  <LONG>\n{long_value}\n\n$$$$\n{block}$$$$\n".encode(),
        "10 MB line.smi": b"C" * 10_000_000 + b" long\nCCO ethanol\n",
        'names with "quotes".csv': odd_table.encode(),
        "cut.smi.gz": gzip.compress(b"CCO ethanol\n" * 5000)[:-30],
        "cut.sdf.gz": gzip.compress((block + "$$$$\n").encode() * 3000)[:-30],
        "not what it says.parquet": b"PAR1" + b"\0" * 100 + b"PAR1",
        "bytes.smi": bytes(range(256)) * 20,
    }
    paths = [folder / name for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_bytes(content)
    return paths
