"""Plan files: what is written is read back, in three formats; what is no plan is refused."""

import builtins
import csv
import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.batches.plan_files import check_plan_path, read_plan, write_plan, write_plan_folder
from imgbatch.batches.plan_formats import PLAN_FORMATS
from imgbatch.batches.plans import PlanHeader, PlannedBatch
from imgbatch.errors import ImgbatchError, UsageError

HEADER = PlanHeader(seed=7, batch_size=2, folder="/photos/\udcff", version="0.1.0")
EPOCHS = ((("a/1.jpg", "b.png"), ("c.jpg",)), (("c.jpg", "a/1.jpg"), ("b.png",)))


def formats():
    for ending in PLAN_FORMATS:
        if ending == ".parquet":
            pytest.importorskip("pyarrow", reason="needs pyarrow")
        yield ending


def batches(epochs):
    return [
        PlannedBatch(e, b, paths) for e, dealt in enumerate(epochs) for b, paths in enumerate(dealt)
    ]


@pytest.fixture(params=list(PLAN_FORMATS))
def ending(request):
    if request.param == ".parquet":
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    return request.param


def test_a_plan_is_read_back_as_it_was_written(tmp_path, ending):
    target = tmp_path / f"plan{ending}"
    write_plan(target, HEADER, iter(batches(EPOCHS)))
    plan = read_plan(target)
    assert plan.header == HEADER
    assert plan.epochs == EPOCHS
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


names = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1)
hostile = st.one_of(
    names, st.binary(min_size=1).map(os.fsdecode).filter(lambda name: "\0" not in name)
)


@settings(deadline=None, max_examples=60)
@given(paths=st.lists(hostile, min_size=1, max_size=6, unique=True), which=st.integers(0, 2))
def test_any_name_survives(tmp_path_factory, paths, which):
    ending = list(formats())[which]
    target = tmp_path_factory.mktemp("plan") / f"plan{ending}"
    write_plan(target, HEADER, batches([[(path,) for path in paths[:1]]]))
    assert read_plan(target).epochs == (((paths[0],),),)
    wide = PlanHeader(1, len(paths), ".", "0")
    write_plan(target, wide, batches([[tuple(paths)]]))
    assert read_plan(target).epochs == ((tuple(paths),),)


def test_jsonl_is_a_json_object_a_line_for_each_batch(tmp_path):
    write_plan(tmp_path / "plan.jsonl", HEADER, batches(EPOCHS))
    lines = (tmp_path / "plan.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["epoch"], row["batch"], row["paths"]) for row in rows] == [
        (0, 0, ["a/1.jpg", "b.png"]),
        (0, 1, ["c.jpg"]),
        (1, 0, ["c.jpg", "a/1.jpg"]),
        (1, 1, ["b.png"]),
    ]
    assert {row["seed"] for row in rows} == {7}


