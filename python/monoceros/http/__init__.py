"""What hooks, loggers and handlers of errors know of HTTP. The protocol itself is in the Swift core."""
