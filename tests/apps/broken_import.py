"""Cannot be imported, because of a module that it needs."""

import a_module_that_is_not_there  # noqa: F401
