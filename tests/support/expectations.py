"""Where other servers differ from what these tests ask for.

The suite runs against another server with `MONOCEROS_TEST_SERVER=gunicorn`. What is known to fail there is named here
with its reason, and must fail: an entry that passes is an error too, so the list stays true.
"""

from __future__ import annotations

#: Module of the server → test (a pattern) → why it differs.
EXPECTED_DIFFERENCES: dict[str, dict[str, str]] = {"gunicorn": {}}
