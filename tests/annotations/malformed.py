"""Malformed metadata files, and what is said to each.

`python -m tests.annotations.malformed` prints the table of docs/METADATA.md.
"""

import sys
import tempfile
from pathlib import Path

from imgbatch.annotations.misfits import Misfit
from imgbatch.errors import ImgbatchError
from tests.annotations.tables import metadata_of

REFUSED = {
    "no header.csv": (b"", "has the columns none"),
    "other columns.csv": (b"id,kind\n1,cat\n", "has the columns id, kind, and none is called file_name"),
    "nothing said.csv": (b"file_name,width\na/1.jpg,8\n", "columns file_name, width, and says nothing"),
    "two label columns.csv": (b"file_name,label,Label\na/1.jpg,cat,dog\n", "has 2 columns called label"),
    "header alone.csv": (b"file_name,label\n", "names none of the 5 images"),
    "empty cells.csv": (b"file_name,label\na/1.jpg,\n", "says nothing of the 1 images that it names"),
    "foreign.csv": (b"file_name,label\nx/1.jpg,cat\n", r"names none .* \(its first path: x/1.jpg\)"),
    "two labels.csv": (b"path,label\na/1.jpg,cat\na/1.jpg,dog\n", "line 3: a/1.jpg is 'dog' here, but 'cat' above"),
    "open quote.csv": (b'path,label\na/1.jpg,"cat\na/2.jpg,dog\n', "line 2: a quote is never closed"),
    "open quote in header.csv": (b'path,"label\na/1.jpg,cat\n', "line 1: a quote is never closed"),
    "text after quote.csv": (b'path,label\n"a/1.jpg"x,cat\n', "line 2: .*expected after"),
    "open quote.tsv": (b'path\tlabel\na/1.jpg\t"cat\n', "line 2: a quote is never closed"),
    "semicolons.csv": (b"file_name;label\na/1.jpg;cat\n", "has the columns file_name;label"),
    "utf-16.csv": ("file_name,label\na/1.jpg,cat\n".encode("utf-16"), "it is UTF-16"),
    "image.csv": (b"\xff\xd8\xff\xe0\0\x10JFIF" * 50, "has the columns "),
    "long line.csv": (b"path,label\na/1.jpg," + b"x" * 200_000 + b"\n", "line 2: a cell has more than [0-9,]+ characters"),
    "endless line.jsonl": (b'{"path": "' + b"x" * (1 << 24), "line 1 is too long"),
    "cut off.jsonl": (b'{"file_name": "a/1.jpg", "label": "cat"}\n{"file_name": "a/2', "line 2: Unterminated"),
    "no json.jsonl": (b"file_name,label\na/1.jpg,cat\n", "line 1: Expecting value"),
    "array.jsonl": (b'["a/1.jpg", "cat"]\n', "line 1 is no object"),
    "no name.jsonl": (b'{"label": "cat"}\n', "has the columns label, and none is called"),
    "nested.jsonl": (b'{"file_name": ' + b"[" * 100_000, "line 1: "),
    "huge number.jsonl": (b'{"file_name": "a/1.jpg", "label": ' + b"1" * 9999 + b"}", "line 1: .*huge number"),
    "empty.jsonl": (b"", "names none of the 5 images"),
    "no json.json": (b"{", "it is no JSON"),
    "list.json": (b'[{"file_name": "a/1.jpg"}]', "it holds list, no COCO captions"),
    "other keys.json": (b'{"a/1.jpg": "cat"}', "it holds a/1.jpg, no COCO captions"),
    "boxes.json": (b'{"images": [], "annotations": [{"image_id": 1, "bbox": []}]}', "none of its annotations has a caption"),
    "no images.json": (b'{"images": [], "annotations": []}', "names none of the 5 images"),
    "other case.csv": (b"path,label\nA/1.JPG,cat\n", "names none of the 5 images"),
    "control in quote.tsv": (b'path\tlabel\n"a/1.jpg"\x1b\tcat\n', r"line 2: '\\t' expected after"),
    "no parquet.parquet": (b"file_name,label\na/1.jpg,cat\n", "cannot be read: .*[Pp]arquet"),
    "cut off.parquet": (b"PAR1\x15\x04\x15", "cannot be read: "),
    "empty.parquet": (b"", "cannot be read: .*size is 0"),
}  # fmt: skip
"""Files that are refused when they are given by hand, with what is said."""
NOTED = {
    "gone.csv": (b"path,label\na/1.jpg,cat\ngone.jpg,dog\n", Misfit.NO_IMAGE, "line 3", "gone.jpg"),
    "upper case.csv": (b"path,label\na/1.jpg,cat\nA/2.JPG,dog\n", Misfit.OTHER_SPELLING, "line 3", "A/2.JPG"),
    "decomposed.csv": ("path,label\na/1.jpg,cat\nu\u0308.jpg,dog\n".encode(), Misfit.OTHER_SPELLING, "line 3", "u\u0308.jpg"),
    "outside.csv": (b"path,label\na/1.jpg,cat\n../x/1.jpg,dog\n", Misfit.OUTSIDE, "line 3", "../x/1.jpg"),
    "absolute.csv": (b"path,label\na/1.jpg,cat\n/etc/passwd,dog\n", Misfit.OUTSIDE, "line 3", "/etc/passwd"),
    "no name.csv": (b"path,label\na/1.jpg,cat\n ,dog\n", Misfit.NO_NAME, "line 3", ""),
    "nul in name.csv": (b"path,label\na/1.jpg,cat\na\0b.jpg,dog\n", Misfit.NO_IMAGE, "line 3", "a\\x00b.jpg"),
    "no row.csv": (b"path,label\na/1.jpg,cat\n", Misfit.NO_ROW, "", "a/2.jpg"),
    "doubled.csv": (b"path,text\na/1.jpg,x\na/2.jpg,x\na/1.jpg,x\n", Misfit.DOUBLED, "line 4", ""),
    "too short.csv": (b"path,label,text\na/1.jpg,cat\n", Misfit.TOO_SHORT, "line 2", "a/1.jpg"),
    "too long.csv": (b"path,text\na/1.jpg,x\na/2.jpg,one, two\n", Misfit.TOO_LONG, "line 3", "a/2.jpg"),
    "latin-1.csv": (b"path,text\na/1.jpg,caf\xe9\n", Misfit.NOT_TEXT, "line 2", "a/1.jpg"),
    "nul.csv": (b"path,text\na/1.jpg,x\0y\n", Misfit.NOT_TEXT, "line 2", "a/1.jpg"),
    "surrogate.jsonl": (b'{"path": "a/1.jpg", "text": "\\ud800"}\n', Misfit.NOT_TEXT, "line 1", "a/1.jpg"),
    "bom.csv": (b"\xef\xbb\xbfpath,label\na/1.jpg,cat\n", Misfit.BYTE_ORDER_MARK, "line 1", ""),
    "bom.json": (b'\xef\xbb\xbf{"images": [{"id": 1, "file_name": "a/1.jpg"}], "annotations": [{"image_id": 1, "caption": "x"}]}', Misfit.BYTE_ORDER_MARK, "line 1", ""),
    "two splits.csv": (b"path,split\na/1.jpg,test\na/1.jpg,train\n", Misfit.TWO_VALUES, "line 3", "train, above test"),
    "object.jsonl": (b'{"path": "a/1.jpg", "label": {"a": 1}, "text": "x"}\n', Misfit.WRONG_TYPE, "line 1", "labels: dict"),
    "list as label.jsonl": (b'{"path": "a/1.jpg", "label": ["a"], "text": "x"}\n', Misfit.WRONG_TYPE, "line 1", "labels: list"),
    "number as name.jsonl": (b'{"path": "a/1.jpg", "text": "x"}\n{"path": 7, "text": "x"}\n', Misfit.NO_NAME, "line 2", ""),
    "name left out.jsonl": (b'{"path": "a/1.jpg", "text": "x"}\n{"text": "x"}\n', Misfit.NO_NAME, "line 2", ""),
    "unknown id.json": (b'{"images": [{"id": 1, "file_name": "a/1.jpg"}], "annotations": [{"image_id": 1, "caption": "x"}, {"image_id": 2, "caption": "y"}]}', Misfit.NO_NAME, "annotation 2", ""),
    "strange.json": (b'{"images": [7, {"id": [1], "file_name": "a/1.jpg"}], "annotations": [null, {"image_id": [1], "caption": "x"}]}', Misfit.NO_NAME, "annotation 1", ""),
}  # fmt: skip
"""Files that are read all the same, with what is counted and listed."""


def said(name: str, data: bytes) -> str:
    """What the program says to a file that is given by hand."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / name
        file.write_bytes(data)
        metadata = metadata_of(Path(place), file)
        try:
            metadata.read_files()
        except ImgbatchError as error:
            answer = f"error: {error.message}; {error.hint}"
        else:
            answer = "note: " + metadata.notes[-1].removeprefix("metadata: ")
    return answer.replace(f"{place}/", "").replace(place, "photos").replace("|", "\\|")


def main() -> None:
    """Print a row for each file."""
    sys.stdout.write("| file | begins with | what is said |\n| --- | --- | --- |\n")
    for name, (data, *_) in (REFUSED | NOTED).items():
        shown = repr(data[:48])[2:-1].replace("|", "\\|") + "..." * (len(data) > 48)
        sys.stdout.write(f"| {name} | `{shown or ' '}` | {said(name, data)} |\n")


if __name__ == "__main__":
    main()
