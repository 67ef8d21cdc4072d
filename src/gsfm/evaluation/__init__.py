"""How good a model is: protocols, metrics, peers, statistics, reports."""
