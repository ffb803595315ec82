"""What an ops review needs of telemetry: ``values`` has the asks, ``digest`` and ``running`` answer them."""
