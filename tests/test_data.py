"""The data package: batches and splits against torch.utils.data, and the bundled and generated datasets."""

import hashlib
import inspect
import re
from collections import namedtuple
from importlib import resources

import numpy as np
import pytest
import torch
from torch.utils import data as torch_data

import chalkgrad
from chalkgrad import data
from chalkgrad.data import datasets
from chalkgrad.data.loader import NOT_SUPPORTED

Point = namedtuple("Point", ["x", "y"])


def plain(batch):
    """A batch as Python values, with the dtype of every array: the same for PyTorch and for us."""
    if isinstance(batch, torch.Tensor):
        batch = batch.numpy()
    if isinstance(batch, np.ndarray):
        return str(batch.dtype), batch.tolist()
    if isinstance(batch, dict):
        return {key: plain(value) for key, value in batch.items()}
    if isinstance(batch, list | tuple):
        return type(batch).__name__, [plain(value) for value in batch]
    return batch


def order(loader):
    """The samples of one epoch, as one list."""
    return np.concatenate(list(loader)).tolist()


# ------------------------------------------------------------------------------------------------------ against PyTorch

def test_loader_has_pytorchs_arguments_in_pytorchs_order():
    def arguments(loader):
        return [(p.name, p.kind, p.default) for p in inspect.signature(loader).parameters.values()]

    assert arguments(data.DataLoader) == arguments(torch_data.DataLoader)


@pytest.mark.parametrize("n", [0, 1, 6, 7])
@pytest.mark.parametrize(
    "options",
    [
        *({"batch_size": size, "drop_last": drop_last} for size in (1, 3, 100) for drop_last in (False, True)),
        {"batch_size": None},
        {"batch_size": 2, "shuffle": False, "collate_fn": len},
        {"batch_size": 2, "sampler": [0, 0, 0]},
        {"batch_size": None, "sampler": [0, 0]},
        {"batch_sampler": [[0], [0, 0], [0, 0, 0]]},
    ],
    ids=str,
)
def test_batches_are_pytorchs(n, options):
    if n == 0:  # then there is nothing that a sampler could ask for
        options = {name: [] if name.endswith("sampler") else value for name, value in options.items()}
    ours, theirs = data.DataLoader(range(n), **options), torch_data.DataLoader(range(n), **options)
    assert len(ours) == len(theirs)
    assert [plain(batch) for batch in ours] == [plain(batch) for batch in theirs]


@pytest.mark.parametrize("batch_size", [1, 4, 5])
@pytest.mark.parametrize("drop_last", [False, True])
def test_batches_of_a_tensor_dataset_and_its_subsets_are_pytorchs(batch_size, drop_last):
    x, y = np.arange(24, dtype=np.float32).reshape(12, 2), np.arange(12)
    ours, theirs = data.TensorDataset(x, y), torch_data.TensorDataset(torch.tensor(x), torch.tensor(y))
    for _ in range(3):  # the dataset, a subset of it, a subset of that
        got = data.DataLoader(ours, batch_size, drop_last=drop_last)
        expected = torch_data.DataLoader(theirs, batch_size, drop_last=drop_last)
        assert len(got) == len(expected)
        assert [plain(batch) for batch in got] == [plain(batch) for batch in expected]
        indices = list(range(len(ours) - 1, 0, -2))
        ours, theirs = data.Subset(ours, indices), torch_data.Subset(theirs, indices)


@pytest.mark.parametrize(
    "samples",
    [
        *([dtype(1), dtype(2)] for dtype in (int, float, bool, np.float32, np.int8, np.array, str)),
        [np.zeros(3, dtype=np.float32), np.ones(3, dtype=np.float32)],
        [b"a", b"b"],
        [(1, 2.5), (3, 4.5)],
        [[1, "a"], [2, "b"]],
        [Point(1, 2.0), Point(3, 4.0)],
        [{"x": np.zeros(2), "meta": {"id": 1}}, {"x": np.ones(2), "meta": {"id": 2}}],
        [(np.zeros((2, 2)), {"y": (0, "one")}), (np.ones((2, 2)), {"y": (1, "two")})],
    ],
    ids=str,
)
def test_default_collate_has_pytorchs_structure(samples):
    assert plain(data.default_collate(samples)) == plain(torch_data.default_collate(samples))


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("num_samples", [None, 1, 9, 10, 11, 25])
def test_random_sampler_draws_as_many_as_pytorchs(replacement, num_samples):
    sampler = data.RandomSampler(range(10), replacement, num_samples, generator=0)
    ours, theirs = list(sampler), list(torch_data.RandomSampler(range(10), replacement, num_samples))
    assert len(sampler) == len(ours) == len(theirs)
    if not replacement:  # one permutation after another: how often each sample came differs by one at most
        assert sorted(np.bincount(ours, minlength=10)) == sorted(np.bincount(theirs, minlength=10))


