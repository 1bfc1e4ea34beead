"""Containers of parameters: in a list, and by name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, KeysView, Mapping
from typing import Any, Self, overload

from ..engine.tensor import Tensor
from .module import Module
from .parameter import Parameter

__all__ = ["ParameterDict", "ParameterList"]


class ParameterList(Module):
    """A list whose parameters are registered as "0", "1", ...; a Tensor becomes a Parameter, anything else stays.

    >>> from chalkgrad import zeros
    >>> ParameterList([zeros(2), zeros(2, 3)])
    ParameterList(  # 8 parameters
        (0): Parameter containing: [float32 of size 2]
        (1): Parameter containing: [float32 of size 2x3]
    )
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        self.extend(() if values is None else values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, str(i)) for i in range(self._size))

    @overload
    def __getitem__(self, idx: int) -> Any: ...
    @overload
    def __getitem__(self, idx: slice) -> Self: ...
    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self)[idx])
        return getattr(self, str(range(self._size)[idx]))

    def __setitem__(self, idx: int, param: Any) -> None:
        setattr(self, str(range(self._size)[idx]), _own(param))

    def __iadd__(self, parameters: Iterable[Any]) -> Self:
        return self.extend(parameters)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, value: Any) -> Self:
        """Add a value at the end."""
        setattr(self, str(self._size), _own(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add several values at the end. Raises TypeError for a Tensor, of which it is not plain what it would add."""
        if isinstance(values, Tensor) or not isinstance(values, Iterable):
            raise TypeError(f"ParameterList.extend takes several values, such as a list, but got a "
                            f"{type(values).__name__}.")
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """Say what each value is."""
        return "\n".join(_line(str(i), value) for i, value in enumerate(self))


class ParameterDict(Module):
    """A dict whose parameters are registered under their keys; a Tensor becomes a Parameter, anything else stays.

    As in PyTorch a plain dict is taken in the order of its keys; a ParameterDict, an OrderedDict, and pairs of a key
    and a value, as they come.

    >>> from chalkgrad import zeros
    >>> ParameterDict({"w": zeros(2, 3), "b": zeros(3)})
    ParameterDict(  # 9 parameters
        (b): Parameter containing: [float32 of size 3]
        (w): Parameter containing: [float32 of size 2x3]
    )
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        self.update(() if parameters is None else parameters)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, self._known(key))

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"The keys of a ParameterDict are strings, which name the parameters, but {key!r} came.")
        if key not in self._keys and hasattr(self, key):
            raise KeyError(f"`{key}` is an attribute of ParameterDict; give the parameter another name.")
        setattr(self, key, _own(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        delattr(self, self._known(key))
        del self._keys[key]

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def __or__(self, other: ParameterDict) -> ParameterDict:
        both = self.copy()
        both.update(other)
        return both

    def __ror__(self, other: ParameterDict) -> ParameterDict:
        both = other.copy()
        both.update(self)
        return both

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other)
        return self

    def copy(self) -> ParameterDict:
        """Return another ParameterDict with the same parameters."""
        return ParameterDict(self.items())

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, which is the default from now on if there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Take everything out."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Take the value of a key out, and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last pair of a key and a value out, and return it."""
        key = next(reversed(self._keys), None)
        if key is None:
            raise KeyError("There is nothing in this ParameterDict to take out.")
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, or the default if there is none."""
        return self[key] if key in self else default  # noqa: SIM401

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a ParameterDict with these keys, each with the default."""
        return ParameterDict((key, default) for key in keys)

    def keys(self) -> KeysView[str]:
        """Return the keys, in the order they were added."""
        return self._keys.keys()

    def values(self) -> Iterator[Any]:
        """Yield the values, in the order they were added."""
        return (self[key] for key in self._keys)

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield the pairs of a key and a value, in the order they were added."""
        return ((key, self[key]) for key in self._keys)

    def update(self, parameters: Mapping[str, Any] | ParameterDict | Iterable[tuple[str, Any]]) -> None:
        """Add the values of a mapping, or of pairs of a key and a value; a key that is there gets the new one."""
        ordered = not isinstance(parameters, Mapping) or isinstance(parameters, OrderedDict)
        pairs = dict(parameters).items()
        for key, value in pairs if ordered else sorted(pairs):
            self[key] = value

    def extra_repr(self) -> str:
        """Say what each value is."""
        return "\n".join(_line(key, value) for key, value in self.items())

    def _known(self, key: str) -> str:
        if key not in self._keys:
            raise KeyError(f"There is no {key!r} in this ParameterDict; it has {', '.join(self._keys) or 'nothing'}.")
        return key


def _own(value: Any) -> Any:
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _line(name: str, value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {type(value).__name__}"
    return f"  ({name}): Parameter containing: [{value.dtype} of size {'x'.join(map(str, value.shape))}]"
