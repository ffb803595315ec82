"""Lineage: what is made of what, read from SQL models, OpenLineage events and the files of training runs."""