def test_csv_is_a_line_for_each_batch_with_paths_as_json(tmp_path):
    write_plan(tmp_path / "plan.csv", HEADER, batches(EPOCHS))
    with open(tmp_path / "plan.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "0", "1", "1"]
    assert json.loads(rows[2]["paths"]) == ["c.jpg", "a/1.jpg"]


def test_no_cell_of_a_plan_as_csv_begins_like_a_formula(tmp_path):
    header = PlanHeader(seed=7, batch_size=2, folder="=folder", version="0.1.0")
    write_plan(tmp_path / "plan.csv", header, [PlannedBatch(0, 0, ("=1+1.jpg", "@b.png"))])
    with (tmp_path / "plan.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert read_plan(tmp_path / "plan.csv").epochs == ((("=1+1.jpg", "@b.png"),),)


def test_parquet_holds_text_unless_a_name_is_none(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    target = tmp_path / "plan.parquet"
    write_plan(target, HEADER, batches(EPOCHS))
    assert pq.read_table(target)["paths"].to_pylist()[1] == ["c.jpg"]
    write_plan(target, HEADER, batches([[("\udcff.jpg",)]]))
    assert pq.read_table(target)["paths"].to_pylist() == [[b"\xff.jpg"]]


def test_a_failing_deal_leaves_the_old_plan(tmp_path, ending):
    target = tmp_path / f"plan{ending}"
    write_plan(target, HEADER, batches(EPOCHS))

    def broken():
        yield from batches(EPOCHS)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_plan(target, HEADER, broken())
    assert read_plan(target).epochs == EPOCHS
    assert len(list(tmp_path.iterdir())) == 1


def test_an_unknown_ending_is_refused(tmp_path):
    for name in ("plan.txt", "plan"):
        with pytest.raises(UsageError, match=r"\.jsonl, \.csv, \.parquet"):
            write_plan(tmp_path / name, HEADER, [])
        with pytest.raises(UsageError):
            read_plan(tmp_path / name)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"pip install 'imgbatch\[parquet\]'"):
        check_plan_path(tmp_path / "plan.parquet")
    with pytest.raises(UsageError, match=r"pip install 'imgbatch\[parquet\]'"):
        write_plan(tmp_path / "plan.parquet", HEADER, [])
    for ending in (".jsonl", ".csv"):
        check_plan_path(tmp_path / f"plan{ending}")


GOOD = {
    "epoch": 0,
    "batch": 0,
    "paths": ["a", "b"],
    "seed": 1,
    "batch_size": 2,
    "folder": ".",
    "version": "0",
}


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([], "no batch"),
        ([{k: v for k, v in GOOD.items() if k != "paths"}], "paths"),
        ([{k: v for k, v in GOOD.items() if k != "seed"}], "seed"),
        ([GOOD | {"epoch": 1}], "order"),
        ([GOOD, GOOD], "order"),
        ([GOOD, GOOD | {"batch": 1}], "twice"),
        ([GOOD, GOOD | {"epoch": 1, "seed": 2}], "header"),
        ([GOOD | {"paths": []}], "full ones"),
        ([GOOD | {"paths": ["a", "b", "c"]}], "full ones"),
        ([GOOD | {"paths": ["a"]}, GOOD | {"batch": 1, "paths": ["b"]}], "full ones"),
        ([[1, 2]], "no JSON object"),
        ([GOOD | {"epoch": "x"}], "x"),
        ([GOOD | {"paths": 3}], "not a list of names"),
    ],
)  # fmt: skip
def test_lines_that_are_no_plan_are_refused(tmp_path, rows, word):
    target = tmp_path / "plan.jsonl"
    target.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    with pytest.raises(ImgbatchError, match=word) as caught:
        read_plan(target)
    assert str(target) in caught.value.message


def test_files_that_are_no_plan_are_refused(tmp_path, ending):
    target = tmp_path / f"plan{ending}"
    with pytest.raises(ImgbatchError, match="No such file"):
        read_plan(target)
    for content in (b"", b"\xff\x00\xfe", b"a,b\n1,2\n", b"{"):
        target.write_bytes(content)
        with pytest.raises(ImgbatchError, match="cannot be used"):
            read_plan(target)


@pytest.mark.skipif(os.name != "posix", reason="needs pipes")
def test_a_pipe_is_no_plan_and_nobody_waits_for_its_writer(tmp_path, ending):
    os.mkfifo(target := tmp_path / f"plan{ending}")
    with pytest.raises(ImgbatchError, match=r"cannot be used: .*not a regular file"):
        read_plan(target)


@pytest.mark.skipif(os.name != "posix", reason="needs pipes")
def test_a_folder_with_a_pipe_for_its_contents_is_no_plan(tmp_path):
    os.mkfifo(tmp_path / "plan.json")
    with pytest.raises(ImgbatchError, match=r"cannot be used: .*not a regular file"):
        read_plan(tmp_path)
    with pytest.raises(ImgbatchError, match="holds other files"):
        write_plan_folder(tmp_path, HEADER, in_chunks(EPOCHS, 1))


