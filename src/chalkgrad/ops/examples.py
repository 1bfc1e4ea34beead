"""What the examples of several families of operations draw."""

__all__ = ["drawn", "drawn_pairs"]


def drawn(rng, low, high):
    """Rows, one number, and none at all, between low and high."""
    return [(rng.uniform(low, high, shape),) for shape in ((2, 3), (), (0, 2))]


def drawn_pairs(rng, low, high):
    """Both repeated, and a number with rows, between low and high."""
    draw = rng.uniform
    return [(draw(low, high, (3, 1)), draw(low, high, 4)), (draw(low, high, ()), draw(low, high, (2, 3)))]
