"""The ground floor: records, engines, run folders, caches, workers and statistics. Knows nothing of judging."""
