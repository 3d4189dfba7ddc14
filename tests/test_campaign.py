"""The hostile campaign: every part notices a planted fault, and nothing else."""

import importlib
import random
import sys
import threading
import time
import zlib
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from imgbatch.images.decode import decode
from imgbatch.images.formats import ENDINGS, HEAD_BYTES, HEIF, format_of, reads_heif
from imgbatch.images.quiet import quiet_codecs
from imgbatch.types import DecodeOptions

if not Path("/proc/self/task").is_dir() or find_spec("pyarrow") is None:
    pytest.skip("needs Linux's /proc, and pyarrow", allow_module_level=True)

BENCHMARKS = str(Path(__file__).resolve().parents[1] / "benchmarks")
sys.path.insert(0, BENCHMARKS)
try:
    (answers, base, commands, deeds, disk, imagefiles, images, main,
     plants, processes, registry, report, rot, selfcheck, zygote) = (
        importlib.import_module(f"campaign.{name}")
        for name in ("answers", "base", "commands", "deeds", "disk", "imagefiles", "images",
                     "main", "plants", "processes", "registry", "report", "rot", "selfcheck", "zygote")
    )  # fmt: skip
finally:
    sys.path.remove(BENCHMARKS)

SLOW = {
    "cache",
    "cluster",
    "concurrent",
    "database",
    "disk",
    "interrupts",
    "kills",
    "links",
    "models",
    "moves",
    "worlds",
}


@pytest.fixture
def campaign(tmp_path):
    return base.Campaign(tmp_path / "work")


def test_every_part_has_a_planted_fault():
    assert {plant.part for plant in plants.PLANTS.values()} == set(registry.PARTS)


def test_every_command_is_killed_or_interrupted():
    from typer.main import get_command

    from imgbatch.cli.app import app

    deeds = {" ".join(deed.arguments.split()[:2]) for deed in (*commands.WRITERS, *commands.OTHERS)}
    known = {word for deed in deeds for word in (deed, deed.split()[0])}
    there = {
        f"{name} {inner}" if inner else name
        for name, command in get_command(app).commands.items()
        for inner in getattr(command, "commands", {"": None})
    }
    assert there - known == {"browse"}  # that is the part `page`


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if plant.part in SLOW else ())
        for name, plant in plants.PLANTS.items()
    ],
)
def test_a_planted_fault_is_reported_and_its_neighbours_survive(campaign, name):
    plant = plants.PLANTS[name]
    if plant.part == "database" and None in (find_spec("pgserver"), find_spec("psycopg")):
        pytest.skip("needs pgserver and psycopg")
    campaign.work.mkdir()
    assert selfcheck.missed(campaign, plant) == ""


def test_a_task_that_ends_before_its_number_is_read_is_not_waited_for(campaign, tmp_path):
    campaign.work.mkdir()
    (tmp_path / "home").mkdir()
    with zygote.Zygote(campaign, tmp_path / "home") as runner:
        send = runner._send
        runner._send = lambda request: (send(request), time.sleep(0.5))
        waiting = threading.Thread(
            target=lambda: ended.append(runner.run("builtins:len", [], 9)), daemon=True
        )
        ended = []
        waiting.start()
        waiting.join(20)
        assert [end.code for end in ended] == [0]


def test_a_part_that_notices_nothing_fails_the_self_check(campaign):
    campaign.work.mkdir()
    plant = replace(plants.PLANTS["a plan that raises"], source="", cases=(3,))
    assert selfcheck.missed(campaign, plant).startswith("case 3 must fail")


def test_a_failure_nobody_planted_fails_the_self_check(campaign):
    campaign.work.mkdir()
    plant = replace(plants.PLANTS["a plan that raises"], expected={})
    assert "must survive" in selfcheck.missed(campaign, plant)


# ----- hostile files ------------------------------------------------------------------------------


def test_every_seed_is_a_picture_that_is_read_without_a_note():
    with quiet_codecs():
        noted = [seed.name for seed in images.seeds() if decode(seed.data, DecodeOptions()).note]
    assert noted == []
    assert len(images.seeds()) > 300


