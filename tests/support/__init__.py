"""What tests of several folders share: real parts, put together without the wiring."""
