"""The benchmark harness: one file per benchmark (NAME, LIMIT_S, run), the rest are their tools."""
