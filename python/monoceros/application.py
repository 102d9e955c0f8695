"""Finds the application that an app spec names: `module`, `module:name` or `module:factory("argument", key=1)`."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from keyword import iskeyword
from types import FunctionType, ModuleType

from monoceros.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ast

DEFAULT_NAME = "application"
#: What applications are mostly called; they are suggested first.
USUAL_NAMES = ("app", "application", "create_app()", "make_app()", "wsgi")


class AppImportError(Exception):
    """The app spec names nothing that can be served. The text is one line for the user."""


class AppModuleNotFoundError(AppImportError):
    """The module of the app spec does not exist, as opposed to: it exists and something in it failed."""


def load_application(spec: str) -> Callable[..., Any]:
    """Imports and returns the application.

    Raises AppImportError when the spec is at fault; whatever the user's own code raises comes through as it is.
    """
    module_name, colon, expression = spec.partition(":")
    if not colon:
        expression = DEFAULT_NAME
    name, arguments = parse_expression(expression)
    module = import_module(module_name, expression)
    try:
        found = getattr(module, name)
    except AttributeError:
        text = f"Failed to find attribute {name!r} in {module_name!r}."
        raise AppImportError(text + suggestion(module, module_name)) from None
    if arguments is not None:
        found = call_factory(found, name, *arguments)
    if found is None:
        raise AppImportError(f"Failed to find application object: {expression!r} is None.")
    if not callable(found):
        raise AppImportError(f"Application object must be callable: {expression!r} is of type {type(found).__name__}.")
    return found


def import_module(name: str, expression: str) -> ModuleType:
    """Imports the module, and tells its own absence from that of a module which it imports."""
    if "/" in name:
        hint = from_path(name, expression)
        missing = "" if os.path.isfile(name) or os.path.isfile(f"{name}.py") else " There is no such file."
        raise AppModuleNotFoundError(
            f"Failed to find application: {name!r} is a path, and a module is needed: {hint}.{missing}"
        )
    if not name or name.startswith("."):
        raise AppImportError(f"Failed to find application: {name!r} is not the full name of a module.")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise
        if name.endswith(".py") and os.path.exists(name):
            suggestion = name.removesuffix(".py").replace("/", ".")
            text = f"Failed to find application, did you mean '{suggestion}:{expression}'?"
        else:
            text = f"Failed to import {name!r}: {error}. It was looked for from {os.getcwd()!r}; --chdir sets another."
        raise AppModuleNotFoundError(text) from None


def from_path(path: str, expression: str) -> str:
    """How to name the application of a file."""
    directory, name = os.path.split(os.path.normpath(path))
    module = name.removesuffix(".py")
    if directory in ("", "."):
        return f"{module}:{expression}"
    if not os.path.isabs(directory) and not directory.startswith(".."):
        return f"{directory.replace('/', '.')}.{module}:{expression}, or --chdir {directory} {module}:{expression}"
    return f"--chdir {directory} {module}:{expression}"


def suggestion(module: ModuleType, name: str) -> str:
    """What of a module could be meant, ready to be typed; nothing where nothing could."""
    found = sorted(candidates(module), key=lambda candidate: (candidate not in USUAL_NAMES, candidate))[:5]
    if not found:
        return ""
    return f" It has {', '.join(found)}: try {name}:{found[0]}."


def candidates(module: ModuleType) -> Iterator[str]:
    """The applications that a module has, as far as one can see, and the functions that might make one."""
    import inspect

    for name, value in vars(module).items():
        if name.startswith("_") or isinstance(value, type) or not callable(value):
            continue
        if not isinstance(value, FunctionType):
            # An application that is an object. Proxies are found in modules of the frameworks' users, and are none.
            if not type(value).__module__.startswith(("werkzeug.local", "builtins", "functools", "typing")):
                yield name
        elif value.__module__ == module.__name__:
            try:
                count = sum(
                    parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
                    for parameter in inspect.signature(value).parameters.values()
                )
            except (TypeError, ValueError):
                continue
            if count == 2:
                yield name
            elif count == 0 and name.startswith(("create", "make", "get", "build")):
                yield f"{name}()"


def parse_expression(expression: str) -> tuple[str, tuple[list[Any], dict[str, Any]] | None]:
    """Splits `name` or `factory(1, key="x")` into its name and, for a call, its arguments: (args, kwargs).

    Only literals may stand as arguments: an app spec comes from command lines and unit files, and is no program.
    """
    # Most specs are no more than that, and need no parser.
    if expression.isascii() and expression.isidentifier() and not iskeyword(expression):
        return expression, None
    import ast

    try:
        node = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError):  # ValueError: a NUL byte
        node = None
    match node:
        case ast.Name(id=name):
            return name, None
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            try:
                return name, (
                    [ast.literal_eval(argument) for argument in args],
                    {keyword_name(keyword): ast.literal_eval(keyword.value) for keyword in keywords},
                )
            except ValueError:
                raise AppImportError(f"Failed to parse arguments as literal values: {expression!r}.") from None
        case ast.Call():
            raise AppImportError(f"Function reference must be a simple name: {expression!r}.")
    raise AppImportError(f"Failed to parse {expression!r} as an attribute name or function call.")


def keyword_name(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise ValueError("`**` is not a literal argument")
    return keyword.arg


def call_factory(factory: Callable[..., Any], name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Calls the factory. Arguments that do not fit it are the spec's fault; what is raised inside it is not."""
    try:
        return factory(*args, **kwargs)
    except TypeError as error:
        # Raised by the call itself, not by a statement in the factory: no frame below ours.
        if error.__traceback__ is not None and error.__traceback__.tb_next is None:
            raise AppImportError(f"Failed to call {name!r}: TypeError: {error}") from None
        raise


def prepare_import_path(directory: str) -> None:
    """Changes to `directory` and lets modules be imported from it."""
    os.chdir(directory)
    if directory not in sys.path:
        sys.path.insert(0, directory)
