"""Documents that people read, and the four forms they take: Slack blocks, Markdown, HTML, terminal.

Rules: a document is a pure value (``model``); what is said in it is built by ``cards``, ``documents`` and ``changes``;
a renderer turns it into one form and decides nothing. Text from outside is a type of its own from the moment a document
is made; only a renderer turns it into text, and there it can neither act nor pass for our words.
"""