FRACTIONS = [[1.0], [0.5, 0.5], [0.7, 0.1, 0.2], [0.7, 0.15, 0.15], [1 / 3] * 3, [0.9, 0.1, 0.0]]


@pytest.mark.parametrize("n", [1, 10, 11, 12, 13, 1797])
@pytest.mark.parametrize("lengths", FRACTIONS)
@pytest.mark.filterwarnings("ignore:.*(Length of split|has no samples)")
def test_random_split_divides_fractions_as_pytorch(n, lengths):
    theirs = [len(part) for part in torch_data.random_split(range(n), lengths)]
    assert [len(part) for part in data.random_split(range(n), lengths)] == theirs


# ----------------------------------------------------------------------------------------------------------- randomness

def shuffled(generator=None):
    return data.DataLoader(range(50), batch_size=7, shuffle=True, generator=generator)


def test_every_epoch_is_a_fresh_permutation():
    epochs = [order(loader) for loader in 4 * [shuffled(0)]]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


@pytest.mark.parametrize("make", [lambda: 3, lambda: np.int64(3), lambda: np.random.default_rng(3)])
def test_a_seed_and_a_generator_give_the_same_epochs(make):
    expected, loader = shuffled(3), shuffled(make())
    assert [order(expected), order(expected)] == [order(loader), order(loader)]


def test_without_a_generator_manual_seed_decides():
    loader = shuffled()  # made before the seed is set: the seed counts all the same
    chalkgrad.manual_seed(5)
    first = [order(loader), [part.indices.tolist() for part in data.random_split(range(9), [4, 5])]]
    chalkgrad.manual_seed(5)
    assert first == [order(loader), [part.indices.tolist() for part in data.random_split(range(9), [4, 5])]]


def test_random_split_deals_every_sample_once_and_by_the_generator():
    parts = data.random_split(range(20), [0.5, 0.3, 0.2], generator=1)
    assert sorted(sample for part in parts for sample in part) == list(range(20))
    again = data.random_split(range(20), [0.5, 0.3, 0.2], generator=np.random.default_rng(1))
    assert [list(part) for part in parts] == [list(part) for part in again]
    assert list(parts[0]) != list(data.random_split(range(20), [0.5, 0.3, 0.2], generator=2)[0])
    with pytest.warns(UserWarning, match="the part at index 1 has no samples"):
        data.random_split(range(1), [0.5, 0.5])


# ------------------------------------------------------------------------------------------------------------- fetching

class Counted:
    """An array that counts how often it is indexed."""

    def __init__(self, array):
        self.array, self.shape, self.reads = array, array.shape, 0

    def __getitem__(self, index):
        self.reads += 1
        return self.array[index]


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_batch_costs_one_read_of_each_tensor(depth):
    x, y = Counted(np.zeros((12, 3))), Counted(np.zeros(12))
    dataset = data.TensorDataset(x, y)
    for _ in range(depth):
        dataset = data.Subset(dataset, range(12))
    batches = list(data.DataLoader(dataset, batch_size=4, shuffle=True, generator=0))
    assert [batch[0].shape for batch in batches] == [(4, 3)] * 3
    assert (x.reads, y.reads) == (3, 3)


def test_a_subclass_keeps_its_own_meaning_of_an_index():
    class Doubled(data.TensorDataset):
        def __getitem__(self, index):
            return (2 * self.tensors[0][int(index)],)  # one sample at a time

    class Reversed(data.Subset):
        def __getitem__(self, index):
            return super().__getitem__(len(self) - 1 - index)

    doubled, numbers = Doubled(np.arange(3)), data.TensorDataset(np.arange(3))
    table = [(doubled, [0, 2, 4]), (data.Subset(doubled, [2, 1]), [4, 2]), (Reversed(numbers, [0, 1, 2]), [2, 1, 0])]
    for dataset, expected in table:
        assert next(iter(data.DataLoader(dataset, batch_size=3)))[0].tolist() == expected


