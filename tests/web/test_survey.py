"""Overview, evaluation, batches: the figures of the library, on pages that say what they wait for."""

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from imgbatch.evaluation.evaluate import evaluate
from imgbatch.outputs.evaluation import shown as figure_in_words
from tests.web.test_images import shown


def headings(reply):
    return re.findall(r"<h[34][^>]*>([^<]+)</h[34]>", reply.text)


# ----- overview -----------------------------------------------------------------------------------


def test_the_overview_tells_what_the_library_tells(served):
    seen = served.site.photos.overview()
    text = served.look("/overview").text
    assert f"<b><bdi>{seen.images}</bdi></b> images" in text
    assert f"<b><bdi>{len(seen.classes.counts)}</bdi></b> classes" in text
    for group in seen.grouping.groups:
        assert group.typical[0].relative in text


@pytest.fixture
def troubled(own_page):
    """A page of a folder with black and with tiny pictures."""
    folder = own_page.site.photos.folder
    for number in range(3):
        Image.new("RGB", (90 + number, 90), (number, 0, 0)).save(f"{folder}/black{number}.png")
        Image.fromarray(np.full((20 + number, 21, 3), 180, np.uint8)).save(
            f"{folder}/t{number}.png"
        )
    own_page.site.read_again(refresh=True)
    return own_page


def test_all_images_of_a_problem_are_shown_and_put_into_the_basket(troubled):
    problem = next(one for one in troubled.site.photos.overview().problems if one.name == "dark")
    expected = [image.relative for image in problem.images]
    front = troubled.look("/overview")
    address = re.search(r'href="(/overview\?[^"]*problem=dark[^"]*)"', front.text)[1]
    reply = troubled.look(address.replace("&amp;", "&"))
    assert shown(reply) == expected
    assert "black0.png" in expected
    told = troubled.follow(
        troubled.post("/overview/basket", {"problem": "dark", "back": "/basket"})
    )
    assert f"{len(expected)} added to the basket." in told.text
    assert list(troubled.site.basket.paths) == expected


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/overview?problem=nothing", 404, "No rule of this name"),
        ("/overview?seed=x", 400, "whole number"),
        ("/evaluate?sets=1", 400, "give 2 to"),
        ("/evaluate?sets=3&n=1", 400, "give 2 to 24"),
        ("/evaluate?sets=3&n=x", 400, "whole number"),
        ("/batches?size=0", 400, "give 1 to 24"),
        ("/batches?size=25", 400, "give 1 to 24"),
        ("/batches?size=8&seed=1&batch=4", 400, "give 1 to 3"),
        ("/batches?epoch=-1", 400, "give 0 to"),
        ("/batches?seed=one", 400, "whole number"),
    ],
)
def test_wrong_values_are_told_in_a_sentence(served, path, status, said):
    reply = served.look(path)
    assert (reply.status, said in reply.text) == (status, True)
    assert "Traceback" not in reply.text


# ----- evaluation ---------------------------------------------------------------------------------


def test_nothing_is_measured_before_it_is_asked_for(served):
    reply = served.get("/evaluate")
    assert (reply.status, reply.headers["Refresh"]) == (200, None)
    assert "beside random" in reply.text


def test_the_evaluation_shows_the_figures_of_the_library(served):
    measured = evaluate(served.site.photos, n=4, sets=6, seed=3)
    text = served.look("/evaluate?n=4&sets=6&seed=3").text
    assert len(measured.figures) > 5
    for figure in measured.figures:
        assert f"<b>{figure_in_words(figure, figure.value)}</b>" in text, figure.name
    assert "imgbatch evaluate" in text
    assert "--sets 6" in text


def test_missing_classes_are_told_above_the_figures(own_page):
    text = own_page.look("/evaluate?n=3&sets=3").text
    told = text.partition("<table")[0]
    assert "Figures that need classes are left out" in told


# ----- batches ------------------------------------------------------------------------------------


def test_a_seed_is_drawn_and_stands_in_the_address(served):
    reply = served.get("/batches?size=6&balance=1")
    query = parse_qs(urlsplit(reply.headers["Location"]).query)
    assert reply.status == 303
    assert query["size"] == ["6"]
    assert query["balance"] == ["1"]
    assert query["seed"][0].isdecimal()


@pytest.mark.parametrize("epoch", [0, 2])
def test_batches_are_those_of_the_library(served, epoch):
    dealt = served.site.photos.batches(6, seed=5, epoch=epoch)
    paths = served.site.photos.records
    reply = served.look(f"/batches?size=6&seed=5&epoch={epoch}")
    found = shown(reply)
    assert found[:24] == [paths[row].path for rows in dealt for row in rows.tolist()]
    assert sorted(found[24:]) == sorted(found[:24])  # random ones hold the same images
    assert found[24:] != found[:24]


def test_later_batches_follow_with_their_numbers(served):
    address = "/batches?size=3&seed=5"
    dealt = served.site.photos.batches(3, seed=5)
    first = served.look(address)
    link = re.search(r'href="(/batches[^"]*batch=5)"', first.text)[1].replace("&amp;", "&")
    later = served.look(link)
    assert headings(later)[1:5] == ["Batch 5", "Batch 6", "Batch 7", "Batch 8"]
    paths = served.site.photos.records
    assert shown(later)[:3] == [paths[row].path for row in dealt[4].tolist()]


def test_figures_of_each_epoch_are_its_own(served):
    def figures(epoch):
        return re.findall(
            r"<b>([\d.]+)</b>", served.look(f"/batches?size=6&seed=5&epoch={epoch}").text
        )

    assert figures(0) != figures(1)
    assert "nan" not in figures(1)


def test_the_command_deals_the_same_batches(served):
    text = served.look("/batches?size=6&seed=5&epoch=2&balance=1").text
    assert "--batch-size 6 --seed 5 --balance --epochs 3 -o plan.jsonl" in text


@pytest.mark.slow
def test_batches_are_turned_by_links_and_keys(served, open_tab):
    opened = open_tab(served, "/batches?size=3&seed=5")
    opened.tab.wait_for_selector("main:not(:has(progress))")
    opened.press("]")
    opened.tab.wait_for_url("**batch=5")
    opened.tab.get_by_role("link", name="Next epoch").click()
    opened.tab.wait_for_url("**epoch=1")
    assert opened.complaints == []
