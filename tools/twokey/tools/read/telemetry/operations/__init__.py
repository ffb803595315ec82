"""What an ops review needs of telemetry. See ``values`` for the asks, ``digest`` and ``running`` for how they are met."""
