"""``twokey eval injection``: a compromised model against the real gate. See ``evaluation`` for the rules."""
