"""The triage agent: what a ticket is, how bad, whose, known or not, and the one change that would sort it.

The words in which tickets are judged are in ``values``. A ``Reader`` judges them: one made of what a team's own
labelled tickets teach (``Learned``), or, where a team has too few of them, the general one.
"""
