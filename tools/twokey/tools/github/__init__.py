"""GitHub and GitHub Enterprise Server behind the forge port and the ticket port."""
