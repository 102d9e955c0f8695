"""Cannot be imported, by a fault of its own."""

raise RuntimeError("broken on purpose")
