"""A plan that someone else wrote, or damaged, is one clear error, never a raw one."""

import contextlib
import json

import pytest

from imgbatch.batches.plan_files import read_plan, write_plan_folder
from imgbatch.batches.plan_formats import PLAN_FORMATS
from imgbatch.batches.plans import PlanHeader, PlannedBatch
from imgbatch.errors import ImgbatchError

LINE = {
    "epoch": 0,
    "batch": 0,
    "paths": ["a.jpg", "b.jpg"],
    "seed": 1,
    "batch_size": 2,
    "folder": "/photos",
    "version": "0.1.0",
}
DAMAGE = {
    "epoch": [float("inf"), float("nan"), 0.9, 0.0, -1, "0", True, None, [0], {}],
    "batch": [float("inf"), 0.5, "0", False, None],
    "seed": [float("inf"), 1.5, "1", None, []],
    "batch_size": [2.5, float("inf"), "2", None, 0, -2, True],
    "folder": [[1], {}, None, 3],
    "version": [[1], None, 3],
    "paths": ["ab", {"a": 1}, {}, [1, 2], [["a"]], None, 7, ["a.jpg", None]],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in DAMAGE.items() for value in values]
)
def test_a_field_of_another_type_is_named(tmp_path, field, value):
    file = tmp_path / "plan.jsonl"
    file.write_text(json.dumps(LINE | {field: value}) + "\n")
    with pytest.raises(ImgbatchError, match=field) as caught:
        read_plan(file)
    assert type(caught.value) is ImgbatchError
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("field", LINE)
def test_a_missing_field_is_named(tmp_path, field):
    file = tmp_path / "plan.jsonl"
    file.write_text(json.dumps({name: value for name, value in LINE.items() if name != field}))
    with pytest.raises(ImgbatchError, match=field):
        read_plan(file)


@pytest.mark.parametrize("depth", [1_000, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_nesting_is_an_unusable_plan(tmp_path, depth, opening):
    file = tmp_path / "plan.jsonl"
    file.write_text(opening * depth + "\n")
    with pytest.raises(ImgbatchError, match="cannot be used"):
        read_plan(file)


@pytest.mark.parametrize(
    "contents",
    ["[1]", '"a"', "1", "null", "{}", '{"files": 3}', '{"files": [1]}', '{"files": [{"name": 3}]}'],
)
def test_a_folder_whose_table_of_contents_is_none_is_an_unusable_plan(tmp_path, contents):
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "plan.json").write_text(contents)
    with pytest.raises(ImgbatchError, match="cannot be used"):
        read_plan(tmp_path / "plan")


def test_a_whole_plan_is_read(tmp_path):
    file = tmp_path / "plan.jsonl"
    file.write_text(json.dumps(LINE) + "\n")
    assert read_plan(file).epochs == ((("a.jpg", "b.jpg"),),)


def test_a_reason_of_several_lines_becomes_one(tmp_path):
    header = PlanHeader(seed=1, batch_size=2, folder="/photos", version="0")
    write_plan_folder(tmp_path / "plan", header, [[PlannedBatch(0, 0, ("a.jpg", "b.jpg"))]])
    contents = tmp_path / "plan" / "plan.json"
    contents.write_text(contents.read_text().replace('"batches": 1', '"batches": "x\\ny"'))
    with pytest.raises(ImgbatchError) as caught:
        read_plan(tmp_path / "plan")
    assert "\n" not in str(caught.value)
    assert "not x y" in str(caught.value)


def test_a_table_of_lines_that_csv_does_not_know_is_an_unusable_plan(tmp_path):
    file = tmp_path / "plan.csv"
    cells = ["0", "0", '"[""a.jpg""]"', "1", "1", '"""/p"""', "0"]
    file.write_bytes((",".join(LINE) + "\r" + ",".join(cells) + "\r").encode())
    with pytest.raises(ImgbatchError, match="cannot be used"):
        read_plan(file)


def test_a_parquet_file_with_any_byte_changed_is_read_or_an_unusable_plan(tmp_path):
    pytest.importorskip("pyarrow")
    file = tmp_path / "plan.parquet"
    batches = [PlannedBatch(0, 0, ("a.jpg", "b.jpg"))]
    header = PlanHeader(seed=1, batch_size=2, folder="/photos", version="0")
    PLAN_FORMATS[".parquet"].write(file, header, batches)
    whole = file.read_bytes()
    for place, byte in enumerate(whole):
        file.write_bytes(whole[:place] + bytes([byte ^ 2]) + whole[place + 1 :])
        with contextlib.suppress(ImgbatchError):
            read_plan(file)
