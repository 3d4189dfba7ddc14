"""Pages as files: complete in themselves, the same every time, safe from names, limited in size."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import imgbatch
from imgbatch.errors import OutputError
from imgbatch.outputs.pages import (
    Facts,
    ImageGrid,
    ImageGroups,
    Page,
    PageImage,
    SideBySide,
    selection_page,
    write_page,
)
from imgbatch.outputs.pages.thumbnails import segments, thumbnail
from imgbatch.printable import printable
from tests.drawing import corners, encode, jpeg, photo, png, turned
from tests.outputs.pages import CONFIG, HOSTILE, PAGES, plain, similar


class Reader(HTMLParser):
    """What a browser sees: elements with their attributes, and the text between them."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def written(page, folder, config=CONFIG):
    target = folder / "page.html"
    write_page(page, target, config)
    return target.read_text(encoding="utf-8")


def limited(**options):
    return CONFIG.model_copy(update={"page": CONFIG.page.model_copy(update=options)})


@pytest.mark.parametrize("kind", PAGES)
def test_the_same_page_gives_the_same_bytes(kind, tmp_path):
    (tmp_path / "files").mkdir()
    page = PAGES[kind](tmp_path / "files")
    assert written(page, tmp_path) == written(page, tmp_path)


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_names_nothing_outside_itself(kind, tmp_path):
    seen = Reader(written(PAGES[kind](tmp_path), tmp_path))
    for tag, attributes in seen.elements:
        assert tag not in {"link", "iframe", "base", "form", "object", "embed"}
        for name, value in attributes.items():
            assert name != "style"
            assert not name.startswith("on")
            if name in {"src", "href", "srcset", "action", "data"}:
                assert value.startswith(("data:image/jpeg;base64,", "#")), (tag, value)
    for text in ("page.css", "page.js"):
        static = (imgbatch.__path__[0], "outputs", "pages", "static", text)
        with open("/".join(static), encoding="utf-8") as file:
            assert not re.search(r"url\(|@import|https?:|fetch\(|eval\(|innerHTML", file.read())


def test_the_policy_allows_this_style_and_this_script_alone(tmp_path):
    html = written(plain(1, tmp_path), tmp_path)
    (policy,) = [one["content"] for one in Reader(html).all("meta") if "http-equiv" in one]
    hashes = {
        name: base64.b64encode(
            hashlib.sha256(
                re.search(rf"<{name}>(.*?)</{name}>", html, re.DOTALL)[1].encode()
            ).digest()
        ).decode()
        for name in ("style", "script")
    }
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{hashes['style']}'; "
        f"script-src 'sha256-{hashes['script']}'; base-uri 'none'; form-action 'none'"
    )
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_hostile_names_are_shown_as_text(tmp_path):
    seen = Reader(written(similar(tmp_path), tmp_path))
    names = [image["alt"] for image in seen.all("img")]
    assert names[: len(HOSTILE)] == [printable(name) for name in HOSTILE]
    assert len(seen.all("script")) == 1
    assert len(seen.all("title")) == 1
    assert "\u202e" not in "".join(seen.text)


def everywhere(name):
    """A page with a name in every place that takes text."""
    image = PageImage("none.jpg", name, rank=name, score=name, mark=name, facts=(name,))
    grid = ImageGrid(name, name, images=(image,), score_name=name)
    facts = Facts(name, facts=((name, (name,)),))
    sections = (grid, facts, ImageGroups(name, groups=(grid,)))
    return Page(name, name, name, ((name, name),), sections, name)


@settings(max_examples=30)
@given(name=st.text(st.characters(), min_size=1))
def test_any_name_stays_text_wherever_it_stands(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("any")
    seen = Reader(written(everywhere(name), folder))
    labels = [one["aria-label"] for one in seen.all("div") if one.get("role") == "img"]
    assert labels == [f"{printable(name)}: No such file or directory"] * 2
    of_folders = 4 if "/" in name else 0  # what stands before the last slash is set apart
    harmless = Reader(written(everywhere("x"), folder))
    assert len(seen.elements) == len(harmless.elements) + of_folders


# ----- pictures -----------------------------------------------------------------------------------


def shown(path, config=CONFIG):
    uri = thumbnail(str(path), config).uri
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright(tmp_path, orientation):
    image, exif = turned(corners(400, 300), orientation)
    (tmp_path / "a.jpg").write_bytes(jpeg(image, exif=exif))
    picture = np.asarray(shown(tmp_path / "a.jpg")).astype(int)
    assert picture.shape == (192, 256, 3)
    red, green, blue = picture[20, 20], picture[20, -20], picture[-20, 20]
    assert (red.argmax(), green.argmax(), blue.argmax()) == (0, 1, 2)


def test_transparency_is_laid_on_the_background(tmp_path):
    (tmp_path / "a.png").write_bytes(png(Image.new("RGBA", (40, 30), (0, 0, 0, 0))))
    assert np.asarray(shown(tmp_path / "a.png")).min() > 250


@pytest.mark.parametrize(
    ("size_px", "expected"), [(64, (64, 32)), (300, (300, 150)), (999, (800, 400))]
)
def test_a_picture_has_the_size_of_the_setting_and_is_never_blown_up(tmp_path, size_px, expected):
    (tmp_path / "a.jpg").write_bytes(jpeg(photo(1, 800, 400)))
    assert shown(tmp_path / "a.jpg", limited(size_px=size_px)).size == expected


def test_an_unreadable_file_is_a_placeholder_with_the_reason(tmp_path):
    (tmp_path / "bad.jpg").write_bytes(encode(photo(1), "PNG")[:40])
    (tmp_path / "empty.jpg").write_bytes(b"")
    images = tuple(
        PageImage(str(tmp_path / name), name) for name in ("bad.jpg", "empty.jpg", "none.jpg")
    )
    grid = ImageGrid("Images", images=images)
    seen = Reader(written(Page("test", "Bad", sections=(grid,)), tmp_path))
    labels = [one["aria-label"] for one in seen.all("div") if one.get("role") == "img"]
    assert [label.split(":")[0] for label in labels] == ["bad.jpg", "empty.jpg", "none.jpg"]
    assert "the file is empty" in labels[1]
    assert "No such file" in labels[2]
    assert seen.all("img") == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=11).filter(lambda values: sum(values) > 0))