def test_getitems_fetches_a_batch_at_once():
    asked = []

    class Many(data.Dataset):
        def __getitem__(self, index):
            raise AssertionError("asked for a single sample")

        def __getitems__(self, indices):
            asked.append(indices)
            return [10 * index for index in indices]

        def __len__(self):
            return 5

    loader = data.DataLoader(data.Subset(Many(), [4, 3, 2]), batch_size=2)
    assert [batch.tolist() for batch in loader] == [[40, 30], [20]]
    assert asked == [[4, 3], [2]]


@pytest.mark.parametrize("index", [1, -1, slice(1, 3), [2, 0, 2], np.array([2, 0]), np.array([True, False, True])])
def test_a_tensor_dataset_and_its_subset_take_every_index_of_an_array(index):
    x = np.arange(6).reshape(3, 2)
    dataset = data.TensorDataset(x)
    assert np.array_equal(dataset[index][0], x[index])
    assert np.array_equal(data.Subset(dataset, [2, 1, 0])[index][0], x[::-1][index])


def test_tensors_give_tensors():
    x = np.arange(10, dtype=np.float32).reshape(5, 2)
    tensors = data.TensorDataset(chalkgrad.tensor(x), chalkgrad.tensor(np.arange(5)))
    arrays = data.TensorDataset(x, np.arange(5))
    for collate_fn in (None, lambda samples: data.default_collate(samples)):
        options = {"batch_size": 2, "shuffle": True, "generator": 0, "collate_fn": collate_fn}
        for ours, expected in zip(data.DataLoader(tensors, **options), data.DataLoader(arrays, **options), strict=True):
            assert all(isinstance(tensor, chalkgrad.Tensor) for tensor in ours)
            assert plain([tensor.numpy() for tensor in ours]) == plain(expected)


# --------------------------------------------------------------------------------------------------------- the datasets

FILES = resources.files("chalkgrad.data") / "files"
LISTED = re.findall(r"^\| `(\S+)` .* `([0-9a-f]{64})` \|$", (FILES / "README.md").read_text("utf-8"), re.MULTILINE)


def test_the_bundled_files_are_the_ones_listed_and_small():
    contents = {file.name: file.read_bytes() for file in FILES.iterdir() if file.name != "README.md"}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()} == dict(LISTED)
    assert max(map(len, contents.values())) < 100_000


@pytest.mark.parametrize(
    "name, x_shape, y_shape, counts, low, high",
    [
        ("digits", (1797, 1, 8, 8), (1797,), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180], 0, 1),
        ("iris", (150, 4), (150,), [50, 50, 50], 0.1, 7.9),
        ("moons", (400, 2), (400,), [200, 200], -1.5, 2.5),
        ("celsius", (100, 1), (100, 1), None, -40, 100),
    ],
)
def test_what_a_dataset_holds(name, x_shape, y_shape, counts, low, high):
    loaded = datasets.load(name)
    assert (loaded.name, loaded.x.shape, loaded.y.shape, len(loaded)) == (name, x_shape, y_shape, len(loaded.x))
    assert loaded.x.dtype == np.float32
    assert low <= loaded.x.min() < loaded.x.max() <= high
    assert loaded.description and loaded.source and loaded.licence and len(loaded.feature_names) in (0, x_shape[-1])
    if counts is None:
        assert (loaded.task, loaded.class_names, loaded.y.dtype) == ("regression", (), np.float32)
    else:
        assert (loaded.task, loaded.y.dtype) == ("classification", np.int64)
        assert np.bincount(loaded.y).tolist() == counts
        assert len(loaded.class_names) == len(counts)


def test_the_bundled_data_are_what_their_authors_say():
    assert np.array_equal(np.unique(datasets.digits().x), np.arange(17) / 16)
    # UCI states these means and standard deviations of iris, to two digits.
    x = datasets.iris().x.astype(float)
    assert x.mean(axis=0) == pytest.approx([5.84, 3.05, 3.76, 1.20], abs=0.01)
    assert x.std(axis=0) == pytest.approx([0.83, 0.43, 1.76, 0.76], abs=0.01)


