"""Records, the history, reports, and the names that code uses: pure, and the same on every machine."""
