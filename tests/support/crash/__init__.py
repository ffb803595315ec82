"""Ends processes at every moment that matters, and looks at what is left.

``points`` finds the moments by watching a process, ``forks`` starts processes cheaply, ``stage`` gives each trial a
fresh workspace, ``gated`` and ``naive`` are what runs, ``recovery`` is how a run is taken up, ``looks`` judges with
eyes of its own, and ``sweep`` goes through all of it.
"""
