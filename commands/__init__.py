"""What `run.py` can do, one module each: `add_arguments(parser)` and `run(args) -> exit code`."""


class UsageError(Exception):
    """The command line asks for something that does not exist; the text is one clear line, the exit code 64."""
