"""The runbooks of the sample team, as a folder of Markdown.

Rules: the files are the ones that ship with the package, byte for byte; each has YAML front matter with a title.
"""

from pathlib import Path

from twokey.channels.sample import shipped


def build(folder: Path) -> None:
    """Write the runbooks into the new folder ``folder``."""
    folder.mkdir()
    for name, text in shipped.tree("runbooks").items():
        (folder / name).write_bytes(text)
