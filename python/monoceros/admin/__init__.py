"""What an operator asks of a running server: `monoceros status`, `top`, `stacks` and `ctl`.

They are clients of the server's `admin_bind`, and need nothing of the compiled part but to read a configuration.
`python -m monoceros.admin status` is the same as `monoceros status`.
"""