def test_there_is_a_seed_of_every_format_that_is_read():
    formats = {format_of(seed.data[:HEAD_BYTES]) for seed in images.seeds()}
    unreadable = set() if reads_heif() else {HEIF}
    assert formats == ENDINGS.keys() - unreadable


def test_files_of_every_room_of_an_index_are_damaged(tmp_path):
    names = (
        "catalogue.sqlite", "image-folder.txt", "basket.json", "thumbnails.sqlite",
        "copies/0123456789abcdef-edited-3.npz", "maps/0123456789abcdef-0-1.npz",
        *(f"{room}/0123456789abcdef/a.npy" for room in ("spaces", "metadata", "words")),
    )  # fmt: skip
    kinds = set()
    for case in range(150):
        for name in names:
            file = tmp_path / str(case) / "photos-1" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(name.encode())
        damaged = rot.damage_one(tmp_path / str(case), tmp_path / "older", random.Random(case))
        kinds.add(rot.room_of(damaged.kind))
    assert kinds == {
        "catalogue", "index", "pages", "copies", "maps", "spaces", "metadata", "words",
    }  # fmt: skip


def test_the_same_seed_and_case_give_the_same_mutant_and_others_another(campaign):
    first = images.hostile_file(campaign, 5)
    assert first == images.hostile_file(replace(campaign, scale=0.1, jobs=2), 5)
    assert first != images.hostile_file(campaign, 6)
    assert first != images.hostile_file(replace(campaign, seed=2), 5)


def test_numbers_and_pieces_are_found_in_a_file_of_every_format():
    for ending in ("jpg", "png", "webp", "gif", "bmp", "tif"):
        seed = next(seed for seed in images.seeds() if seed.name.endswith(ending))
        numbers, pieces = imagefiles.structure(seed.data)
        assert any("width" in one.name or one.name == "value of tag 256" for one in numbers)
        assert pieces or ending == "bmp"
        assert all(one.start + one.size <= len(seed.data) for one in numbers)


def test_a_length_that_lies_is_no_reason_to_find_more_numbers_than_there_are_bytes():
    lie = b"\x89PNG\r\n\x1a\n" + (0xFFFFFFF0).to_bytes(4, "big") + b"acTL" + bytes(20)
    numbers, pieces = imagefiles.structure(lie)
    assert len(numbers) <= 6
    assert pieces == []


def test_checksums_of_a_mutated_png_are_made_right():
    seed = next(seed for seed in images.seeds() if seed.name.startswith("png-rgb-"))
    changed = bytearray(seed.data)
    changed[20] ^= 1
    fixed = imagefiles.with_right_sums(bytes(changed))
    assert fixed[:29] == changed[:29]
    assert fixed[29:33] == zlib.crc32(fixed[12:29]).to_bytes(4, "big")


def test_rot_changes_one_file_or_swaps_two(tmp_path):
    whole = {f"photos-1/{name}": name.encode() * 9 for name in ("catalogue.sqlite", "a.txt", "b/c")}
    for case in range(60):
        index = tmp_path / str(case)
        for name, data in whole.items():
            (index / name).parent.mkdir(parents=True, exist_ok=True)
            (index / name).write_bytes(data)
        damaged = rot.damage_one(index, tmp_path / "older", random.Random(case))
        now = {
            name: (index / name).read_bytes() if (index / name).is_file() else None
            for name in whole
        }
        changed = [name for name in whole if now[name] != whole[name]]
        assert len(changed) <= (2 if "swapped" in damaged.text else 1)
        assert changed or "zeroed" in damaged.text or "noise" in damaged.text, damaged


# ----- judging and telling ------------------------------------------------------------------------


def ended(code, err="", out=""):
    return processes.Ended(code, out, err, 0.0, 0.0)


