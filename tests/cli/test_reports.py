"""``-o`` given several times, and ``--report``: pages, sheets and rows, named by their endings."""

import csv
import html
import os
import re
import shlex
import sys

import pytest
import typer
from PIL import Image

from imgbatch.cli.repeating import command_line
from tests.test_collection import run_python

DEALT = ("--batch-size", 6, "--seed", 4)


@pytest.fixture
def ask(cli, indexed):
    """Run a command on the shared folder of photos and its index."""

    def run(mode, *arguments, **options):
        return cli(mode, indexed.folder, "--index", indexed.index, *arguments, **options)

    return run


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def command_of(page):
    """The words of the command that a page shows."""
    line = re.search(r'<pre class="command"><code>(.*?)</code>', page, re.DOTALL)[1]
    return shlex.split(html.unescape(line))


# ----- similar and different ----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_each_ending_gets_its_file_and_no_default_sheet_is_made(ask, mode):
    names = ("new/a.html", "a.png", "b.jpg", "a.csv")
    given = [word for name in names for word in ("-o", name)]
    answer = ask(mode, "-n", 4, "--seed", 7, "--json", *given)
    assert (answer.code, answer.err) == (0, "")
    document = answer.json
    assert document["sheet"] == os.path.abspath("a.png")
    assert [file["kind"] for file in document["files"]] == ["page", "sheet", "sheet", "rows"]
    assert [file["path"] for file in document["files"]] == [os.path.abspath(one) for one in names]
    for file in document["files"]:
        assert file["size_bytes"] == os.path.getsize(file["path"])
        assert (file["shown"], file["images"]) == (4, 4)
    assert "imgbatch-out" not in os.listdir()
    assert read("new/a.html").count("<img ") == 4
    with Image.open("b.jpg") as sheet:
        assert sheet.format == "JPEG"


def test_a_page_alone_makes_no_sheet_and_the_table_tells_its_size(ask):
    answer = ask("similar", "-n", 4, "--seed", 7, "-o", "a.html")
    assert re.search(r"^ +page  \S+/a\.html, \d+ kB, 4 images$", answer.out, re.MULTILINE)
    assert "sheet" not in answer.out
    assert ask("similar", "-n", 4, "-o", "a.html", "--json").json["sheet"] is None
    assert os.listdir() == ["a.html"]


def test_a_page_shows_as_many_images_as_the_settings_allow(ask):
    with open("mine.toml", "w", encoding="utf-8") as file:
        file.write("[imgbatch]\nconfig_version = 1\n[page]\nimages = 5\nsize_px = 32\n")
    answer = ask("different", "-n", 9, "-o", "a.html", "--config", "mine.toml")
    assert ", 5 of 9 images\n" in answer.out
    widths = re.findall(r'<img [^>]*width="(\d+)" height="(\d+)"', read("a.html"))
    assert len(widths) == 5
    assert all(max(int(width), int(height)) == 32 for width, height in widths)


def test_no_sheet_leaves_pages_and_rows_alone(ask):
    answer = ask("similar", "--no-sheet", "-o", "a.html", "-o", "a.csv")
    assert (answer.code, answer.err) == (0, "")
    answer = ask("similar", "--no-sheet", "-o", "a.html", "-o", "a.png")
    assert "--no-sheet" in answer.err
    assert sorted(os.listdir()) == ["a.csv", "a.html"]


