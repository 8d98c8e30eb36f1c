"""How tables of rows are read: what people export from spreadsheets, and what is wrong with it."""

import csv
import io

import pytest

from workers.cli.request_files import Unreadable
from workers.cli.rows import Row, rows, table


def wrong(name, raw):
    with pytest.raises(Unreadable) as caught:
        rows(name, raw)
    return caught.value.lines


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_of_the_header_is_that_of_the_table(delimiter):
    raw = f"\ufeffname{delimiter}city\r\nAnn{delimiter}Oslo\r\n".encode()
    assert rows("p.csv", raw) == [Row("p.csv row 2", {"name": "Ann", "city": "Oslo"})]


def test_cells_may_hold_delimiters_quotes_and_line_breaks_and_rows_are_counted_as_a_spreadsheet_does():
    raw = b'name,text\n"Li, Bo","says ""hi""\nand goes"\n\n"Eve",x\n'
    assert rows("p.csv", raw) == [
        Row("p.csv row 2", {"name": "Li, Bo", "text": 'says "hi"\nand goes'}),
        Row("p.csv row 4", {"name": "Eve", "text": "x"}),
    ]


def test_json_lines_keep_their_types():
    assert rows("p.jsonl", b'{"n": 1}\n\n{"n": true}\n') == [
        Row("p.jsonl row 1", {"n": 1}),
        Row("p.jsonl row 3", {"n": True}),
    ]


@pytest.mark.parametrize(
    ("name", "raw", "lines"),
    [
        ("p.csv", b"", ["p.csv: has no rows"]),
        ("p.csv", b"name\n", ["p.csv: has no rows"]),
        ("p.csv", b"\xff\xfea", ["p.csv: is not UTF-8 (byte 0); save it as CSV UTF-8"]),
        ("p.csv", b"a,b\n1\n", ["p.csv row 2: has 1 cells, the header has 2 columns"]),
        ("p.csv", b"a,b\n1,2,3\n", ["p.csv row 2: has 3 cells, the header has 2 columns"]),
        ("p.csv", b"a,,a\n1,2,3\n", ["p.csv row 1: column 2 has no name", "p.csv row 1 column a: stands there twice"]),
        ("p.csv", b'a\n"open\n', ["p.csv: is not CSV: unexpected end of data"]),
        ("p.jsonl", b'[1]\n{"a"\n', ["p.jsonl row 1: must be an object", "p.jsonl row 2: is not JSON"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_row_and_column(name, raw, lines):
    assert wrong(name, raw) == lines


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-5 %", "@SUM(A1)", "\t=1", "'=1+1", "''-x", "'quoted'", "5-1"])
def test_no_cell_that_is_written_is_a_formula_and_all_are_read_back(text):
    written = table(["name", "text"], ["x", text])
    cell = next(csv.reader(io.StringIO(written.partition("\n")[2], newline="")))[1]
    assert cell[0] not in "=+-@\t\r"
    assert rows("p.csv", written.encode())[0].values["text"] == text