@pytest.mark.parametrize(
    ("code", "err", "wrong"),
    [
        (2, "error: n is 9; give 1 to 3\n", ""),
        (1, "note: a\nerror: b\n", ""),
        (None, "", "hangs"),
        (-11, "", "dies of signal 11"),
        (1, "Traceback (most recent call last):\nKeyError: 1\n", "a traceback"),
        (1, "", "0 lines of error"),
        (1, "error: a\nerror: b\n", "2 lines of error"),
        (1, "Killed\n", "a line that is no error's"),
        (1, "error: unexpected KeyError: 1; run again\n", "an unexpected KeyError"),
    ],
)
def test_only_one_clear_line_is_a_clear_error(code, err, wrong):
    assert answers.clear_line(ended(code, err)) == wrong


def test_documents_differ_in_all_but_times_and_the_work_done():
    first = answers.document(ended(0, out='{"images": [1], "seconds": 1, "read": 3}'))
    again = answers.document(ended(0, out='{"images": [1], "seconds": 2, "read": 0}'))
    other = answers.document(ended(0, out='{"images": [2], "seconds": 1, "read": 3}'))
    assert answers.difference(again, first) == ""
    assert answers.difference(other, first) == "images is [2], not [1]"
    assert answers.difference(answers.document(ended(0, out="{")), first) == "no document"


@pytest.mark.parametrize(("written", "whole"), [(f"/metadata/{'5' * 24}/list", True), ("", False)])
def test_a_page_may_name_a_list_of_another_state_and_else_is_whole(tmp_path, written, whole):
    (tmp_path / "page.html").write_text(f"a page{written}")
    bench = SimpleNamespace(out=tmp_path)
    bench.outputs = lambda: deeds.Bench.outputs(bench)
    expected = deeds.Expected(None, {"page.html": b"a page/metadata/*/list"}, [], 0.0)
    deed = commands.Deed("a page", "OUT/page.html", "page.html")
    wrong = [kind for kind, _ in disk._wrong_end(ended(0, out="{}"), bench, deed, expected)]
    assert wrong == ([] if whole else ["exit code 0, and an output is not whole"])


def test_the_command_that_an_error_names_is_found():
    line = "error: it is damaged; run `imgbatch cache clean FOLDER` and again\n"
    assert answers.named_command(ended(1, line), "/p") == ["cache", "clean", "/p"]
    assert answers.named_command(ended(1, "error: try again\n"), "/p") is None


def toy(outcomes):
    return base.Part("toy", "does nothing", 100, lambda _campaign, cases: iter(outcomes(cases)))


def failing(cases):
    for case in cases:
        failures = (base.Failure("breaks", f"file {case}", 100 - case),) if case % 2 else ()
        yield base.Outcome(case, failures, memory_mb=case)


def run_main(monkeypatch, part, *arguments):
    monkeypatch.setattr(main, "PARTS", {"toy": part})
    monkeypatch.setattr(main.signal, "signal", lambda *_: None)
    return main.main("about", ["--parts", "toy", *arguments])


def test_the_report_shows_the_smallest_case_of_a_kind_and_how_to_repeat_it(
    monkeypatch, capsys, tmp_path
):
    file = tmp_path / "report.md"
    code = run_main(
        monkeypatch, toy(failing), "--scale", "0.1", "--seed", "7", "--markdown", str(file)
    )
    out = capsys.readouterr().out
    assert code == 1
    assert "toy: breaks, 5 cases" in out
    assert "smallest: file 9" in out
    assert "--seed 7 --scale 0.1 --parts toy --cases 9" in out
    assert "| toy | 10 | 5 | 5 | 9 MB |" in file.read_text()


def test_a_campaign_without_a_failure_ends_with_0(monkeypatch, capsys):
    code = run_main(monkeypatch, toy(failing), "--cases", "2", "4")
    assert code == 0
    assert "toy: breaks" not in capsys.readouterr().out


def test_a_part_that_cannot_begin_is_a_failure(monkeypatch, capsys):
    def broken(_cases):
        raise base.BrokenError("an undisturbed command fails")

    assert run_main(monkeypatch, toy(broken)) == 1
    assert "the part cannot begin" in capsys.readouterr().out
