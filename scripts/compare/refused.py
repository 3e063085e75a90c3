"""The error that one line can explain; apart from the rest, which needs packages."""


class Faulty(Exception):
    """Something about the input or the surroundings that is not as it must be."""
