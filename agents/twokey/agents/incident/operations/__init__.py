"""The ops review: how the endpoints of a platform did over a stretch of time, as findings with owners."""