@pytest.mark.parametrize("name, noisy", [("moons", "x"), ("celsius", "y")])
def test_generated_data_follow_their_options(name, noisy):
    options = [{"seed": 1}, {"seed": 1}, {"seed": 2}, {"seed": 1, "noise": 0.3}]
    first, again, other, with_noise = (datasets.load(name, **{"n": 20_000, "noise": 0} | each) for each in options)
    assert np.array_equal(first.x, again.x) and np.array_equal(first.y, again.y)
    assert not np.array_equal(first.x, other.x)
    assert (getattr(with_noise, noisy) - getattr(first, noisy)).std() == pytest.approx(0.3, rel=0.02)


# ------------------------------------------------------------------------------------------ splitting and standardizing

def numbered(counts, task="classification"):
    """A dataset whose x is the row's number, with so many rows of each class."""
    y = np.repeat(np.arange(len(counts)), counts)
    x = np.arange(len(y), dtype=np.float32)[:, np.newaxis]
    return datasets.Data("numbered", x, y, task, tuple(map(str, counts)), ("row",), "", "", "")


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("seed", [0, 7])
def test_a_split_has_every_row_once_with_its_label(task, seed):
    whole = numbered([40, 25, 60], task)
    parts = data.train_val_test_split(whole, seed=seed)
    assert sorted(np.concatenate([x[:, 0] for x, _ in parts])) == list(range(125))
    assert all(np.array_equal(y, whole.y[x[:, 0].astype(int)]) for x, y in parts)


@pytest.mark.parametrize("fractions", [(0.7, 0.1, 0.2), (0.5, 0.25, 0.25), (0.8, 0.1, 0.1)])
def test_a_split_gives_every_class_its_share_of_every_part(fractions):
    whole = datasets.digits()
    counts = np.bincount(whole.y)
    for (_, y), fraction in zip(data.train_val_test_split(whole, fractions), fractions, strict=True):
        assert np.abs(np.bincount(y) - fraction * counts).max() <= 1 + 1e-9


def test_a_split_follows_its_seed_and_is_in_random_order():
    whole = numbered([40, 40])
    first, again, other = (data.train_val_test_split(whole, seed=seed) for seed in (0, 0, 1))
    assert all(np.array_equal(x, u) and np.array_equal(y, v) for (x, y), (u, v) in zip(first, again, strict=True))
    assert not np.array_equal(first[0][0], other[0][0])
    assert np.count_nonzero(np.diff(first[0][1])) > 10  # in class order, the label would change once


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_standardized_rows_have_mean_zero_and_deviation_one(dtype):
    x = np.random.default_rng(0).uniform(0, 200, (500, 3, 2)).astype(dtype)
    constant = np.full((7, 1), 0.1).astype(dtype)  # for 0.1 a naive deviation is a rounding error, not 0
    assert not data.standardize(constant).transform(constant).any()
    scale = data.standardize(x)
    z = scale.transform(x)
    assert scale.mean.shape == scale.std.shape == (3, 2)
    assert z.dtype == scale.mean.dtype == scale.std.dtype == (np.float64 if dtype is np.float64 else np.float32)
    assert np.abs(z.mean(axis=0)).max() < 1e-5 and np.abs(z.std(axis=0) - 1).max() < 1e-5
    assert np.allclose(scale.inverse_transform(z), x, atol=1e-4)


def test_a_standardizer_takes_tensors():
    scale = data.standardize(np.array([[1.0], [3.0]], dtype=np.float32))
    z = scale.transform(chalkgrad.tensor([[5.0]]))
    assert isinstance(z, chalkgrad.Tensor) and z.numpy().tolist() == [[3.0]]
    assert scale.inverse_transform(z).numpy().tolist() == [[5.0]]


# --------------------------------------------------------------------------------------------------------------- misuse

SOME = data.TensorDataset(np.zeros((4, 2)), np.zeros(4))


