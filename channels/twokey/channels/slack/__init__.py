"""People meet Twokey in Slack: commands, mentions, cards with buttons, the App Home and the assistant pane."""
