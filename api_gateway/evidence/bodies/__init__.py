"""How two bodies of one media type are compared. Each file: `differences(control, candidate, …)`, pure, lazy."""
