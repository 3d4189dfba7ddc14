"""``imgbatch tags``: counts, one tag's images, files, vocabularies, tags learned from examples."""

import csv
import shutil

import cv2
import numpy as np
import pytest

import imgbatch
from tests.drawing import settle

RED, BLUE, BLACK = (205, 25, 30), (40, 90, 200), (5, 5, 5)


def draw(target, color, seed, share=1.0):
    """A noisy picture of which the upper part has a colour, and the rest is grey."""
    noise = np.random.default_rng(seed).integers(-5, 6, (90, 120, 3))
    picture = np.full((90, 120, 3), (128, 128, 128)) + noise
    rows = round(90 * share)
    picture[:rows] = np.array(color) + noise[:rows]
    target.parent.mkdir(parents=True, exist_ok=True)
    rgb = picture.clip(0, 255).astype(np.uint8)
    cv2.imwrite(str(target), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Four red pictures, less and less so, three blue ones, one black one."""
    monkeypatch.chdir(tmp_path)
    images = tmp_path / "photos"
    for number in range(4):
        draw(images / f"red{number}.png", RED, number, 1 - number / 5)
    for number in range(3):
        draw(images / f"blue{number}.png", BLUE, 10 + number)
    draw(images / "black.png", BLACK, 20)
    settle(images)
    return images


def tags_of(document):
    return {
        image["relative"]: {tag["tag"]: tag["score"] for tag in image["tags"]}
        for image in document["images"]
    }


def test_each_image_is_listed_with_its_tags_and_each_tag_with_its_count(cli, folder):
    document = cli("tags", folder, "--json").json
    assert document["counts"]["red"] == 4
    assert document["counts"]["blue"] == 3
    assert document["counts"]["black"] == document["counts"]["dark"] == 1
    tags = tags_of(document)
    assert len(tags) == document["indexed"] == 8
    assert tags["red0.png"]["red"] == 1
    assert 0.5 <= tags["red3.png"]["red"] < tags["red1.png"]["red"]
    assert {tag["source"] for image in document["images"] for tag in image["tags"]} == {"measured"}
    for name, count in document["counts"].items():
        assert count == sum(name in of_image for of_image in tags.values())


def test_the_table_names_counts_shares_and_rules(cli, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    rows = [line.split("│") for line in cli("tags", folder).out.splitlines() if "│" in line]
    cells = {row[1].strip(): [cell.strip() for cell in row[2:]] for row in rows}
    assert cells["red"][:3] == ["4", "50.0%", "red >= 0.2"]
    assert "red0.png" in cells["red"][3]


def test_the_images_of_one_tag_come_the_clearest_first(cli, folder):
    document = cli("tags", folder, "--rank", "red", "--json").json
    assert [image["relative"] for image in document["images"]] == [
        f"red{number}.png" for number in range(4)
    ]
    assert "red3.png" in cli("tags", folder, "--rank", "red").out
    cli("tags", folder, "--rank", "rod").assert_one_clear_line(2, "'rod'", "'red' (4)")


def test_rows_go_back_in_as_metadata_that_nobody_takes_for_truth(cli, folder, tmp_path):
    answer = cli("tags", folder, "-o", tmp_path / "tags.csv")
    assert "8 images" in answer.out
    with (tmp_path / "tags.csv").open(encoding="utf-8") as file:
        rows = {row["file_name"]: row for row in csv.DictReader(file)}
    assert "red" in rows["red0.png"]["tags"].split(";")
    assert {row["source"] for row in rows.values()} == {"imgbatch"}
    metadata = tmp_path / "tags.csv"
    assert set(imgbatch.load(folder, metadata=metadata).tags) == {()}
    trusted = imgbatch.load(folder, metadata=metadata, trust_predicted=True)
    assert "red" in trusted.tags[trusted.records.row_of("red0.png")]


@pytest.mark.parametrize("show", [(), ("--rank", "blue")])
def test_a_sheet_and_a_page_are_written(cli, folder, tmp_path, show):
    sheet, page = tmp_path / "a.png", tmp_path / "a.html"
    answer = cli("tags", folder, *show, "-o", sheet, "-o", page, "--json")
    shown = {file["kind"]: file["shown"] for file in answer.json["files"]}
    assert shown["sheet"] >= 3
    assert shown["page"] >= shown["sheet"]
    assert cv2.imread(str(sheet)) is not None
    assert "blue0.png" in page.read_text(encoding="utf-8")


def test_files_among_the_images_or_of_unknown_endings_are_refused_before_any_work(cli, folder):
    cli("tags", folder, "-o", folder / "a.csv").assert_one_clear_line(2, "-o")
    cli("tags", folder, "-o", "a.xyz").assert_one_clear_line(2, "'.xyz'")


def test_a_vocabulary_renames_and_adds_without_decoding_anything(cli, folder, tmp_path):
    cli("tags", folder)
    own = tmp_path / "own.toml"
    own.write_text(
        '[tags.blue]\nname = "blau"\n[tags.red]\non = false\n'
        '[tags.flag]\nrule = {"red + blue" = {min = 0.9}}\n',
        encoding="utf-8",
    )
    shutil.move(folder, tmp_path / "gone")
    folder.mkdir()
    document = cli("tags", folder, "--no-refresh", "--vocabulary", own, "--json").json
    assert document["counts"]["blau"] == 3
    assert "red" not in document["counts"]
    assert document["counts"]["flag"] == 4
    assert document["rules"]["flag"] == "red + blue >= 0.9"


def test_a_wrong_vocabulary_is_one_line_and_exit_2(cli, folder, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text("[tags.red]\nrule = {rod = {min = 1}}", encoding="utf-8")
    cli("tags", folder, "--vocabulary", own).assert_one_clear_line(2, "own.toml", "'rod'")
    cli("similar", folder, "--vocabulary", "no.toml").assert_one_clear_line(2, "not found: no.toml")


def test_a_given_tag_of_a_name_wins_over_a_measured_one(cli, folder, tmp_path):
    metadata = tmp_path / "m.csv"
    metadata.write_text("file_name,tags\nblue0.png,red;sea\n", encoding="utf-8")
    document = cli("tags", folder, "--metadata", metadata, "--json").json
    assert document["counts"]["red"] == document["counts"]["sea"] == 1
    (blue,) = [image for image in document["images"] if image["relative"] == "blue0.png"]
    assert {"tag": "red", "score": 1.0, "source": "given"} in blue["tags"]
    assert (
        cli("tags", folder, "--metadata", metadata, "--tag", "red", "--json").json["indexed"] == 1
    )


def test_filters_understand_measured_tags(cli, folder):
    picked = cli("different", folder, "-n", "3", "--tag", "blue", "--no-sheet", "--json").json
    assert {image["relative"] for image in picked["images"]} == {f"blue{n}.png" for n in range(3)}
    left = cli("tags", folder, "--without-tag", "red", "--without-tag", "blue", "--json").json
    assert [image["relative"] for image in left["images"]] == ["black.png"]
    both = cli("tags", folder, "--tag", "blue", "--without-tag", "blue")
    both.assert_one_clear_line(2, "no image has")


def test_a_set_shows_its_tags_the_rarest_and_clearest_first_and_those_that_all_share(cli, folder):
    line = ("similar", folder, "-n", "3", "--like", "blue0.png", "--keep-duplicates", "--no-sheet")
    document = cli(*line, "--json").json
    assert "blue" in document["shared_tags"]
    assert all("blue" in [tag["tag"] for tag in image["all_tags"]] for image in document["images"])
    assert "all three: " in cli(*line).out
    black = cli("similar", folder, "-n", "1", "--like", "black.png", "--no-sheet", "--json").json
    names = [tag["tag"] for tag in black["images"][0]["all_tags"]]
    assert set(names[:2]) == {"black", "dark"}  # one image each; all have the same shape
    assert black["shared_tags"] == []


def test_tags_stand_in_captions_where_asked_for(cli, folder, tmp_path, monkeypatch):
    drawn = []
    from imgbatch.outputs import sheet

    monkeypatch.setattr(sheet, "shortened", lambda text, *_: drawn.append(text) or text)
    line = ("similar", folder, "-n", "2", "--like", "blue0.png", "-o", tmp_path / "a.png")
    cli(*line)
    assert not any("blue," in text for text in drawn)
    cli(*line, "--tag-captions")
    assert any(text.startswith("1  blue,") for text in drawn)


def test_blur_is_measured_where_asked_for_and_kept(cli, folder):
    noise = np.random.default_rng(0).integers(0, 256, (600, 700, 3)).astype(np.uint8)
    picture = cv2.GaussianBlur(noise, (0, 0), 6)
    cv2.imwrite(str(folder / "soft.png"), picture)
    settle(folder)
    assert "blurred" not in cli("tags", folder, "--json").json["counts"]
    names = [
        image["relative"]
        for image in cli("tags", folder, "--blur", "--rank", "blurred", "--json").json["images"]
    ]
    assert "soft.png" in names
    assert cli("tags", folder, "--tag", "blurred", "--json").json["indexed"] == len(names)


# ----- tags learned from examples -----------------------------------------------------------------


@pytest.fixture
def many(tmp_path, monkeypatch):
    """Fifty pictures with red on top, fifty with blue, and what is known of most of them."""
    monkeypatch.chdir(tmp_path)
    images = tmp_path / "many"
    for number in range(50):
        draw(images / f"r{number:02}.png", RED, number, 0.5)
        draw(images / f"b{number:02}.png", BLUE, 100 + number, 0.5)
    settle(images)
    lines = [
        f"{kind}{number:02}.png,{label}"
        for kind, label in (("r", "sunset"), ("b", "sea"))
        for number in range(45)
    ]
    (tmp_path / "m.csv").write_text("file_name,label\n" + "\n".join(lines) + "\n")
    return images


def vocabulary(tmp_path, text):
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    return own


def test_a_tag_of_a_folder_of_examples_ranks_the_images_and_is_given_to_none(cli, many, tmp_path):
    examples = tmp_path / "examples"
    for number in range(5):
        draw(examples / f"{number}.png", RED, 500 + number, 0.5)
    own = vocabulary(tmp_path, '[tags.evening]\nexamples = "examples"')
    line = ("tags", many, "--vocabulary", own)
    assert "evening" not in cli(*line, "--json").json["counts"]
    assert "evening, from 5 examples: given to none unasked" in cli(*line).out
    ranked = cli(*line, "--rank", "evening", "--json").json["images"]
    assert {image["relative"][0] for image in ranked[:50]} == {"r"}
    tags = {tag["tag"]: tag for tag in ranked[0]["tags"]}
    assert tags["evening"]["source"] == "learned"
    page = tmp_path / "page.html"
    assert cli(*line, "--rank", "evening", "-o", page).code == 0
    assert "images with the tag" in page.read_text()


def test_a_tag_of_a_label_is_given_where_held_out_images_were_right(cli, many, tmp_path):
    own = vocabulary(tmp_path, '[tags.evening]\nexamples = {label = "sunset"}')
    line = (many, "--vocabulary", own, "--metadata", tmp_path / "m.csv")
    document = cli("tags", *line, "--json").json
    (learned,) = document["learned"]
    assert (learned["tag"], learned["examples"], learned["given"]) == ("evening", 45, 50)
    assert learned["held_out"]["right"] == learned["held_out"]["of"] >= 35
    assert learned["held_out"]["interval"][0] >= 0.9
    assert document["counts"]["evening"] == 50
    picked = cli("similar", *line, "--like", "r49.png", "-n", "3", "--no-sheet", "--json").json
    assert "evening" in picked["shared_tags"]
    assert cli("tags", *line, "--tag", "evening", "--json").json["indexed"] == 50


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('examples = "nowhere"', "cannot be listed"),
        ('examples = "few"', "has 1 readable example in"),
        ('examples = "many"', "are all images of the folder"),
        ('examples = {label = "rainbow"}', "has 0 readable examples of the label or tag 'rainbow'"),
    ],
)
def test_examples_that_are_missing_or_too_few_are_one_clear_line(cli, many, tmp_path, text, said):
    draw(tmp_path / "few" / "1.png", RED, 1)
    (tmp_path / "few" / "2.png").write_bytes(b"no picture")
    own = vocabulary(tmp_path, f"[tags.evening]\n{text}")
    answer = cli("tags", many, "--vocabulary", own, "--metadata", tmp_path / "m.csv")
    answer.assert_one_clear_line(2, said, "'evening'")


def test_examples_in_the_folder_itself_are_not_ranked(cli, many, tmp_path):
    own = vocabulary(tmp_path, '[tags.evening]\nexamples = "many/in"')
    for number in range(4):
        draw(many / "in" / f"{number}.png", RED, 700 + number, 0.5)
    settle(many)
    line = ("tags", many, "--vocabulary", own, "--rank", "evening", "--json")
    ranked = [image["relative"] for image in cli(*line).json["images"]]
    assert len(ranked) == 100
    assert not any(name.startswith("in/") for name in ranked)
