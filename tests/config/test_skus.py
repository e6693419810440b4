"""The catalogue file is read as a stream, and every bad line is named with what to do."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from config import CatalogueEntry, ConfigurationInvalid, read_skus, skus_digest

HEADER = "sku,gtin,title,brand,tags,packs,components,aliases"
MUG = CatalogueEntry(
    sku="MUG", gtin="00012345678905", title='Mug, "big"', brand="Acme", tags=("mug", "gift"),
    packs={"CA": 12, "PL": 480}, aliases=(("walmart-us", "WM:MUG"), ("acme", "00123")),
)  # fmt: skip
SET = CatalogueEntry(sku="SET", components=(("MUG", 2), ("BOX:S", 1)))
BOX = CatalogueEntry(sku="BOX:S")


def _faults(path: Path) -> list[str]:
    with pytest.raises(ConfigurationInvalid) as caught:
        list(read_skus(path, "skus"))
    return [str(fault).removeprefix("skus:").strip() for fault in caught.value.faults]


def test_csv(tmp_path: Path) -> None:
    """Quotes, blank lines, a byte-order mark and colons in SKUs are read as meant."""
    path = tmp_path / "skus.csv"
    path.write_bytes(
        b"\xef\xbb\xbf" + HEADER.encode() + b"\r\n"
        b'MUG,00012345678905,"Mug, ""big""",Acme,mug;gift;mug,CA:12;PL:480,,walmart-us:WM:MUG;acme:00123\r\n\r\n'
        b"SET,,,,,,MUG:2;BOX:S:1,\r\nBOX:S,,,,,,,\r\n"
    )  # fmt: skip
    assert list(read_skus(path)) == [MUG, SET, BOX]


def test_json_lines(tmp_path: Path) -> None:
    """JSON lines take the same texts, or lists and objects."""
    path = tmp_path / "skus.jsonl"
    path.write_text(
        '{"sku":"MUG","gtin":"00012345678905","title":"Mug, \\"big\\"","brand":"Acme","tags":["mug","gift"],'
        '"packs":{"CA":12,"PL":480},"aliases":{"walmart-us":["WM:MUG"],"acme":"00123"}}\n\n'
        '{"sku":"SET","components":{"MUG":2,"BOX:S":1}}\n{"sku":"BOX:S","packs":null,"tags":""}\n'
    )
    assert list(read_skus(path)) == [MUG, SET, BOX]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("A,,,,,,,\nA,,,,,,,", "3: sku: 'A' stands in line 2 already: keep one line"),
        (",,Mug,,,,,", "2: sku: is missing"),
        ("A,123,,,,,,", "2: gtin: is no GTIN"),
        ("A,1.23E+12,,,,,,", "2: gtin: is no GTIN"),
        ("A,,,,,CA,,", "2: packs: has a part without a name"),
        ("A,,,,,CA:x,,", "2: packs: 'CA' has no whole number of units"),
        ("A,,,,,CA:0,,", "2: packs: 'CA' has no whole number of units"),
        ("A,,,,,CA:1.5,,", "2: packs: 'CA' has no whole number of units"),
        ("A,,,,,CA:1;CA:2,,", "2: packs: 'CA' is listed twice"),
        ("A,,,,,,B:1,", "2: components: 'B' is no SKU of this file: add a line for it"),
        ("A,,,,,,A:1,", "2: components: 'A' contains itself"),
        ("A,,,,,,B:1,\nB,,,,,,C:1,\nC,,,,,,,", "2: components: 'B' is a kit itself"),
        ("A,,,,,,,shop", "2: aliases: has a part that is not account:SKU"),
        ("A,,,,,,,s:x\nB,,,,,,,s:x", "3: aliases: s:x is an alias of 'A' already"),
        ("A,,,,", "2: has 5 cells where the first line names 8 columns"),
        ('A,,"Mug\nbig,,,,,\n', "2: is no CSV"),
        ('"A\nB",,,,,,,', "2: sku: has unprintable characters"),
    ],
)
def test_each_bad_row_is_named(tmp_path: Path, rows: str, said: str) -> None:
    """One bad row gives one line with its number, its column and the remedy."""
    path = tmp_path / "skus.csv"
    path.write_text(f"{HEADER}\n{rows}\n")
    found = _faults(path)
    assert len(found) == 1, found
    assert said in found[0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("s.csv", b"", "is empty"),
        ("s.csv", b"\n\n", "is empty"),
        ("s.csv", b"SKU;title\nA;B\n", "has no column `sku`"),
        ("s.csv", b"sku,titel\nA,B\n", "1: has an unknown column 'titel': did you mean 'title'?"),
        ("s.csv", b"sku,sku\nA,B\n", "1: names a column twice"),
        ("s.csv", b"sku\nA\nB\xff\n", "3: is not UTF-8 text"),
        ("s.jsonl", b"", "is empty"),
        ("s.jsonl", b"{\n", "1: is no JSON"),
        ("s.jsonl", b"[]\n", "1: is no JSON object"),
        ("s.jsonl", b'{"sku":"A","titel":"B"}\n', "1: has an unknown field 'titel'"),
        ("s.jsonl", b'{"sku":123}\n', "1: sku: is no text: put it in quotes"),
        ("s.jsonl", b'{"sku":"A","packs":{"CA":true}}\n', "1: packs: 'CA' has no whole number"),
        ("s.jsonl", b'{"title":"A"}\n', "1: sku: is missing"),
    ],
)
def test_each_bad_file_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """A file of the wrong form says so, with the line where there is one."""
    path = tmp_path / name
    path.write_bytes(content)
    assert said in "\n".join(_faults(path))


def test_unreadable_files(tmp_path: Path) -> None:
    """A missing file and a folder are faults, not tracebacks."""
    assert "does not exist" in _faults(tmp_path / "none.csv")[0]
    assert "cannot be read" in _faults(tmp_path)[0]


def test_good_rows_come_before_the_faults(tmp_path: Path) -> None:
    """Reading streams: rows before a bad one have been given when the end raises."""
    path = tmp_path / "skus.csv"
    path.write_text("sku,gtin\nA,\nB,bad\nC,\n")
    seen = []
    with pytest.raises(ConfigurationInvalid):
        seen.extend(read_skus(path))
    reader = read_skus(path)
    assert next(reader).sku == "A"


def test_faults_are_bounded(tmp_path: Path) -> None:
    """A file that is wrong throughout names a hundred faults and counts the rest."""
    path = tmp_path / "skus.csv"
    path.write_text("sku,gtin\n" + "".join(f"S{n},x\n" for n in range(1000)))
    found = _faults(path)
    assert len(found) == 101
    assert any("has 900 more faults" in line for line in found)


def test_memory_stays_small(tmp_path: Path) -> None:
    """Twenty thousand rows are read without keeping the rows."""
    path = tmp_path / "skus.csv"
    path.write_text(f"{HEADER}\n" + "".join(f"S{n},,{'t' * 200},B,t,CA:2,,a:X{n}\n" for n in range(20_000)))
    tracemalloc.start()
    assert sum(1 for _ in read_skus(path)) == 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 14_000_000


def test_digest_follows_the_bytes(tmp_path: Path) -> None:
    """Equal bytes give an equal digest, other bytes another."""
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    one.write_text("sku\nA\n")
    two.write_text("sku\nA\n")
    assert skus_digest(one) == skus_digest(two)
    two.write_text("sku\nB\n")
    assert skus_digest(one) != skus_digest(two)
