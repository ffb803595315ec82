"""What the rows of a table measure: how numbers lie, when rows arrive, the order of dates, how good a model was."""
