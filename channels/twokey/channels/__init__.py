"""Where people meet Twokey: command line, console, Slack, GitHub; and the wiring that composes it all."""
