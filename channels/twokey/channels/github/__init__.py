"""GitHub as a channel: what people write there becomes requests, and what happens there is followed."""
