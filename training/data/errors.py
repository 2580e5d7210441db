"""What a data set raises when its files are not there."""


class DataNotFoundError(OSError):
    """The files of a data set are not where they were looked for; the message says where, and what to do."""
