"""Text files read as a stream: lines, CSV, TSV and JSON lines, of files larger than memory too."""

import bz2
import csv
import gzip
import json
import lzma
import warnings
from functools import partial
from itertools import islice

from tallow.errors import ArgumentError
from tallowtext._files import TextFileError
from tallowtext.data.streams import Stream, shared

__all__ = ["CSVRows", "JSONLines", "Records", "TextLines"]

OPENERS = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


class Records(Stream):
    """The samples that `parse` makes of the records in a file, one after another.

    `split` gives the records of a file opened for reading bytes, as (line, record, problem): the
    number of its last line, and what is wrong with it, or None. `parse` raises ValueError, KeyError
    or IndexError for a bad record, and gives None for one that is no sample. A bad record raises a
    TextFileError with file and line, or for `skip_bad` is left out: `skipped` counts them, and a
    warning says how many they were. Names that end in .gz, .xz and .bz2 are unpacked while reading.
    The workers of a DataLoader share the records.
    """

    def __init__(self, path, split, parse=None, skip_bad=False):
        self.path = path
        self.split = split
        self.parse = parse
        self.skip_bad = skip_bad
        self.skipped = 0

    def __iter__(self):
        self.skipped, first_problem = 0, None
        opener = next((o for end, o in OPENERS.items() if str(self.path).endswith(end)), open)
        with opener(self.path, "rb") as file:
            for line, record, problem in shared(self.split(file)):
                try:
                    if problem:
                        raise ValueError(problem)
                    sample = self.parse(record) if self.parse else record
                except (ValueError, KeyError, IndexError) as error:
                    problem = f"{self.path}, line {line}: {_told(error, record)}"
                    if not self.skip_bad:
                        raise TextFileError(problem) from error
                    self.skipped, first_problem = self.skipped + 1, first_problem or problem
                else:
                    if sample is not None:
                        yield sample
        if self.skipped:
            warnings.warn(
                f"{self.path}: {self.skipped} bad records were skipped, the first: {first_problem}",
                stacklevel=2,
            )


def _told(error, record):
    if isinstance(error, KeyError):
        return f"got {error} in {record!r:.80}"
    if isinstance(error, IndexError):
        return f"expected more columns, got {record!r:.80}"
    return str(error)


def decoded(file, problems):
    """The lines of a file of bytes as text, and in `problems` what is wrong with the last one."""
    for number, line in enumerate(file, 1):
        if line.endswith(b"\r\n"):
            line = line[:-2] + b"\n"
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            problems.append(f"expected UTF-8, got byte 0x{line[error.start]:02x}")
            yield line.decode("utf-8", errors="replace")


def lines(file):
    """The lines of a file, with their ends."""
    problems: list[str] = []
    for number, line in enumerate(decoded(file, problems), 1):
        yield number, line, problems.pop() if problems else None


def rows(header=0, **options):
    """A function from a file to its rows, lists of texts, but for the first `header` lines.

    `options` are those of `csv.reader`.
    """
    return partial(_rows, header, options)


def _rows(header, options, file):
    problems: list[str] = []
    text = decoded(file, problems)
    reader = csv.reader(islice(text, header, None), **options)
    problem = None
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            row, problem = [], str(error)
        yield reader.line_num + header, row, "; ".join(problems) or problem
        problems.clear()
        problem = None


class TextLines(Records):
    """The lines of a text file without their ends, one after another; see `Records`.

    Empty lines are bad records unless `empty` allows them.
    """

    def __init__(self, path, empty=True, skip_bad=False):
        super().__init__(path, lines, self._line, skip_bad)
        self.empty = empty

    def _line(self, line):
        line = line.rstrip("\n")
        if not line and not self.empty:
            raise ValueError("expected text, got an empty line")
        return line


class CSVRows(Records):
    """The rows of a CSV file as dicts by the names of columns, one after another; see `Records`.

    The names are in the first line, or in `names` for a file without. With `columns`, names or
    numbers from 0, a row is the tuple of these. The delimiter is a tab for names that end in .tsv.
    A row with more or fewer columns than there are names is a bad record.

    >>> from pathlib import Path
    >>> _ = Path("pets.csv").write_text("name,legs\\nFelix,4\\nPolly,2\\n")
    >>> from tallowtext.data import CSVRows
    >>> list(CSVRows("pets.csv"))
    [{'name': 'Felix', 'legs': '4'}, {'name': 'Polly', 'legs': '2'}]
    >>> list(CSVRows("pets.csv", columns=["legs"]))
    [('4',), ('2',)]
    """

    def __init__(self, path, columns=None, names=None, delimiter=None, skip_bad=False):
        tabs = str(path).removesuffix(".gz").endswith(".tsv")
        self.delimiter = delimiter or ("\t" if tabs else ",")
        quoting = csv.QUOTE_NONE if self.delimiter == "\t" else csv.QUOTE_MINIMAL
        split = rows(names is None, delimiter=self.delimiter, quoting=quoting)
        super().__init__(path, split, self._row, skip_bad)
        self.names = list(names) if names else self._header(quoting)
        self.columns = columns and [self._place(column) for column in columns]

    def _header(self, quoting):
        split = rows(delimiter=self.delimiter, quoting=quoting)
        header = list(islice(Records(self.path, split), 1))
        if not header:
            raise TextFileError(f"{self.path}: expected names of columns, got an empty file")
        return header[0]

    def _place(self, column):
        if isinstance(column, int) and column < len(self.names):
            return column
        if column not in self.names:
            raise ArgumentError(
                f"CSVRows: expected columns of {self.path}, which has {', '.join(self.names)}; got "
                f"{column!r}"
            )
        return self.names.index(column)

    def _row(self, row):
        if len(row) != len(self.names):
            found = f"{len(row)} columns" if row else "an empty line"
            raise ValueError(f"expected {len(self.names)} columns, got {found}")
        if self.columns is None:
            return dict(zip(self.names, row, strict=True))
        return tuple(row[place] for place in self.columns)


class JSONLines(Records):
    """The objects in a file with one in each line, as JSON, one after another; see `Records`.

    With `fields` an object is the tuple of these, and one without them a bad record.

    >>> from pathlib import Path
    >>> _ = Path("pets.jsonl").write_text('{"name": "Felix", "legs": 4}\\n')
    >>> from tallowtext.data import JSONLines
    >>> list(JSONLines("pets.jsonl", fields=["legs", "name"]))
    [(4, 'Felix')]
    """

    def __init__(self, path, fields=None, skip_bad=False):
        super().__init__(path, lines, self._object, skip_bad)
        self.fields = fields

    def _object(self, line):
        try:
            found = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"expected an object as JSON, got {line.strip()!r:.80}") from error
        if self.fields is None:
            return found
        missing = [field for field in self.fields if field not in found]
        if missing:
            raise ValueError(f"expected the fields {self.fields}, got none of {missing}")
        return tuple(found[field] for field in self.fields)
