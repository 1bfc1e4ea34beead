"""Frameworks whose names are not PyTorch's: the models a second time, as functions, and an adapter for each.

An adapter `with_<rival>.py` has one function, `step(name, start, task)`. It returns a function without arguments that
does one training step, waits until it is done, and returns the loss.
"""