def test_rows_say_what_the_document_says(ask):
    document = ask("similar", "-n", 5, "--seed", 7, "--json", "-o", "a.csv").json
    with open("a.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    for row, image in zip(rows, document["images"], strict=True):
        for name in ("rank", "score", "label", "width", "height", "note"):
            assert row[name] == str(image[name])
        assert row["path"] == image["relative"]
        assert row["anchor"] == str(int(image["anchor"]))
        shares = {name: row[f"share_{name}"] for name in image["why"]}
        assert shares == {name: str(share) for name, share in image["why"].items()}
    assert rows[0]["share_hog"] == ""  # the anchor's distance is 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs names of any bytes")
def test_names_stand_in_rows_byte_by_byte_and_on_pages_as_escapes(cli, photos):
    odd = os.fsdecode(b'caf\xe9,"<b>\n.jpg')
    os.rename(photos / "image000.jpg", photos / odd)
    answer = cli("similar", photos, "-n", 12, "-o", "a.csv", "-o", "a.html")
    assert answer.code == 0
    with open("a.csv", encoding="utf-8", errors="surrogateescape", newline="") as file:
        assert odd in [row["path"] for row in csv.DictReader(file)]
    assert 'alt="caf\\xe9,&#34;&lt;b&gt;\\n.jpg"' in read("a.html")


@pytest.mark.parametrize(("given", "words"), [
    (("-o", "a.bmp"), (".bmp", ".html", ".png", ".csv")), (("-o", "a"), ("none", ".html")),
    (("-o", "a.html", "-o", "a.htm"), (".htm", ".html")),
    (("-o", "a.html", "-o", "./a.html"), ("twice",)),
], ids=str)  # fmt: skip
def test_what_cannot_be_written_is_refused_before_the_work(ask, monkeypatch, given, words):
    monkeypatch.setattr("imgbatch.loading.load", lambda *_: pytest.fail("work was done"))
    ask("similar", *given).assert_one_clear_line(2, *words)


def test_one_file_that_cannot_be_written_costs_neither_the_answer_nor_the_others(ask, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jinja2.Template.generate", full)
    answer = ask("similar", "-n", 3, "--json", "-o", "a.html", "-o", "a.csv")
    assert [file["kind"] for file in answer.json["files"]] == ["rows"]
    assert answer.err.startswith("error: cannot write ")
    assert answer.code == 1
    assert os.listdir() == ["a.csv"]


def test_the_command_on_a_page_gives_the_page_again(cli, indexed):
    index = ("--index", indexed.index)
    anchor = indexed.folder / indexed.names[3]
    asked = (
        ("similar", indexed.folder, *index, "-n", 4, "-o", "a.html"),
        ("similar", indexed.folder, *index, "-n", 4, "--like", anchor, "-o", "a.html", "--json"),
        ("different", indexed.folder, *index, "--emphasis", "color", "--keep-duplicates", "-o", "a.html"),
        ("batches", indexed.folder, *index, "--batch-size", 5, "--drop-last", "--report", "a.html"),
        ("evaluate", indexed.folder, *index, "--sets", 3, "-n", 4, "--report", "a.html"),
    )  # fmt: skip
    for arguments in asked:
        assert cli(*arguments).code == 0
        page = read("a.html")
        name, *words = command_of(page)
        assert name == "imgbatch"
        assert not {"-o", "--output", "--report", "--json"} & set(words)
        option = "--report" if words[0] in {"batches", "evaluate"} else "-o"
        assert cli(*words, option, "b.html").code == 0
        assert read("b.html") == page


def test_a_command_line_shows_what_it_is_told_to_show():
    app, lines = typer.Typer(), []

    @app.command()
    def similar(context: typer.Context, n: int = 10, database: str = "", like: str = "") -> None:
        lines.append(command_line(context, database="postgresql://me@host/db", seed=7))

    app(["--like", "a b.jpg", "--database", "postgresql://me:secret@host/db"], standalone_mode=False,
        prog_name="imgbatch")  # fmt: skip
    assert lines[0].endswith("--database postgresql://me@host/db --like 'a b.jpg'")
    assert "secret" not in lines[0]


@pytest.mark.parametrize(("given", "expected"), [((), False), (("-o", "a.html"), True)])
def test_templates_are_imported_for_pages_alone(indexed, given, expected):
    arguments = ["similar", str(indexed.folder), "--index", str(indexed.index), "-n", "3", *given]
    code = f"""
import sys
sys.argv = ["imgbatch", *{arguments!r}]
from imgbatch.cli.app import main
try:
    main()
except SystemExit as end:
    assert not end.code
print([name in sys.modules for name in ("jinja2", "imgbatch.outputs.pages")])
"""
    assert run_python(code).splitlines()[-1] == str([expected, expected])


# ----- batches and evaluate -----------------------------------------------------------------------


def test_the_report_of_batches_shows_them_beside_random_ones(ask):
    answer = ask("batches", *DEALT, "--report", "a.html", "--json")
    assert answer.json["report"] == os.path.abspath("a.html")
    page = read("a.html")
    assert page.count("<img ") == 2 * 4 * 6
    assert page.count(">Batch 1<") == 2
    for words in ("Diverse", "Random", "variance of batch means, leading components"):
        assert words in page
    assert ask("batches", *DEALT, "--json").json["report"] is None
    assert " page  " in ask("batches", *DEALT, "--report", "a.html").out


@pytest.mark.parametrize("batch_size", [1, 5, 24, 100])
def test_batches_of_any_size_have_a_report(ask, batch_size):
    answer = ask("batches", "--batch-size", batch_size, "--report", "a.html")
    assert answer.code == 0
    assert 2 <= read("a.html").count("<img ") <= 200


def test_the_report_of_an_evaluation_holds_every_figure_and_every_class(ask):
    answer = ask("evaluate", "--sets", 5, "-n", 4, "--report", "a.html", "--json")
    document, page = answer.json, read("a.html")
    assert document["report"] == os.path.abspath("a.html")
    assert page.count('<th scope="row">') == len(document["figures"]) + 3
    for figure in document["figures"]:
        assert html.escape(figure["definition"], quote=False).replace("'", "&#39;") in page
    assert [one["label"] for one in document["by_class"]] == ["class0", "class1", "class2"]
    mean = sum(one["precision_at_10"] * one["queries"] for one in document["by_class"]) / 24
    by_name = {figure["name"]: figure["value"] for figure in document["figures"]}
    assert mean == pytest.approx(by_name["precision_at_10"])
    shown = ask("evaluate", "--sets", 5, "-n", 4, "--report", "a.html").out
    assert re.search(r" page  \S+/a\.html, \d+ kB", shown)


def test_an_evaluation_without_classes_has_a_report_too(cli, photos):
    answer = cli("evaluate", photos, "--sets", 3, "-n", 4, "--report", "a.html", "--json")
    assert answer.json["by_class"] == []
    assert "Classes" not in read("a.html")


@pytest.mark.parametrize("mode", ["batches", "evaluate"])
@pytest.mark.parametrize(("name", "code", "words"), [
    ("a.pdf", 2, ("--report", ".pdf", ".html")), ("a", 2, ("--report", "none")),
    ("{folder}/a.html", 2, ("--report",)), ("{file}/a.html", 1, ("cannot write",)),
])  # fmt: skip
def test_a_report_that_cannot_be_is_refused_before_the_work(
    ask, indexed, tmp_path, monkeypatch, mode, name, code, words
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr("imgbatch.loading.load", lambda *_: pytest.fail("work was done"))
    target = name.format(folder=indexed.folder, file=tmp_path / "file")
    more = ("--batch-size", 4) if mode == "batches" else ()
    ask(mode, *more, "--report", target).assert_one_clear_line(code, *words)


def test_a_report_that_cannot_be_written_costs_no_figures(ask, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jinja2.Template.generate", full)
    for arguments in (("batches", *DEALT), ("evaluate", "--sets", 3, "-n", 4)):
        answer = ask(*arguments, "--report", "a.html", "--json")
        assert answer.json["figures"]
        assert answer.json["report"] is None
        assert answer.err.startswith("error: cannot write ")
        assert answer.code == 1
