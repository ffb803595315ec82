"""A GitHub made of a real git repository: the REST paths that Twokey, PyGithub and ``gh`` use, and their refusals."""
