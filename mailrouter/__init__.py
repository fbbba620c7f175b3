"""The mail room of a ministry as a background service."""
