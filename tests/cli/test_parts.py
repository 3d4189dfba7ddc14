"""Commands on a folder whose shards make several parts say what one machine says."""

import pytest

import imgbatch
from imgbatch.batches.plan_files import read_plan
from imgbatch.runners.maps import RunnerMap
from imgbatch.sampler import DiverseBatchSampler

pytest.importorskip("distributed", reason="needs Dask")

pytestmark = pytest.mark.slow
CUT = "[cluster]\nshard_images = 4\npart_images = 1\n"


@pytest.fixture
def ask(cli, indexed, tmp_path):
    """Run a command on the shared photos, on a cluster of this machine's processes."""
    config = tmp_path / "cut.toml"
    config.write_text(CUT, encoding="utf-8")

    def run(command, *arguments):
        places = ("--index", tmp_path / "index", "--config", config)
        return cli(command, indexed.folder, *places, "--cluster", "local", *arguments)

    return run


def shown(answer):
    assert answer.code == 0
    assert all("whitening is off" in line for line in answer.err.splitlines())
    return [(image["relative"], image["score"]) for image in answer.json["images"]]


def test_a_similar_set_is_that_of_one_machine_and_a_different_one_is_whole(ask, cli, indexed):
    for seed in (1, 2):
        wish = ("--seed", seed, "-n", 6, "--no-sheet", "--json")
        here = cli("similar", indexed.folder, "--index", indexed.index, *wish)
        assert shown(ask("similar", *wish)) == shown(here)
        found = shown(ask("different", *wish))
        assert len({path for path, _ in found}) == 6
        assert found == shown(ask("different", *wish))


def test_a_plan_as_a_folder_names_every_image_once_an_epoch_and_feeds_a_sampler(
    ask, indexed, tmp_path
):
    target = f"{tmp_path}/plan/"
    asked = ("--batch-size", 5, "--epochs", 2, "--seed", 3, "-o", target, "--json")
    answer = ask("batches", *asked)
    assert answer.code == 0, answer.err
    assert answer.json["plan"] == str(tmp_path / "plan")
    assert answer.json["figures"]["variance"]["diverse"] < 1
    plan = read_plan(tmp_path / "plan")
    for epoch in plan.epochs:
        assert [len(batch) for batch in epoch] == [5, 5, 5, 5, 4]
        assert sorted(path for batch in epoch for path in batch) == sorted(indexed.names)
    sampler = DiverseBatchSampler.from_plan(target, indexed.names)
    assert sorted(row for batch in sampler for row in batch) == list(range(24))
    again = ask("batches", *asked)
    assert again.json["batches"] == answer.json["batches"] == 10
    assert read_plan(target) == plan


def test_a_plan_as_a_folder_of_one_machine_holds_one_file_an_epoch(cli, indexed, tmp_path):
    target = f"{tmp_path}/plan/"
    wish = ("--index", indexed.index, "--batch-size", 6, "--epochs", 3, "-o", target)
    assert cli("batches", indexed.folder, *wish).code == 0
    assert len(list((tmp_path / "plan").glob("*.jsonl"))) == 3
    assert len(read_plan(target).epochs) == 3
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    refused = cli("batches", indexed.folder, *wish[:-1], other)
    refused.assert_one_clear_line(1, "holds other files")


def test_the_workers_of_a_cluster_compute_and_search_the_parts(indexed, tmp_path):
    from distributed import LocalCluster

    (tmp_path / "cut.toml").write_text(CUT, encoding="utf-8")
    here = imgbatch.load(indexed.folder, index=indexed.index)
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=True, dashboard_address=":0"
    ) as cluster:
        photos = imgbatch.load(
            indexed.folder,
            index=tmp_path / "index",
            config=tmp_path / "cut.toml",
            cluster=cluster.scheduler_address,
        )
        assert isinstance(photos.projection.run_tasks, RunnerMap)
        assert len(photos.projection.parts) > 3
        for seed in range(3):
            one, several = here.similar(7, seed=seed), photos.similar(7, seed=seed)
            assert [a.path for a in one.images] == [a.path for a in several.images]
            assert len({a.path for a in photos.different(7, seed=seed).images}) == 7
        rows = sorted(row for batch in photos.batches(5, seed=1) for row in batch.tolist())
        assert rows == list(range(24))
        del photos
