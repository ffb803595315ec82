"""A strict Slack: Web API and Socket Mode over real sockets, and deliveries with signatures and retries."""
