"""Live objects: freezing, thawing, fingerprints, sharing, and code from source. Knows neither files nor IPython."""
