"""Message → Chain of Hops, newest first. `unwind` is the one entry."""