def in_chunks(epochs, size):
    """The batches of whole epochs in chunks of `size` batches, none of two epochs."""
    for epoch in range(len(epochs)):
        dealt = [batch for batch in batches(epochs) if batch.epoch == epoch]
        yield from (dealt[start : start + size] for start in range(0, len(dealt), size))


@settings(deadline=None, max_examples=30)
@given(
    paths=st.lists(hostile, min_size=1, max_size=12, unique=True),
    wide=st.integers(1, 4),
    size=st.integers(1, 3),
)
def test_a_plan_as_a_folder_is_read_back_as_it_was_written(tmp_path_factory, paths, wide, size):
    dealt = tuple(tuple(paths[at : at + wide]) for at in range(0, len(paths), wide))
    header = PlanHeader(3, wide, "/photos", "0")
    target = tmp_path_factory.mktemp("plan") / "plan"
    write_plan_folder(target, header, in_chunks((dealt, dealt), size))
    plan = read_plan(target)
    assert plan.header == header
    assert plan.epochs == (dealt, dealt)
    assert len(list(target.glob("*.jsonl"))) == 2 * -(-len(dealt) // size)
    assert [path.name for path in target.parent.iterdir()] == ["plan"]


def test_a_folder_of_a_plan_is_replaced_when_the_new_one_is_complete(tmp_path):
    target = tmp_path / "plan"
    target.mkdir()
    write_plan_folder(target, HEADER, in_chunks(EPOCHS, 1))

    def broken():
        yield from in_chunks(EPOCHS[::-1], 2)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_plan_folder(target, HEADER, broken())
    assert read_plan(target).epochs == EPOCHS
    write_plan_folder(target, HEADER, in_chunks(EPOCHS[::-1], 2))
    assert read_plan(target).epochs == EPOCHS[::-1]
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]
    assert len(list(target.iterdir())) == 3


def test_a_folder_of_other_files_is_never_replaced(tmp_path):
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "mine.txt").write_text("mine")
    with pytest.raises(ImgbatchError, match="holds other files"):
        write_plan_folder(tmp_path / "plan", HEADER, in_chunks(EPOCHS, 1))
    assert (tmp_path / "plan" / "mine.txt").read_text() == "mine"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ImgbatchError, match="holds other files"):
        write_plan_folder(tmp_path / "file", HEADER, in_chunks(EPOCHS, 1))


@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_file_beside_a_plan_keeps_its_folder_from_being_replaced(tmp_path, meanwhile):
    target = tmp_path / "plan"
    write_plan_folder(target, HEADER, in_chunks(EPOCHS, 1))

    def chunks():
        (target / "model.ckpt").write_text("mine")
        yield from in_chunks(EPOCHS[::-1], 1)

    made = chunks() if meanwhile else [*chunks()]
    with pytest.raises(ImgbatchError, match="holds other files"):
        write_plan_folder(target, HEADER, made)
    assert (target / "model.ckpt").read_text() == "mine"
    assert read_plan(target).epochs == EPOCHS
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_another_programs_plan_is_never_replaced(tmp_path):
    (tmp_path / "plan.json").write_text('{"files": []}')
    with pytest.raises(ImgbatchError, match="holds other files"):
        write_plan_folder(tmp_path, HEADER, in_chunks(EPOCHS, 1))
    assert (tmp_path / "plan.json").read_text() == '{"files": []}'


@pytest.mark.parametrize("damage", ["cut", "gone", "no contents", "other contents"])
def test_a_damaged_folder_of_a_plan_is_refused(tmp_path, damage):
    target = tmp_path / "plan"
    write_plan_folder(target, HEADER, in_chunks(EPOCHS, 1))
    first = sorted(target.glob("*.jsonl"))[1]
    if damage == "cut":
        first.write_text("")
    elif damage == "gone":
        first.unlink()
    elif damage == "no contents":
        (target / "plan.json").unlink()
    else:
        (target / "plan.json").write_text("[1]")
    with pytest.raises(ImgbatchError, match="cannot be used"):
        read_plan(target)
