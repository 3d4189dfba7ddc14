"""The sampler inside the real DataLoader: workers, replicas, resuming. Skipped without torch."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (pip install 'imgbatch[torch]')")
from imgbatch.sampler import DiverseBatchSampler  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, at fork


class Rows(torch.utils.data.Dataset):
    """Item i is i, as a loader's worker gives it."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, row):
        return row


def points(n):
    return np.random.default_rng(0).normal(size=(n, 6)).astype(np.float32)


def loader(sampler, n, workers=0, **options):
    return torch.utils.data.DataLoader(
        Rows(n), batch_sampler=sampler, num_workers=workers, **options
    )


@pytest.mark.parametrize("persistent", [False, True])
def test_two_workers_give_every_row_once_an_epoch_in_the_samplers_order(persistent):
    sampler, plain = (DiverseBatchSampler(points(90), 16, seed=3) for _ in range(2))
    loads = loader(sampler, 90, workers=2, persistent_workers=persistent)
    assert len(loads) == 6
    for epoch in range(2):
        sampler.set_epoch(epoch)
        plain.set_epoch(epoch)
        batches = [batch.tolist() for batch in loads]
        assert batches == list(plain)
        assert sorted(row for batch in batches for row in batch) == list(range(90))


def test_two_replicas_share_an_epoch():
    seen = []
    for rank in range(2):
        sampler = DiverseBatchSampler(points(75), 8, num_replicas=2, rank=rank)
        batches = [batch.tolist() for batch in loader(sampler, 75)]
        assert len(batches) == len(sampler) == 5
        seen += [row for batch in batches for row in batch]
    assert sorted(seen) == list(range(75))


def test_resuming_with_workers_goes_on_after_what_was_trained():
    sampler = DiverseBatchSampler(points(80), 8, seed=1)
    sampler.set_epoch(4)
    trained, state = [], None
    for step, batch in enumerate(loader(sampler, 80, workers=2), start=1):
        trained.append(batch.tolist())
        if step == 3:
            state = sampler.state_dict(done=step)  # the workers are ahead of step 3
            break
    resumed = DiverseBatchSampler(points(80), 8, seed=1)
    resumed.load_state_dict(state)
    rest = [batch.tolist() for batch in loader(resumed, 80, workers=2)]
    whole = DiverseBatchSampler(points(80), 8, seed=1)
    whole.set_epoch(4)
    assert trained + rest == list(whole)


def test_a_state_passes_through_torch_save(tmp_path):
    sampler = DiverseBatchSampler(points(30), 8)
    torch.save(sampler.state_dict(2), tmp_path / "state.pt")
    resumed = DiverseBatchSampler(points(30), 8)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert len(list(resumed)) == len(sampler) - 2


def test_tensors_serve_as_points():
    one = DiverseBatchSampler(torch.from_numpy(points(30)), 8)
    assert list(one) == list(DiverseBatchSampler(points(30), 8))


def test_accelerates_sharding_covers_the_epoch():
    data_loader = pytest.importorskip("accelerate.data_loader", reason="needs accelerate")
    seen = []
    for rank in range(2):
        prepared = data_loader.prepare_data_loader(
            loader(DiverseBatchSampler(points(75), 8), 75),
            num_processes=2, process_index=rank, even_batches=False,
        )  # fmt: skip
        seen += [row for batch in prepared for row in batch.tolist()]
    assert sorted(seen) == list(range(75))


def test_lightning_sets_the_epoch_by_itself():
    data = pytest.importorskip("lightning.fabric.utilities.data", reason="needs lightning")
    sampler = DiverseBatchSampler(points(30), 8)
    data._set_sampler_epoch(loader(sampler, 30), 5)
    assert sampler.epoch == 5
