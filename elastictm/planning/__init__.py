"""From a history to a replication plan: pure, exact, and explained."""