@pytest.mark.parametrize("name", NOT_SUPPORTED)
def test_workers_and_pinned_memory_are_refused(name):
    with pytest.raises(NotImplementedError, match=f"{name}=7 is not supported"):
        data.DataLoader(SOME, **{name: 7})


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: data.TensorDataset(), ValueError, "at least one array or Tensor"),
        (lambda: data.TensorDataset(np.zeros(3), np.zeros((4, 2))), ValueError, "shapes are (3,), (4, 2)"),
        (lambda: data.TensorDataset([1, 2]), TypeError, "argument 0 is a list without rows"),
        (lambda: data.Subset(SOME, [0, 4]), IndexError, "index 4 is outside the dataset, which has 4 samples"),
        (lambda: data.Subset(SOME, [[0, 1]]), TypeError, "flat sequence of integers, got shape (1, 2)"),
        (lambda: data.Subset(SOME, [True, False, True, True]), TypeError, "numpy.flatnonzero"),
        (lambda: type("Half", (data.Dataset,), {"__len__": len})(), TypeError, "__getitem__"),
        (lambda: data.DataLoader(iter([1, 2])), TypeError, "has __getitem__ and __len__, but list_iterator has not"),
        (lambda: data.DataLoader(SOME, sampler=[0], shuffle=True), ValueError, "with a sampler, leave out shuffle"),
        (lambda: data.DataLoader(SOME, sampler=[0], generator=0), ValueError, "with a sampler, leave out generator"),
        (lambda: data.DataLoader(SOME, 2, batch_sampler=[[0]], drop_last=True), ValueError, "batch_size, drop_last"),
        (lambda: data.DataLoader(SOME, None, drop_last=True), ValueError, "batch_size=None makes no batches"),
        (lambda: data.DataLoader(SOME, 0), ValueError, "batch_size is a positive integer, got 0"),
        (lambda: data.DataLoader(SOME, drop_last="no"), ValueError, "drop_last is True or False, got 'no'"),
        (lambda: data.DataLoader([], shuffle=True), ValueError, "the data is empty"),
        (lambda: setattr(data.DataLoader(SOME), "batch_size", 8), AttributeError, "Make a new DataLoader"),
        (lambda: data.DataLoader(SOME, shuffle=True, generator=torch.Generator()), TypeError, "got a torch"),
        (lambda: data.RandomSampler([1], generator=True), TypeError, "expected a seed (an int), a numpy.random"),
        (lambda: data.RandomSampler([1], generator=-1), ValueError, "a seed is zero or positive, got -1"),
        (lambda: data.RandomSampler([1], num_samples=0), ValueError, "num_samples is a positive integer"),
        (lambda: data.RandomSampler([1], replacement=1), TypeError, "replacement is True or False, got 1"),
        (lambda: data.default_collate([]), ValueError, "at least one sample"),
        (lambda: data.default_collate([None]), TypeError, "this one holds a NoneType"),
        (lambda: data.default_collate([np.zeros(2), np.zeros(3)]), ValueError, "shapes: (2,) and (3,)"),
        (lambda: data.default_collate([(1, 2), (1,)]), ValueError, "lengths: 2 and 1"),
        (lambda: data.default_collate([{"a": 1}, {"b": 1}]), ValueError, "keys: {'a'} and {'b'}"),
        (lambda: data.random_split(SOME, [1, 2]), ValueError, "sum to 3. Expected either integers that sum to the 4"),
        (lambda: data.random_split(SOME, [2.5, 1.5]), ValueError, "the lengths [2.5, 1.5]"),
        (lambda: data.random_split(SOME, [1.5, -0.5]), ValueError, "the fraction at index 0 is 1.5"),
        (lambda: data.train_val_test_split(numbered([9]), (0.8, 0.2, 0.0)), ValueError, "three positive numbers"),
        (lambda: data.train_val_test_split(numbered([9]), (0.8, 0.2, 0.2)), ValueError, "sum to 1"),
        (lambda: data.train_val_test_split(numbered([50, 3])), ValueError, "class 1 has 3 rows, which split into"),
        (lambda: data.train_val_test_split(numbered([3], "regression")), ValueError, "numbered has 3 rows"),
        (lambda: data.standardize([[1.0]]), TypeError, "expected a NumPy array, got a list"),
        (lambda: data.standardize(np.zeros((0, 2))), ValueError, "at least one row"),
        (lambda: data.standardize(np.array([[np.nan]])), ValueError, "finite values"),
        (lambda: datasets.load("digit"), ValueError, "no dataset 'digit', only celsius, digits, iris, moons. Did you"),
        (lambda: datasets.load("moons", size=10), TypeError, "moons has no option size; it takes n, noise, seed"),
        (lambda: datasets.moons(n=0), ValueError, "n is the number of samples, at least 1, got 0"),
        (lambda: datasets.celsius(noise=-1), ValueError, "noise is a standard deviation"),
    ],
)
def test_misuse_is_explained(call, error, words):
    with pytest.raises(error, match=re.escape(words)):
        call()
