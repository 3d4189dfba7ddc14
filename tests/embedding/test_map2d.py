"""The map: neighbours stay together, the rest of a large folder joins them, figures are right."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import manifold

import imgbatch
from imgbatch.embedding import map2d
from imgbatch.embedding.map2d import map_of, plane_neighbours, trustworthiness
from imgbatch.embedding.projection import Projection
from imgbatch.embedding.space import FeatureSpace
from imgbatch.neighbours.parts import MemoryPart


def projection(points, parts=1):
    return Projection(
        FeatureSpace({}), tuple(MemoryPart.of(part) for part in np.array_split(points, parts))
    )


def clouds(count, each, seed=0, d=20):
    """Points around far centres, one cloud after the other."""
    random = np.random.default_rng(seed)
    centres = 10 * random.normal(size=(count, d))
    return (centres.repeat(each, axis=0) + random.normal(size=(count * each, d))).astype(np.float32)


def same_cloud(positions, each):
    """The share of neighbours on the plane that belong to the same cloud."""
    rows = np.arange(len(positions))
    return (plane_neighbours(positions, rows) // each == rows[:, None] // each).mean()


def test_trustworthiness_is_that_of_scikit_learn():
    random = np.random.default_rng(1)
    points = random.normal(size=(90, 7)).astype(np.float32)
    for plane in (points[:, :2], random.normal(size=(90, 2)).astype(np.float32)):
        expected = manifold.trustworthiness(points, plane, n_neighbors=10)
        assert trustworthiness(points, plane, np.arange(90)) == pytest.approx(expected, abs=1e-4)


def test_trustworthiness_of_some_images_is_near_that_of_all():
    points = clouds(4, 200)
    some = np.random.default_rng(0).choice(800, 200, replace=False)
    plane = points[:, :2]
    assert trustworthiness(points, plane, some) == pytest.approx(
        trustworthiness(points, plane, np.arange(800)), abs=0.02
    )


def test_clouds_stay_together_and_the_figures_belong_to_the_positions():
    points = clouds(4, 30)
    laid_out = map_of(projection(points))
    assert same_cloud(laid_out.positions, 30) > 0.99
    assert laid_out.positions.min() == 0
    assert laid_out.positions.max() == 1
    rows = np.arange(120)
    assert laid_out.asked.tolist() == rows.tolist()
    assert laid_out.trust == pytest.approx(trustworthiness(points, laid_out.positions, rows))
    assert laid_out.principal_trust == trustworthiness(points, laid_out.principal, rows)
    assert laid_out.near.shape == (120, 10)
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    naive = np.argsort(apart, axis=1, kind="stable")[:, 1:11]
    assert (laid_out.near == naive).all()


def test_the_principal_components_are_those_of_the_points():
    points = clouds(3, 20) * np.linspace(3, 0.1, 20, dtype=np.float32)
    found = map_of(projection(points)).principal
    _, _, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    expected = (points - points.mean(axis=0)) @ axes[:2].T
    assert np.abs(found) == pytest.approx(np.abs(expected), abs=1e-3)


def test_a_seed_repeats_the_map_and_parts_do_not_change_it(monkeypatch):
    monkeypatch.setattr(map2d, "SAMPLE", 60)
    monkeypatch.setattr(map2d, "_BLOCK_ROWS", 50)
    points = clouds(3, 40)
    first = map_of(projection(points), seed=3)
    for again in (map_of(projection(points), seed=3), map_of(projection(points, 4), seed=3)):
        assert (again.positions == first.positions).all()
        assert (again.near == first.near).all()
        assert again.trust == first.trust
    assert (map_of(projection(points), seed=4).positions != first.positions).any()


def test_t_sne_runs_in_one_thread_even_in_a_fresh_process():
    """More threads add up in any order, and the last bits of a sum decide where islands go."""
    script = """if True:
        import numpy as np
        from threadpoolctl import threadpool_info
        from imgbatch.embedding import map2d
        from imgbatch.embedding.projection import Projection
        from imgbatch.embedding.space import FeatureSpace
        from imgbatch.neighbours.parts import MemoryPart

        def record(reduced, seed):
            from sklearn.manifold import TSNE
            kinds = {one["user_api"]: one["num_threads"] for one in threadpool_info()}
            assert kinds["openmp"] == 1, kinds
            return reduced[:, :2]

        map2d._laid_out = record
        points = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
        map2d.map_of(Projection(FeatureSpace({}), (MemoryPart.of(points),)))
        print("one thread")
    """
    environment = os.environ | {"PYTHONPATH": str(Path(imgbatch.__file__).parents[1])}
    finished = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert finished.stdout.strip() == "one thread", finished.stderr


def test_images_beyond_the_sample_join_their_cloud(monkeypatch):
    monkeypatch.setattr(map2d, "SAMPLE", 80)
    told = []
    laid_out = map_of(projection(clouds(4, 100)), progress=lambda *counts: told.append(counts))
    assert same_cloud(laid_out.positions, 100) > 0.98
    assert laid_out.trust > 0.85
    assert len(np.unique(laid_out.positions, axis=0)) == 400
    assert told[0] == (0, 400)
    assert told[-1] == (400, 400)
    assert told == sorted(told)


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(0, 60))
def test_guests_lie_around_their_host_and_nearer_ones_inside(seed, hosts, guests):
    random = np.random.default_rng(seed)
    places = random.normal(size=(hosts, 2)).astype(np.float32)
    host_of = np.concatenate([np.arange(hosts), random.integers(hosts, size=guests)])
    distances = np.concatenate([np.full(hosts, -1), random.random(guests)]).astype(np.float32)
    placed = map2d._around(places, host_of, distances)
    assert placed[:hosts] == pytest.approx(places)
    to_hosts = np.linalg.norm(placed[:, None] - places, axis=2)
    own = to_hosts[np.arange(len(placed)), host_of]
    assert (own <= to_hosts.min(axis=1) + 1e-4).all()
    for host in range(hosts):
        of_host = np.flatnonzero(host_of == host)
        order = of_host[np.argsort(distances[of_host], kind="stable")]
        assert (np.diff(own[order]) > -1e-4).all()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 21, 22])
def test_small_folders_have_a_map_too(count):
    laid_out = map_of(projection(clouds(1, count)))
    assert laid_out.positions.shape == (count, 2)
    assert np.isfinite(laid_out.positions).all()
    assert np.isnan(laid_out.trust) == (count < 22)
    assert laid_out.near.shape == (count, min(10, count - 1))


def test_equal_images_lie_in_one_place_and_no_image_is_its_own_neighbour():
    laid_out = map_of(projection(np.ones((30, 4), np.float32)))
    assert (laid_out.positions == laid_out.positions[0]).all()
    near = plane_neighbours(laid_out.positions, np.arange(30))
    assert near.shape == (30, 10)
    assert not (near == np.arange(30)[:, None]).any()


@given(st.integers(0, 1000), st.integers(2, 40))
def test_neighbours_on_the_plane_are_those_of_all_distances(seed, count):
    plane = np.random.default_rng(seed).random((count, 2))
    apart = np.linalg.norm(plane[:, None] - plane, axis=2)
    np.fill_diagonal(apart, np.inf)
    expected = np.argsort(apart, axis=1)[:, : min(10, count - 1)]
    assert (plane_neighbours(plane, np.arange(count)) == expected).all()
