"""Data: datasets, the order in which they are visited, batches of them, and splits."""

from chalkgrad.data import datasets
from chalkgrad.data.collate import default_collate
from chalkgrad.data.dataset import Dataset, Subset, TensorDataset
from chalkgrad.data.loader import DataLoader
from chalkgrad.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from chalkgrad.data.split import random_split, train_val_test_split
from chalkgrad.data.standardizer import Standardizer, standardize

__all__ = [
    "BatchSampler",
    "DataLoader",
    "Dataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Standardizer",
    "Subset",
    "TensorDataset",
    "datasets",
    "default_collate",
    "random_split",
    "standardize",
    "train_val_test_split",
]
