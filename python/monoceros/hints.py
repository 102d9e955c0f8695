"""The names of `typing` that our annotations use, without `typing`: a server has no use for it, and would have it in
memory in every process and wait for it at every start.
"""

#: True for a type checker alone, which knows this name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import IO, Any, NoReturn, Protocol, TextIO
else:
    # Nothing looks into what stands in an annotation.
    IO = Any = NoReturn = TextIO = object
    Protocol = object

__all__ = ["IO", "TYPE_CHECKING", "Any", "NoReturn", "Protocol", "TextIO"]