def test_the_pieces_of_a_bar_follow_each_other_and_fill_it(values):
    shares = {str(number): value / sum(values) for number, value in enumerate(values)}
    pieces = segments(shares)
    end = 0.0
    for piece in pieces:
        assert piece.start == pytest.approx(end, abs=0.011)
        end = piece.start + piece.width
    assert end == pytest.approx(100, abs=0.011)
    assert len(pieces) == sum(share > 0 for share in shares.values())


# ----- how many images ----------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "most", "shown"), [(5, 200, 5), (5, 5, 5), (5, 3, 3), (1, 1, 1)])
def test_a_page_shows_as_many_images_as_the_setting_allows_and_says_so(
    tmp_path, count, most, shown
):
    target = tmp_path / "page.html"
    file = write_page(plain(count, tmp_path), target, limited(images=most))
    seen = Reader(target.read_text(encoding="utf-8"))
    assert (len(seen.all("img")), file.shown, file.images) == (shown, shown, count)
    assert (f"The first {shown} of {count} images are shown." in "".join(seen.text)) == (
        shown < count
    )
    assert file.size_bytes == target.stat().st_size
    assert file.in_words().startswith(f"{target}, ")


def group(size):
    return ImageGrid("Group", images=tuple(PageImage(f"{n}.jpg", f"{n}.jpg") for n in range(size)))


@given(sizes=st.lists(st.integers(0, 6), max_size=6), most=st.integers(0, 20))
def test_groups_are_shown_as_a_whole_unless_the_first_is_too_large(sizes, most):
    groups = ImageGroups("Groups", groups=tuple(map(group, sizes)))
    cut = groups.first(most)
    assert cut.count <= max(most, 0)
    whole = [one.count for one in cut.groups]
    if sizes and sizes[0] > most > 0:
        assert whole == [most]
        assert cut.groups[0].left_out == sizes[0] - most
    else:
        assert whole == sizes[: len(whole)]
        following = sizes[len(whole) : len(whole) + 1]
        assert all(cut.count + size > most for size in following)
    assert cut.left_out + len(cut.groups) == len(sizes)


@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=4), most=st.integers(1, 30))
def test_sections_that_come_first_keep_their_images(sizes, most):
    columns = SideBySide("Columns", columns=(ImageGroups("A", groups=(group(4),)),) * 2)
    page = Page("test", "Page", sections=(*map(group, sizes), columns))
    cut = page.first(most)
    assert cut.count <= most
    assert cut.sections[0].count == min(sizes[0], most)
    assert cut.count == page.count or most < page.count


# ----- files --------------------------------------------------------------------------------------


def test_a_page_that_cannot_be_written_leaves_the_former_one(tmp_path, monkeypatch):
    target = tmp_path / "page.html"
    target.write_text("former")

    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jinja2.Template.generate", full)
    with pytest.raises(OutputError, match="No space left"):
        write_page(plain(1, tmp_path), target, CONFIG)
    assert target.read_text() == "former"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "page.html"]


def test_a_page_tells_the_seed_the_weights_and_what_was_changed(indexed, tmp_path):
    config = CONFIG.with_emphasis("color").model_copy(
        update={"similar": CONFIG.similar.model_copy(update={"pool": 77})}
    )
    photos = imgbatch.load(indexed.folder, index=indexed.index, config=config)
    page = selection_page(photos.similar(3, seed=11), config, "imgbatch similar photos --seed 11")
    text = "".join(Reader(written(page, tmp_path)).text)
    for words in ("11", "colour 85%, shape 10%, hash 5%", "similar.pool = 77", "--seed 11"):
        assert words in text
    assert "weights." not in text
